#include "adapters/host/mapped_file.h"

#include "adapters/host/file_error.h"
#include "adapters/host/private_file.h"

#include <sys/file.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

namespace mayfly::adapters {

std::unique_ptr<MappedFile> MappedFile::open(const std::string& file, std::size_t bytes, events::LogStatus& status) {
  const int descriptor = open_private(file, status);
  if (descriptor < 0) return nullptr;
  const auto give_up = [&](events::LogStatus why) {
    status = std::move(why);
    ::close(descriptor);
    return nullptr;
  };
  if (::flock(descriptor, LOCK_EX | LOCK_NB) != 0) {
    return give_up(
        {events::LogError::owned, file + ": another process uses it. Give each engine its own --state-dir or name."});
  }
  // Blocks, not a hole: a store into a page that the disk has no room for would be a signal.
  if (const int error = ::posix_fallocate(descriptor, 0, static_cast<off_t>(bytes)); error != 0) {
    return give_up(file_error(file, error));
  }
  void* memory = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0);
  if (memory == MAP_FAILED) return give_up(file_error(file, errno));
  return std::unique_ptr<MappedFile>(new MappedFile(descriptor, {static_cast<std::byte*>(memory), bytes}));
}

MappedFile::~MappedFile() {
  ::munmap(memory_.data(), memory_.size());
  ::close(descriptor_);
}

void MappedFile::sync() const { ::msync(memory_.data(), memory_.size(), MS_SYNC); }

}  // namespace mayfly::adapters
