// The source of every command that a front door appends begins with this, and that of nobody else's.
#pragma once

#include <string_view>

namespace mayfly::tools {

inline constexpr std::string_view front_source = "/front/";

}  // namespace mayfly::tools
