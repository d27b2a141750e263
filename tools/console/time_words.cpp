#include "tools/console/time_words.h"

#include "events/text/number.h"
#include "events/text/time_text.h"

#include <cstdint>
#include <utility>

namespace mayfly::tools {

std::optional<events::Timestamp> time_from_words(std::string_view text, events::Timestamp now) {
  if (const auto absolute = events::timestamp_from_text(text)) return absolute;
  constexpr std::pair<std::string_view, std::int64_t> units[] = {{"s", 1}, {"min", 60}, {"h", 3'600}, {"d", 86'400}};
  constexpr std::int64_t most = 100'000'000;
  const auto count = events::take_number<std::int64_t>(text);
  if (!count || *count < 0 || *count > most) return std::nullopt;
  for (const auto& [unit, s] : units) {
    if (text == unit) return now - events::Millis{*count * s * 1000};
  }
  return std::nullopt;
}

}  // namespace mayfly::tools
