// A small file as memory, shared with the page cache: what is stored in it outlives the process however that ends.
#pragma once

#include "events/log/log.h"

#include <cstddef>
#include <memory>
#include <span>
#include <string>

namespace mayfly::adapters {

class MappedFile {
 public:
  /// Opens or makes the file with at least `bytes`, new ones zero; held by one process at a time. Null with `status`
  /// set if it cannot: invalid, or full.
  static std::unique_ptr<MappedFile> open(const std::string& file, std::size_t bytes, events::LogStatus& status);
  ~MappedFile();
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;

  [[nodiscard]] std::span<std::byte> memory() const { return memory_; }
  /// On the disk when it returns: outlives a loss of power too.
  void sync() const;

 private:
  MappedFile(int descriptor, std::span<std::byte> memory) : descriptor_(descriptor), memory_(memory) {}
  int descriptor_;
  std::span<std::byte> memory_;
};

}  // namespace mayfly::adapters
