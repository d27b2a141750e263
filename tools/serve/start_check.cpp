#include "tools/serve/start_check.h"

#include "adapters/host/file_error.h"
#include "adapters/http/http_names.h"
#include "adapters/open_log.h"
#include "tools/serve/flight.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <string_view>

namespace mayfly::tools {

namespace {

constexpr std::string_view sqlite = "sqlite:";

/// Of a file that is there or is to be made. No symbolic link is followed.
std::string not_writable(const std::string& file) {
  const std::filesystem::path path(file);
  std::error_code error;
  const auto is = std::filesystem::symlink_status(path, error);
  if (std::filesystem::is_symlink(is)) return adapters::file_error(file, ELOOP).message;
  if (std::filesystem::exists(is)) {
    if (!std::filesystem::is_regular_file(is)) return file + " is no file.";
    if (::access(path.c_str(), R_OK | W_OK) != 0) return adapters::file_error(file, errno).message;
  }
  const auto folder = path.has_parent_path() ? path.parent_path().string() : std::string(".");
  if (::access(folder.c_str(), W_OK | X_OK) != 0) return adapters::file_error(folder, errno).message;
  return std::filesystem::is_directory(folder, error) ? std::string() : folder + " is no folder.";
}

}  // namespace

std::vector<std::string> what_stops_a_start(const Config& config) {
  std::vector<std::string> wrong;
  const auto say = [&](std::string sentence) {
    if (!sentence.empty() && std::find(wrong.begin(), wrong.end(), sentence) == wrong.end()) {
      wrong.push_back(std::move(sentence));
    }
  };
  if (!config.log.empty()) say(adapters::not_log_name(config.log));
  const bool is_file = config.log.starts_with(sqlite) && config.log.size() > sqlite.size();
  if (is_file) say(not_writable(config.log.substr(sqlite.size())));
  const bool listens = !config.http.empty() && config.http != "off";
  if (listens && !adapters::http_place(config.http)) say(adapters::not_http_place(config.http));
  // Without a folder of its own it lies beside the log.
  const bool beside = config.state_dir.empty() && config.log.starts_with(sqlite);
  if (const auto file = flight_file(config); !file.empty() && !beside) say(not_writable(file));
  return wrong;
}

}  // namespace mayfly::tools
