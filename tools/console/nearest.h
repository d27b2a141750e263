// The word that was probably meant.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace mayfly::tools {

/// The one with the fewest letters to change; empty where even that would change more than half of the word.
[[nodiscard]] std::string nearest(const std::vector<std::string>& words, std::string_view to);

}  // namespace mayfly::tools
