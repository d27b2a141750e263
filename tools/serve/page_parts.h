// Files that CMake puts into the program as text (page_parts.cpp.in).
#pragma once

#include <span>
#include <string_view>

namespace mayfly::tools {

struct PageParts {
  std::string_view html, style, script;
  std::string_view style_sha256, script_sha256;  // in hexadecimal digits
};
[[nodiscard]] PageParts page_parts();

struct RunbookText {
  std::string_view name, text;
};
[[nodiscard]] std::span<const RunbookText> runbook_texts();

}  // namespace mayfly::tools
