// Public data outside the repository; tests that want it are skipped where it is not.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <optional>
#include <sstream>
#include <string>

namespace mayfly::testing {

/// MAYFLY_SHARED, or `shared` beside the repository; nothing if the path is not there.
inline std::optional<std::filesystem::path> shared_data(const std::string& path) {
  const char* given = std::getenv("MAYFLY_SHARED");
  const auto root = std::filesystem::path(__FILE__).parent_path().parent_path().parent_path();
  const auto found = (given != nullptr ? std::filesystem::path(given) : root.parent_path() / "shared") / "data" / path;
  return std::filesystem::exists(found) ? std::optional(found) : std::nullopt;
}

inline std::string content_of(const std::filesystem::path& file) {
  std::ifstream in(file, std::ios::binary);
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

}  // namespace mayfly::testing
