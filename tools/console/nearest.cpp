#include "tools/console/nearest.h"

#include <algorithm>
#include <utility>

namespace mayfly::tools {

std::size_t letters_to_change(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = std::exchange(row[0], i);
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const auto cost = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = std::exchange(row[j], std::min({row[j] + 1, row[j - 1] + 1, cost}));
    }
  }
  return row[b.size()];
}

std::string nearest(const std::vector<std::string>& words, std::string_view to) {
  constexpr std::size_t longest = 200;  // of a word that is worth comparing
  if (words.empty() || to.size() > longest) return {};
  const auto best = std::min_element(words.begin(), words.end(), [&](const auto& a, const auto& b) {
    return letters_to_change(a, to) < letters_to_change(b, to);
  });
  return letters_to_change(*best, to) * 2 <= std::max(best->size(), to.size()) ? *best : std::string();
}

}  // namespace mayfly::tools
