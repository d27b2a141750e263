#include "tools/replay/replay_beside.h"

#include "events/text/number.h"
#include "tools/console/text.h"
#include "tools/records/record_text.h"
#include "tools/replay/replay_recorded.h"

#include <string_view>

namespace mayfly::tools {

using events::Record;
using events::Stream;

namespace {

events::Offset offset_in(std::string_view digits) {
  return events::number_in<events::Offset>(digits).value_or(events::no_offset);
}

}  // namespace

events::LogStatus read_beside(const EachRecord& each, BesideCarts& carts, const std::function<void()>& read) {
  const auto find = [&](std::string_view cart) {
    const auto found = carts.find(cart);
    return found == carts.end() ? nullptr : &found->second;
  };
  auto status = each(Stream::events, [&](const Record& r) {
    read();
    auto* beside = find(r.key.value_or(events::Bytes{}));
    if (beside == nullptr && short_type(r) != "command.dead_lettered") return true;
    const auto data = json_or_null(r.value.value_or("null"));
    if (beside == nullptr && data.is_object()) beside = find(data.value("cart_id", ""));  // of a deadline
    if (beside != nullptr) beside->said.emplace(cause_offset(r), OrderedJson{{"type", short_type(r)}, {"data", data}});
    return true;
  });
  if (!status.ok()) return status;
  status = each(Stream::deadletters, [&](const Record& r) {
    read();
    auto* beside = find(r.key.value_or(events::Bytes{}));
    if (beside == nullptr) return true;
    beside->dead_letters.emplace(offset_in(header(r, "mayfly.offset")),
                                 OrderedJson{{"position", position_text(r.at)},
                                             {"reason", header(r, "mayfly.reason")},
                                             {"attempts", offset_in(header(r, "mayfly.attempts"))},
                                             {"message", header(r, "mayfly.message")}});
    return true;
  });
  if (!status.ok()) return status;
  return each(Stream::alerts, [&](const Record& r) {
    read();
    auto* beside = find(header(r, "ce_subject"));
    if (beside == nullptr) return true;
    const auto data = json_or_null(r.value.value_or("null"));
    if (data.is_object()) beside->alerts.emplace(data.value("offset", events::no_offset), data);
    return true;
  });
}

}  // namespace mayfly::tools
