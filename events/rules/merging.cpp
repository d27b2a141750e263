#include "events/rules/merging.h"

#include "events/rules/replies.h"

namespace mayfly::events {

std::optional<MergeAnswer> answer_to_offer(const Command& command, const std::vector<Event>& said) {
  const auto* offer = std::get_if<CartMergeOffered>(&command.data);
  if (offer == nullptr) return std::nullopt;
  MergeAnswer answer{offer->from, offer->merge, std::nullopt};
  if (const auto* refusal = said.empty() ? nullptr : std::get_if<CommandRejected>(&said.front())) {
    answer.code = refusal->code;
  }
  return answer;
}

void answered_too_late(Decision& d, const CartMergeAnswered& answer) {
  if (answer.code) return;
  d.events.emplace_back(rejected(Code::merge_over));
  d.concern = Concern::merge_over;
}

}  // namespace mayfly::events
