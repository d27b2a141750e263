// Numbers that are given as text.
#pragma once

#include <charconv>
#include <concepts>
#include <optional>
#include <string_view>
#include <system_error>

namespace mayfly::events {

/// Takes the digits that the text begins with, with a '-' before them where N is signed. None, and the text as it was,
/// where it begins with no number or with one that N cannot hold. `base`: 2..36.
template <std::integral N>
[[nodiscard]] std::optional<N> take_number(std::string_view& text, int base = 10) {
  N number{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number, base);
  if (error != std::errc{}) return std::nullopt;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return number;
}

/// All of the text as a number; none where it is anything else.
template <std::integral N>
[[nodiscard]] std::optional<N> number_in(std::string_view text, int base = 10) {
  const auto number = take_number<N>(text, base);
  return text.empty() ? number : std::nullopt;
}

}  // namespace mayfly::events
