// The word that was probably meant.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace mayfly::tools {

/// How many letters to put in, take out or change turn one word into the other (Levenshtein's distance).
[[nodiscard]] std::size_t letters_to_change(std::string_view, std::string_view);

/// The one with the fewest letters to change; empty where even that would change more than half of the word.
[[nodiscard]] std::string nearest(const std::vector<std::string>& words, std::string_view to);

}  // namespace mayfly::tools
