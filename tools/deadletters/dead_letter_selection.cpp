#include "tools/deadletters/dead_letter_selection.h"

#include "tools/console/numbers.h"
#include "tools/console/time_words.h"

#include <optional>

namespace mayfly::tools {

namespace {

std::string all_reasons() {
  std::string names;
  for (int i = 0; i < events::dead_letter_reason_count; ++i) {
    names.append(i == 0 ? "" : ", ").append(events::name(static_cast<events::DeadLetterReason>(i)));
  }
  return names;
}

}  // namespace

std::string read_selection(const DeadLettersOptions& options, std::int32_t partitions, events::Timestamp now,
                           Selection& selection) {
  for (const auto& word : options.which) {
    const auto at = position_from_text(word);
    if (!at) return "'" + word + "' is no PARTITION:OFFSET, such as 0:12; list shows them.";
    if (at->partition >= partitions) {
      return "'" + word + "': this log's partitions are 0 to " + std::to_string(partitions - 1) + ".";
    }
    selection.positions.insert(*at);
  }
  for (const auto& reason : options.reasons) {
    if (!events::dead_letter_reason_from_name(reason)) {
      return "--reason " + reason + ": no dead letter has it. There are: " + all_reasons() + ".";
    }
    selection.reasons.insert(reason);
  }
  selection.cart = options.cart;
  for (const auto& [name, word, to] : {std::tuple{"--since", &options.since, &selection.since},
                                       std::tuple{"--until", &options.until, &selection.until}}) {
    if (word->empty()) continue;
    *to = time_from_words(*word, now);
    if (!*to) return std::string(name) + " " + *word + ": give " + time_words + ".";
  }
  const bool shows = options.what == "list" || options.what == "show";
  selection.with_handled = shows && (options.all || !selection.positions.empty());
  const bool everything = selection.positions.empty() && selection.reasons.empty() && selection.cart.empty() &&
                          !selection.since && !selection.until;
  if (options.what == "show" && selection.positions.empty()) return "Which? Give PARTITION:OFFSET, as list shows them.";
  if (!shows && everything && !options.all) {
    return "Which? Give PARTITION:OFFSET, --reason, --cart, --since or --until; --all: every one that is open.";
  }
  return {};
}

}  // namespace mayfly::tools
