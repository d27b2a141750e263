#include "adapters/file_lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <utility>

namespace mayfly::adapters {

std::optional<FileLock> FileLock::take(const std::string& file, const std::string& holder, std::string& other,
                                       int& error) {
  const int descriptor = ::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  if (descriptor < 0) {
    error = errno;
    return std::nullopt;
  }
  FileLock lock(descriptor);
  if (::flock(descriptor, LOCK_EX | LOCK_NB) != 0) {
    std::array<char, 512> text{};
    const auto size = ::pread(descriptor, text.data(), text.size(), 0);
    other.assign(text.data(), size > 0 ? static_cast<std::size_t>(size) : 0);
    return std::nullopt;
  }
  if (::ftruncate(descriptor, 0) == 0) {
    [[maybe_unused]] const auto written = ::pwrite(descriptor, holder.data(), holder.size(), 0);
  }
  return lock;
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
