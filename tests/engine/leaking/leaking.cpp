// The program with a leak, for `replay verify --memory` (docs/testing.md): MAYFLY_LEAK=PURPOSE:BYTES leaks so many
// bytes for each command, in the code of that purpose. Without it nothing leaks.
#include "engine/leaks/planted.h"

#include <cstdlib>
#include <string>

namespace mayfly::leaks {

namespace {

struct FromEnvironment {
  FromEnvironment() {
    const char* leak = std::getenv("MAYFLY_LEAK");
    if (leak == nullptr) return;
    const std::string words(leak);
    const auto colon = words.find(':');
    static const std::string purpose = words.substr(0, colon);
    planted.purpose = purpose.c_str();
    planted.per = What::message;
    planted.bytes = colon == std::string::npos ? 0 : std::strtoul(words.c_str() + colon + 1, nullptr, 10);
  }
};
const FromEnvironment from_environment;

}  // namespace

}  // namespace mayfly::leaks
