// A cart's state, a decision and what changed, as JSON: what the replay verbs print, in whatever form.
#pragma once

#include "tools/replay/replay_partition.h"

#include <nlohmann/json.hpp>

#include <string>
#include <string_view>
#include <vector>

namespace mayfly::tools {

using OrderedJson = nlohmann::ordered_json;

/// What the text says; null if it is no JSON.
[[nodiscard]] OrderedJson json_or_null(std::string_view text);

/// Everything but the payment token, of which it says only that it is kept, and the fingerprints, which it counts.
[[nodiscard]] OrderedJson state_json(const ReplayedCart&);
/// phase, also of a cart that is none: "none", or how it ended.
[[nodiscard]] std::string phase_of(const ReplayedCart*, const std::optional<events::Ended>&);

/// "accepted", "rejected CODE", "dead letter REASON", "repeated" or "no event".
[[nodiscard]] std::string outcome_of(const Replayed&);

/// A member that differs; null where there is none.
struct Change {
  std::string path;  // session.authorized_minor, lines.TEA.quantity
  OrderedJson before;
  OrderedJson after;
};
/// Lines are told apart by sku and line id, other arrays by place. `null` stands for no state at all.
[[nodiscard]] std::vector<Change> changes_between(const OrderedJson& before, const OrderedJson& after);
/// "500", "GBP", "nothing": short, for a line of text.
[[nodiscard]] std::string short_value(const OrderedJson&);
/// Like "90 s", "24 h".
[[nodiscard]] std::string length_text(std::int64_t ms);

}  // namespace mayfly::tools
