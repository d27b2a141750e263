#include "adapters/host/file_lock.h"

#include "adapters/host/private_file.h"
#include "events/text/number.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <utility>

namespace mayfly::adapters {

namespace {

// The holder as text, filled up with spaces to a line, then the number in digits as another.
constexpr std::size_t holder_line = 512, number_line = 21;

std::string read_line(int descriptor, std::size_t begin, std::size_t size) {
  std::string line(size, ' ');
  const auto read = ::pread(descriptor, line.data(), size, static_cast<off_t>(begin));
  line.resize(read > 0 ? static_cast<std::size_t>(read) : 0);
  return line.substr(0, line.find_last_not_of(" \n") + 1);
}

void write_line(int descriptor, std::size_t begin, std::string text, std::size_t size) {
  text.resize(size - 1, ' ');
  text += '\n';
  [[maybe_unused]] const auto written = ::pwrite(descriptor, text.data(), text.size(), static_cast<off_t>(begin));
}

std::optional<std::int64_t> number_in(int descriptor) {
  return events::number_in<std::int64_t>(read_line(descriptor, holder_line, number_line));
}

}  // namespace

std::optional<FileLock> FileLock::take(const std::string& file, const std::string& holder, events::LogStatus& status) {
  const int descriptor = open_private(file, status);
  if (descriptor < 0) return std::nullopt;
  FileLock lock(descriptor);
  if (::flock(descriptor, LOCK_EX | LOCK_NB) != 0) {
    status = {events::LogError::owned, read_line(descriptor, 0, holder_line)};
    return std::nullopt;
  }
  write_line(descriptor, 0, holder, holder_line);
  return lock;
}

void FileLock::note(std::int64_t number) const {
  write_line(descriptor_, holder_line, std::to_string(number), number_line);
}

std::optional<std::int64_t> FileLock::noted(const std::string& file) {
  const int descriptor = ::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
  if (descriptor < 0) return std::nullopt;
  const auto number = number_in(descriptor);
  ::close(descriptor);
  return number;
}

FileLock::FileLock(FileLock&& o) noexcept : descriptor_(std::exchange(o.descriptor_, -1)) {}
FileLock& FileLock::operator=(FileLock&& o) noexcept {
  std::swap(descriptor_, o.descriptor_);
  return *this;
}
FileLock::~FileLock() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

}  // namespace mayfly::adapters
