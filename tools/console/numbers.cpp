#include "tools/console/numbers.h"

#include "events/text/number.h"

#include <limits>

namespace mayfly::tools {

std::optional<std::int64_t> number_from_text(std::string_view text) {
  return text.starts_with('-') ? std::nullopt : events::number_in<std::int64_t>(text);
}

std::optional<events::Position> position_from_text(std::string_view text, char between) {
  const auto middle = text.find(between);
  if (middle == std::string_view::npos) return std::nullopt;
  const auto partition = number_from_text(text.substr(0, middle));
  const auto offset = number_from_text(text.substr(middle + 1));
  if (!partition || !offset || *partition > std::numeric_limits<events::Partition>::max()) return std::nullopt;
  return events::Position{static_cast<events::Partition>(*partition), *offset};
}

}  // namespace mayfly::tools
