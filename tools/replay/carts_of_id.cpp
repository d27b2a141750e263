// The carts that an id leads to: by its form, else by reading all commands.
#include "events/rules/identity.h"
#include "tools/console/parsed_json.h"
#include "tools/records/derived_id.h"
#include "tools/records/each_record.h"
#include "tools/replay/replay_timeline.h"

#include <algorithm>
#include <limits>
#include <set>

namespace mayfly::tools {

using events::Partition;
using events::Record;
using events::Stream;

namespace {

bool has_commands(events::LogClient& log, const std::string& cart, const RecordRead& read, events::LogStatus& status) {
  bool found = false;
  status = each_record(log, Stream::commands, events::partition_of(cart, log.partitions()), [&](const Record& r) {
    found = r.key == cart;
    read();
    return !found;
  });
  return found;
}

bool names(const OrderedJson& json, const std::string& id) {
  if (json.is_string()) return json.get_ref<const std::string&>() == id;
  if (!json.is_structured()) return false;
  return std::any_of(json.begin(), json.end(), [&](const auto& member) { return names(member, id); });
}

}  // namespace

bool names_id(const Record& record, const std::string& id) {
  for (const auto& h : record.headers) {
    if (h.value == id && h.name != "ce_source" && h.name != "ce_type") return true;
    if (h.name.ends_with("traceparent") && id.size() == 32 && h.value.find(id) != events::Bytes::npos) return true;
  }
  return record.value && record.value->find(id) != events::Bytes::npos &&
         names(parsed_json<OrderedJson>(*record.value), id);
}

events::LogStatus carts_of_id(events::LogClient& log, const std::string& id, std::vector<std::string>& carts,
                              const RecordRead& read) {
  events::LogStatus status;
  for (const auto& reading : readings_of(id)) {
    if (has_commands(log, reading.cart, read, status)) {
      carts.push_back(reading.cart);
      return status;
    }
    if (!status.ok()) return status;
  }
  return carts_that_name(log, id, std::numeric_limits<std::size_t>::max(), carts, read);
}

events::LogStatus carts_that_name(events::LogClient& log, const std::string& id, std::size_t most,
                                  std::vector<std::string>& carts, const RecordRead& read) {
  events::LogStatus status;
  std::set<std::string> seen(carts.begin(), carts.end());
  for (Partition p = 0; p < log.partitions() && status.ok() && carts.size() < most; ++p) {
    status = each_record(log, Stream::commands, p, [&](const Record& r) {
      read();
      if (!r.key || !events::is_cart_id(*r.key) || !names_id(r, id)) return true;
      if (seen.emplace(*r.key).second) carts.emplace_back(*r.key);
      return carts.size() < most;
    });
  }
  return status;
}

}  // namespace mayfly::tools
