#include "tools/records/tail_begins.h"

#include "tools/console/numbers.h"

#include <string_view>

namespace mayfly::tools {

namespace {

using Where = TailBegin::Where;

std::optional<TailBegin> place(std::string_view text) {
  if (text == "begin") return TailBegin{Where::begin};
  if (text == "end") return TailBegin{Where::end};
  if (const auto offset = number_from_text(text)) return TailBegin{Where::offset, *offset};
  return std::nullopt;
}

}  // namespace

std::vector<TailBegin> tail_begins(std::span<const std::string> words, std::int32_t partitions, std::string& wrong) {
  std::vector<TailBegin> begins(static_cast<std::size_t>(partitions));
  std::optional<TailBegin> others;
  for (const auto& word : words) {
    const auto colon = word.find(':');
    const auto at = place(std::string_view(word).substr(colon == std::string::npos ? 0 : colon + 1));
    const auto only = number_from_text(std::string_view(word).substr(0, colon == std::string::npos ? 0 : colon));
    if (!at || (colon != std::string::npos && (!only || *only >= partitions))) {
      wrong = "--from " + word + ": give begin, end, OFFSET or PARTITION:OFFSET; partitions are 0 to " +
              std::to_string(partitions - 1);
      return {};
    }
    auto* one = only ? &begins[static_cast<std::size_t>(*only)] : nullptr;
    if (only ? one->where != Where::left_out : others.has_value()) {
      wrong = "--from " + word + ": another --from says already where to begin there";
      return {};
    }
    if (only)
      *one = *at;
    else
      others = at;
  }
  for (auto& begin : begins) {
    if (others && begin.where == Where::left_out) begin = *others;
  }
  return begins;
}

}  // namespace mayfly::tools
