// Which sources (ce_source) are meant: patterns, in a fixed room, so that settings stay plain bytes.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

namespace mayfly::events {

/// Patterns with one space between them. `*` in a pattern stands for any text, none included; all else for itself.
class SourcePatterns {
 public:
  static constexpr std::size_t most_bytes = 254;  // of all together

  SourcePatterns() = default;
  /// Spaces around and between words may be any number. Nothing if the text is too long or holds control characters.
  [[nodiscard]] static std::optional<SourcePatterns> from(std::string_view text);

  [[nodiscard]] std::string_view text() const { return {bytes_.data(), size_}; }
  [[nodiscard]] bool empty() const { return size_ == 0; }
  /// True if one of them is that source's.
  [[nodiscard]] bool match(std::string_view source) const;
  bool operator==(const SourcePatterns&) const = default;

 private:
  std::array<char, most_bytes + 1> bytes_{};  // 0 behind size_
  std::uint8_t size_ = 0;
};

}  // namespace mayfly::events
