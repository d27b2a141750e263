// A lock on a file that dies with its process, says who holds it, and keeps a number for the next one.
#pragma once

#include "events/log/log.h"

#include <cstdint>
#include <optional>
#include <string>

namespace mayfly::adapters {

class FileLock {
 public:
  /// Takes the lock and writes `holder` into the file, if there is room. Nothing with `status` set if another process
  /// (or lock) holds it: `owned`, the message is what that one wrote; or if the file cannot be opened.
  static std::optional<FileLock> take(const std::string& file, const std::string& holder, events::LogStatus& status);
  FileLock(FileLock&&) noexcept;
  FileLock& operator=(FileLock&&) noexcept;
  ~FileLock();

  /// Keeps a number in the file, over the one before. It outlives the process; a machine that stops may take it back.
  void note(std::int64_t number) const;
  /// What was kept there last, by whoever held the lock; nothing if there is no such file or number.
  [[nodiscard]] static std::optional<std::int64_t> noted(const std::string& file);

 private:
  explicit FileLock(int descriptor) : descriptor_(descriptor) {}
  int descriptor_;
};

}  // namespace mayfly::adapters
