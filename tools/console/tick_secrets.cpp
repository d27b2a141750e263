// The file of engine.tick_secret_file: a secret a line, the one in use first (docs/security.md).
#include "adapters/host/secret_file.h"
#include "tools/console/config.h"

#include <algorithm>
#include <string_view>

namespace mayfly::tools {

namespace {

constexpr std::size_t least_bytes = 32;
constexpr std::string_view no_secret = "none";

}  // namespace

std::string read_tick_secrets(Config& config) {
  if (config.tick_secret_file.empty()) return {};
  std::string text;
  if (auto wrong = adapters::read_secret_file(config.tick_secret_file, text); !wrong.empty()) return wrong;
  auto& known = config.engine.tick_secrets.known;
  bool first = true;
  for (std::size_t at = 0; at < text.size();) {
    const auto end = std::min(text.find('\n', at), text.size());
    auto line = std::string_view(text).substr(at, end - at);
    at = end + 1;
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (line.empty()) continue;
    if (first && line == no_secret) {
      first = false;
      continue;
    }
    if (line.size() < least_bytes) {
      return config.tick_secret_file + ": a secret has 32 characters or more; `openssl rand -hex 32` makes one.";
    }
    known.emplace_back(line);
    if (first) config.engine.settings.tick_secret = known.back().id();
    first = false;
  }
  return first ? config.tick_secret_file + ": there is no secret in it; `openssl rand -hex 32` makes one."
               : std::string();
}

}  // namespace mayfly::tools
