#include "adapters/host/write_watch.h"

#include <poll.h>
#include <sys/inotify.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <thread>

namespace mayfly::adapters {

namespace {

void sleep_for(events::Millis length) { std::this_thread::sleep_for(std::chrono::milliseconds(length.count)); }

}  // namespace

WriteWatch::WriteWatch(const std::string& file) : descriptor_(::inotify_init1(IN_NONBLOCK | IN_CLOEXEC)) {
  if (descriptor_ < 0 || ::inotify_add_watch(descriptor_, file.c_str(), IN_MODIFY) >= 0) return;
  ::close(descriptor_);
  descriptor_ = -1;
}

WriteWatch::~WriteWatch() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

bool WriteWatch::wait(events::Millis longest) {
  const auto most = std::min(longest, next_look_);
  if (!watches()) {
    sleep_for(most);
    next_look_ = std::min(events::Millis{next_look_.count * 2}, longest_unwatched_look);
    return false;
  }
  pollfd written{descriptor_, POLLIN, 0};
  if (::poll(&written, 1, static_cast<int>(most.count)) == 1) {
    sleep_for(std::min(longest, first_look));  // a transaction writes many times
    if (drain()) {
      next_look_ = first_look;
      return true;
    }
  }
  next_look_ = std::min(events::Millis{next_look_.count * 2}, longest_look);
  return false;
}

/// False: it tells of no write. A file that is gone is told too, and then nothing more is.
bool WriteWatch::drain() {
  bool written = false;
  alignas(inotify_event) std::array<char, 4096> events{};
  for (;;) {
    const auto size = ::read(descriptor_, events.data(), events.size());
    if (size <= 0) return written;
    for (ssize_t at = 0; at < size;) {
      const auto* event = reinterpret_cast<const inotify_event*>(events.data() + at);
      written = written || (event->mask & (IN_MODIFY | IN_Q_OVERFLOW)) != 0;
      at += static_cast<ssize_t>(sizeof(inotify_event) + event->len);
    }
  }
}

}  // namespace mayfly::adapters
