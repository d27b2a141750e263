// A folder for what nobody asked to keep.
#pragma once

#include <functional>
#include <string>

namespace mayfly::tools {

/// Made where temporary files lie; gone with this, and all that is in it, unless it is kept. Throws where none can be
/// made.
class TemporaryFolder {
 public:
  explicit TemporaryFolder(const std::string& name);
  ~TemporaryFolder();
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  void keep() { kept_ = true; }
  [[nodiscard]] const std::string& path() const { return path_; }
  /// Removes it unless it is kept by now; good for longer than this.
  [[nodiscard]] std::function<void()> removal() const;

 private:
  std::string path_;
  bool kept_ = false;
};

}  // namespace mayfly::tools
