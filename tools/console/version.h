// The program's version; CMakeLists.txt says it.
#pragma once

#include <string_view>

namespace mayfly::tools {

/// MAJOR.MINOR.PATCH
extern const std::string_view version;

}  // namespace mayfly::tools
