#include "tools/records/input_lines.h"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <functional>
#include <stdexcept>

namespace mayfly::tools {

namespace {

constexpr std::size_t input_read_bytes = 64 * 1024;

}  // namespace

/// A pipe that becomes readable when it is asked to stop.
struct InputLines::Wake {
  std::array<int, 2> ends{-1, -1};
  std::unique_ptr<std::stop_callback<std::function<void()>>> on_stop;
};

InputLines::InputLines(int descriptor, const std::stop_token& stop)
    : descriptor_(descriptor), stop_(stop), wake_(std::make_unique<Wake>()) {
  if (::pipe2(wake_->ends.data(), O_CLOEXEC | O_NONBLOCK) != 0) throw std::runtime_error("no pipe could be made");
  wake_->on_stop = std::make_unique<std::stop_callback<std::function<void()>>>(stop, [to = wake_->ends[1]] {
    const char any = 0;
    if (::write(to, &any, 1) != 1) return;  // full: it wakes already
  });
}

InputLines::~InputLines() {
  wake_->on_stop.reset();
  for (const int end : wake_->ends) ::close(end);
}

bool InputLines::take(std::string& line) {
  const auto feed = text_.find('\n', searched_);
  searched_ = text_.size();
  if (feed == std::string::npos && !(end_ && taken_ < text_.size())) return false;
  line = text_.substr(taken_, feed == std::string::npos ? feed : feed - taken_);
  taken_ = searched_ = feed == std::string::npos ? text_.size() : feed + 1;
  return true;
}

InputLines::Next InputLines::next(std::string& line, bool wait) {
  for (;;) {
    if (take(line)) return Next::line;
    if (end_) return Next::end;
    if (stop_.stop_requested()) return Next::stopped;
    std::array<pollfd, 2> look{{{descriptor_, POLLIN, 0}, {wake_->ends[0], POLLIN, 0}}};
    const int ready = ::poll(look.data(), look.size(), wait ? -1 : 0);
    if (ready < 0 && errno != EINTR) return Next::failed;
    if (ready == 0 && !wait) return Next::pause;
    if (ready <= 0 || look[1].revents != 0) continue;
    text_.erase(0, taken_);
    searched_ -= taken_;
    taken_ = 0;
    const auto before = text_.size();
    text_.resize(before + input_read_bytes);
    const auto got = ::read(descriptor_, text_.data() + before, input_read_bytes);
    text_.resize(before + static_cast<std::size_t>(got > 0 ? got : 0));
    if (got < 0 && errno != EINTR && errno != EAGAIN) return Next::failed;
    if (got == 0) end_ = true;
  }
}

}  // namespace mayfly::tools
