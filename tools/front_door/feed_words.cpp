#include "tools/front_door/feed_words.h"

#include "adapters/http/http_names.h"
#include "events/rules/identity.h"
#include "events/rules/words.h"
#include "tools/console/numbers.h"
#include "tools/front_door/http_words.h"
#include "tools/records/record_text.h"

#include <algorithm>

namespace mayfly::tools {

namespace {

/// The text up to the separator, which goes with it.
std::string_view take_part(std::string_view& text, char separator) {
  const auto part = text.substr(0, text.find(separator));
  text.remove_prefix(std::min(part.size() + 1, text.size()));
  return part;
}

bool is_event_type(std::string_view type) {
  for (int t = 0; t < events::event_type_count; ++t) {
    if (name(static_cast<events::EventType>(t)) == type) return true;
  }
  return false;
}

}  // namespace

bool FeedRequest::wants(const events::Record& record) const {
  if (!cart.empty() && record.key != cart) return false;
  return types.empty() || std::find(types.begin(), types.end(), short_type(record)) != types.end();
}

std::optional<FeedRequest> feed_request(const adapters::HttpRequest& request, adapters::HttpAnswer& wrong) {
  FeedRequest asked;
  for (std::string_view left = request.query; !left.empty();) {
    auto member = take_part(left, '&');
    const auto name = take_part(member, '=');
    const auto value = adapters::percent_decoded(member);
    if (name == "cart" && value && events::is_cart_id(*value)) {
      asked.cart = *value;
    } else if (name == "type" && value && !value->empty()) {
      for (std::string_view types = *value; !types.empty();) asked.types.emplace_back(take_part(types, ','));
      for (const auto& type : asked.types) {
        if (is_event_type(type)) continue;
        wrong = problem(400, "query_invalid", "no event has the type '" + type + "': docs/contract.md lists them");
        return std::nullopt;
      }
    } else if (name == "from" && (value == "begin" || value == "end")) {
      asked.from_begin = value == "begin";
    } else {
      wrong = problem(400, "query_invalid", "the query may have cart=ID, type=NAME,NAME... and from=begin or from=end");
      return std::nullopt;
    }
  }
  if (const auto id = request.header("last-event-id"); !id.empty()) {
    asked.after = read_feed_id(id);
    if (!asked.after) {
      wrong = problem(400, "last_event_id_invalid", "Last-Event-ID is not the id of an event of this stream");
      return std::nullopt;
    }
  }
  return asked;
}

std::string feed_id(std::span<const events::Position> next) {
  std::string id;
  for (const auto& at : next) {
    if (!id.empty()) id += ',';
    id += std::to_string(at.partition);
    id += ':';
    id += std::to_string(at.offset);
  }
  return id;
}

std::optional<std::vector<events::Position>> read_feed_id(std::string_view id) {
  std::vector<events::Position> next;
  while (!id.empty()) {
    const auto one = position_from_text(take_part(id, ','));
    if (!one) return std::nullopt;
    next.push_back(*one);
  }
  return next;
}

std::string feed_event(std::string_view type, std::string_view id, std::string_view data) {
  std::string text = "event: ";
  text += type;
  text += "\nid: ";
  text += id;
  text += "\ndata: ";
  text += data;
  text += "\n\n";
  return text;
}

std::string feed_heartbeat(std::string_view id) {
  std::string text = ":\nid: ";
  text += id;
  text += "\n\n";
  return text;
}

}  // namespace mayfly::tools
