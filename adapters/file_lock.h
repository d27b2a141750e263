// A lock on a file that dies with its process, and says who holds it.
#pragma once

#include <optional>
#include <string>

namespace mayfly::adapters {

class FileLock {
 public:
  /// Takes the lock and writes `holder` into the file, if there is room. Nothing if another process (or lock) holds it:
  /// then `other` is what that one wrote. Nothing with an `error` (errno) if the file cannot be opened.
  static std::optional<FileLock> take(const std::string& file, const std::string& holder, std::string& other,
                                      int& error);
  FileLock(FileLock&&) noexcept;
  FileLock& operator=(FileLock&&) noexcept;
  ~FileLock();

 private:
  explicit FileLock(int descriptor) : descriptor_(descriptor) {}
  int descriptor_;
};

}  // namespace mayfly::adapters
