#include "adapters/host/secret_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace mayfly::adapters {

namespace {

constexpr std::size_t most_bytes = 64 * 1024;

std::string read_open(const std::string& file, int descriptor, std::string& text) {
  struct stat is {};
  if (::fstat(descriptor, &is) != 0) return file + ": " + std::strerror(errno) + ".";
  if (!S_ISREG(is.st_mode)) return file + " is no file.";
  if (is.st_uid != ::geteuid() && is.st_uid != 0) return file + " belongs to another user, who could change it.";
  if ((is.st_mode & 077) != 0) return file + " can be read by others than its owner: chmod 600 it.";
  std::string read(most_bytes + 1, '\0');
  std::size_t size = 0;
  while (size < read.size()) {
    const auto got = ::read(descriptor, read.data() + size, read.size() - size);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return file + ": " + std::strerror(errno) + ".";
    if (got == 0) break;
    size += static_cast<std::size_t>(got);
  }
  if (size > most_bytes) return file + " is larger than 64 KiB: it holds no secret.";
  read.resize(size);
  text = std::move(read);
  return {};
}

}  // namespace

std::string read_secret_file(const std::string& file, std::string& text) {
  const int descriptor = ::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (descriptor < 0) return file + ": " + std::strerror(errno) + ". It should hold a secret.";
  auto wrong = read_open(file, descriptor, text);
  ::close(descriptor);
  return wrong;
}

}  // namespace mayfly::adapters
