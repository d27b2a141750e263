#include "events/rules/source_patterns.h"

#include "events/text/utf8.h"

#include <algorithm>

namespace mayfly::events {

namespace {

/// One pattern against one source: where the last `*` took too little it takes one character more.
bool matches(std::string_view pattern, std::string_view source) {
  std::size_t p = 0;
  std::size_t s = 0;
  std::size_t star = std::string_view::npos;
  std::size_t taken_from = 0;
  while (s < source.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      taken_from = s;
    } else if (p < pattern.size() && pattern[p] == source[s]) {
      ++p;
      ++s;
    } else if (star != std::string_view::npos) {
      p = star + 1;
      s = ++taken_from;
    } else {
      return false;
    }
  }
  return pattern.find_first_not_of('*', p) == std::string_view::npos;
}

/// Calls f(word) for each until it says true.
template <class F>
bool any_word(std::string_view text, F f) {
  for (std::size_t at = 0; at < text.size();) {
    const auto end = std::min(text.find(' ', at), text.size());
    if (end > at && f(text.substr(at, end - at))) return true;
    at = end + 1;
  }
  return false;
}

}  // namespace

std::optional<SourcePatterns> SourcePatterns::from(std::string_view text) {
  if (!is_plain_text(text)) return std::nullopt;
  SourcePatterns patterns;
  std::size_t size = 0;
  const bool too_long = any_word(text, [&](std::string_view word) {
    const std::size_t gap = size == 0 ? 0 : 1;
    if (size + gap + word.size() > most_bytes) return true;
    if (gap == 1) patterns.bytes_[size++] = ' ';
    std::copy(word.begin(), word.end(), patterns.bytes_.begin() + static_cast<std::ptrdiff_t>(size));
    size += word.size();
    return false;
  });
  if (too_long) return std::nullopt;
  patterns.size_ = static_cast<std::uint8_t>(size);
  return patterns;
}

bool SourcePatterns::match(std::string_view source) const {
  return any_word(text(), [source](std::string_view pattern) { return matches(pattern, source); });
}

}  // namespace mayfly::events
