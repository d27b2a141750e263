#include "tools/console/temporary_folder.h"

#include <cstdlib>
#include <filesystem>
#include <stdexcept>

namespace mayfly::tools {

TemporaryFolder::TemporaryFolder(const std::string& name)
    : path_((std::filesystem::temp_directory_path() / (name + "-XXXXXX")).string()) {
  if (::mkdtemp(path_.data()) == nullptr) throw std::runtime_error("no temporary folder could be made: " + path_);
}

TemporaryFolder::~TemporaryFolder() { removal()(); }

std::function<void()> TemporaryFolder::removal() const {
  return [path = path_, kept = kept_] {
    std::error_code ignored;
    if (!kept) std::filesystem::remove_all(path, ignored);
  };
}

}  // namespace mayfly::tools
