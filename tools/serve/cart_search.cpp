#include "tools/serve/cart_search.h"

#include "events/rules/identity.h"
#include "tools/console/parsed_json.h"
#include "tools/console/printable.h"
#include "tools/console/text.h"
#include "tools/records/found_cart.h"
#include "tools/records/record_text.h"
#include "tools/replay/replay_timeline.h"

#include <nlohmann/json.hpp>

#include <utility>
#include <vector>

namespace mayfly::tools {

namespace {

using Json = nlohmann::json;

std::string dumped(const Json& json) { return json.dump(-1, ' ', false, Json::error_handler_t::replace); }

std::string event_json(const events::Record& record) {
  auto data = parsed_json(record.value.value_or("{}"));
  if (data.is_discarded()) data = Json::object();
  if (data.is_object()) data.erase("token");
  return dumped({{"partition", record.at.partition},
                 {"offset", record.at.offset},
                 {"at", time_text(record.append_time)},
                 {"sequence", printable(header(record, "ce_sequence"))},
                 {"type", printable(short_type(record))},
                 {"data", std::move(data)}});
}

Json answer_of(events::LogClient& log, const std::string& id, const FoundCart& found) {
  Json json = {{"id", id}, {"found", found.has_it}, {"kind", noun(found.reading.kind)}};
  if (!found.has_it) {
    json["why"] = "the log has no record of it" + (found.near_by.empty() ? "" : "; " + found.near_by);
    return json;
  }
  json["relation"] = relation(found, id);
  json["state"] = found.cart.state;
  const auto currency = events::currency_in_force(found.cart.state.value("currency", std::string()));
  if (currency) json["total"] = money(found.cart.state.value("total_minor", events::Minor{0}), *currency);
  json["left_out"] = found.events_left_out;
  json["events"] = Json::array();
  for (const auto& event : found.events) json["events"].push_back(Json::parse(event));
  const auto partition = events::partition_of(found.reading.cart, log.partitions());
  json["history_begins"] = log.ends(events::Stream::events, partition).first;
  return json;
}

}  // namespace

SearchAnswer search_cart(events::LogClient& log, const std::string& id) {
  FoundCart found;
  auto status = find_cart(log, id, most_search_events, event_json, found);
  std::vector<std::string> carts;
  if (status.ok() && found.cart.unreadable.empty() && !found.has_it) {
    const auto near_by = std::move(found.near_by);
    status = carts_that_name(log, id, most_search_carts, carts);
    if (status.ok() && carts.size() == 1) {
      status = find_cart(log, carts.front(), most_search_events, event_json, found);
    } else {
      found.near_by = near_by;
    }
  }
  if (!status.ok()) {
    auto why = dumped({{"id", id}, {"found", false}, {"why", status.message}});
    return {std::move(status), std::move(why)};
  }
  if (!found.cart.unreadable.empty()) {
    return {{}, dumped({{"id", id}, {"found", false}, {"why", "its state cannot be read: " + found.cart.unreadable}})};
  }
  auto json = answer_of(log, id, found);
  if (carts.size() > 1) {
    json["carts"] = carts;
    json["why"] = "several carts have it";
  } else if (carts.size() == 1 && found.has_it) {
    json["relation"] = "a command of this cart has " + printable(id);
  }
  return {{}, dumped(json)};
}

}  // namespace mayfly::tools
