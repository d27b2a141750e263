#include "tools/console/secret_property.h"

#include "adapters/host/secret_file.h"

#include <cstdlib>
#include <string_view>

namespace mayfly::tools {

namespace {

bool cut_off(std::string& name, std::string_view ending) {
  if (!name.ends_with(ending)) return false;
  name.resize(name.size() - ending.size());
  return true;
}

}  // namespace

std::string read_secret_property(std::string& name, std::string& value, bool& elsewhere) {
  std::string secret;
  if (cut_off(name, "_file")) {
    if (auto wrong = adapters::read_secret_file(value, secret); !wrong.empty()) return wrong;
    if (secret.ends_with('\n')) secret.pop_back();
    if (secret.ends_with('\r')) secret.pop_back();
    if (secret.empty()) return value + " is empty: it should hold a secret.";
  } else if (cut_off(name, "_env")) {
    const char* found = std::getenv(value.c_str());
    if (found == nullptr || *found == '\0') return "the environment has no variable " + value + ".";
    secret = found;
  } else {
    elsewhere = false;
    return {};
  }
  elsewhere = true;
  value = std::move(secret);
  return {};
}

}  // namespace mayfly::tools
