// What a request for a stream of events asks for, and the texts of server-sent events (WHATWG HTML, 9.2).
#pragma once

#include "adapters/http/http.h"
#include "events/log/log.h"

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace mayfly::tools {

struct FeedRequest {
  std::string cart;                // empty: all
  std::vector<std::string> types;  // short names; empty: all
  bool from_begin = false;
  std::optional<std::vector<events::Position>> after;  // the next offset of each partition, from an earlier id
  [[nodiscard]] bool wants(const events::Record&) const;
};

/// Reads cart, types and from of the query, and Last-Event-ID. None, with what is wrong as a problem.
[[nodiscard]] std::optional<FeedRequest> feed_request(const adapters::HttpRequest&, adapters::HttpAnswer& wrong);

/// The id of an event: the next offset of each partition that the stream has, "0:12,1:40".
[[nodiscard]] std::string feed_id(std::span<const events::Position> next);
[[nodiscard]] std::optional<std::vector<events::Position>> read_feed_id(std::string_view id);

/// One server-sent event. `data` has no line break.
[[nodiscard]] std::string feed_event(std::string_view type, std::string_view id, std::string_view data);
/// It tells nobody anything, but the client knows from now on where it is.
[[nodiscard]] std::string feed_heartbeat(std::string_view id);

}  // namespace mayfly::tools
