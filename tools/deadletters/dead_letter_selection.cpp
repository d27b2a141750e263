#include "tools/deadletters/dead_letter_selection.h"

#include "tools/console/time_words.h"

#include <charconv>
#include <optional>

namespace mayfly::tools {

namespace {

/// Takes a number off the front.
std::optional<std::int64_t> take_number(std::string_view& text) {
  std::int64_t n = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), n);
  if (error != std::errc{} || n < 0) return std::nullopt;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return n;
}

std::optional<events::Position> position(std::string_view text) {
  const auto partition = take_number(text);
  if (!partition || *partition > 1'000'000 || !text.starts_with(':')) return std::nullopt;
  text.remove_prefix(1);
  const auto offset = take_number(text);
  if (!offset || !text.empty()) return std::nullopt;
  return events::Position{static_cast<events::Partition>(*partition), *offset};
}

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
    const auto at = position(word);
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
