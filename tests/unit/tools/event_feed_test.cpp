#include "tools/front_door/event_feed.h"

#include "events/rules/identity.h"
#include "logs/memory_log.h"
#include "tools/front_door/front_door.h"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include <future>
#include <limits>
#include <string>
#include <thread>

using namespace mayfly;
using adapters::HttpAnswer;
using adapters::HttpRequest;
using adapters::HttpStream;

namespace {

class FixedClock final : public events::Clock {
 public:
  [[nodiscard]] events::Timestamp now() const override { return {1'767'225'600'000}; }
};
const FixedClock fixed_clock;

struct Feed {
  explicit Feed(std::int32_t partitions = 2, tools::EventFeedLimits limits = {})
      : store(partitions, fixed_clock), feed(std::make_unique<adapters::MemoryClient>(store), limits) {}

  void append(const std::string& cart, const std::string& type, std::size_t bytes = 2) {
    const std::string full = "dev.mayfly." + type + ".v1";
    const std::string value = bytes <= 2 ? "{}" : "{\"name\":\"" + std::string(bytes, 'x') + "\"}";
    const events::Header headers[] = {{"ce_type", full}};
    store.append({events::Stream::events, events::partition_of(cart, store.partitions()), cart, value, headers});
  }
  HttpAnswer open(const std::string& query = {}, const std::string& last_event_id = {},
                  const std::string& caller = "shop") {
    HttpRequest request;
    request.query = query;
    if (!last_event_id.empty()) request.headers.emplace_back("last-event-id", last_event_id);
    HttpAnswer wrong;
    auto asked = tools::feed_request(request, wrong);
    if (!asked) return wrong;
    std::promise<HttpAnswer> answered;
    feed.open(caller, std::move(*asked), [&](HttpAnswer answer) { answered.set_value(std::move(answer)); });
    return answered.get_future().get();
  }

  adapters::MemoryStore store;
  tools::EventFeed feed;
};

/// Takes what comes until it holds those words so many times. Ends because the feed goes on, never by a clock.
std::string read_until(HttpStream& stream, const std::string& words, int times = 1) {
  std::string got;
  for (;;) {
    got += stream.take();
    int found = 0;
    for (auto at = got.find(words); at != std::string::npos; at = got.find(words, at + 1)) ++found;
    if (found >= times) return got;
    std::this_thread::yield();
  }
}

int count_of(const std::string& text, const std::string& words) {
  int found = 0;
  for (auto at = text.find(words); at != std::string::npos; at = text.find(words, at + 1)) ++found;
  return found;
}

/// The id that a client would send as Last-Event-ID.
std::string last_id(const std::string& text) {
  const auto at = text.rfind("id: ") + 4;
  return text.substr(at, text.find('\n', at) - at);
}

std::string code(const HttpAnswer& answer) { return nlohmann::json::parse(answer.body)["title"]; }

}  // namespace

TEST_CASE("the id of the largest log's stream fits into a request") {
  constexpr std::int32_t most_partitions = 1'024;
  constexpr std::size_t other_headers_bytes = 4'096;
  std::vector<events::Position> next;
  for (std::int32_t p = 0; p < most_partitions; ++p) next.push_back({p, std::numeric_limits<events::Offset>::max()});
  CHECK(tools::feed_id(next).size() + other_headers_bytes <=
        static_cast<std::size_t>(tools::FrontDoorLimits{}.http.request_header_bytes));
}

TEST_CASE(
    "a stream begins now, or at the begin of the log, and goes on where its last id says, without loss or repeat") {
  Feed at;
  at.append("c1", "cart.created");
  const auto now = at.open();
  at.append("c1", "cart.line_added");
  const auto first = read_until(*now.stream, "event: cart.line_added");
  CHECK(first.starts_with("retry: 1000\n:\nid: "));
  CHECK(count_of(first, "event: ") == 1);
  const auto begin = at.open("from=begin");
  CHECK(count_of(read_until(*begin.stream, "event: ", 2), "event: cart.created") == 1);
  at.append("c2", "cart.created");
  at.append("c1", "cart.canceled");
  const auto on = at.open({}, last_id(first));
  const auto rest = read_until(*on.stream, "event: ", 2);
  CHECK(count_of(rest, "event: cart.created") == 1);
  CHECK(count_of(rest, "event: cart.canceled") == 1);
}

TEST_CASE("the first id of a stream is a place to go on from, though no event has come") {
  Feed at;
  const auto opened = at.open("cart=c1");
  const auto id = last_id(read_until(*opened.stream, "id: "));
  at.append("c1", "cart.created");
  const auto again = at.open("cart=c1", id);
  CHECK(read_until(*again.stream, "event: ").find("cart.created") != std::string::npos);
}

TEST_CASE("a stream has the events of its cart and types only") {
  Feed at(1);
  for (const char* cart : {"c1", "c2"}) {
    for (const char* type : {"cart.created", "cart.line_added", "cart.canceled"}) at.append(cart, type);
  }
  struct Row {
    const char* query;
    int events;
    const char* last;
  };
  for (const auto& row : {Row{"from=begin&cart=c1", 3, "cart.canceled"}, Row{"from=begin", 6, "cart.canceled"},
                          Row{"from=begin&type=cart.created,cart.line_added", 4, "cart.line_added"},
                          Row{"from=begin&cart=c2&type=cart.created", 1, "cart.created"}}) {
    CAPTURE(row.query);
    const auto opened = at.open(row.query);
    const auto got = read_until(*opened.stream, "event: ", row.events);
    CHECK(count_of(got, "event: ") == row.events);
    CHECK(got.rfind(std::string("event: ") + row.last) == got.rfind("event: "));
  }
}

TEST_CASE("a client that reads nothing is given no more than its bound, and loses nothing by it") {
  tools::EventFeedLimits limits;
  limits.unsent_bytes = 10'000;
  limits.idle_wait = {1};
  Feed at(1, limits);
  constexpr std::size_t bytes = 1'000;
  constexpr int events = 200;
  for (int i = 0; i < events; ++i) at.append("slow", "cart.created", bytes);
  const auto slow = at.open("from=begin");
  const auto quick = at.open("from=begin&type=cart.canceled");
  at.append("quick", "cart.canceled");
  read_until(*quick.stream, "event: cart.canceled");  // the slow one has had its turns meanwhile
  CHECK(slow.stream->unsent_bytes() >= limits.unsent_bytes);
  CHECK(slow.stream->unsent_bytes() < limits.unsent_bytes + 2 * bytes);
  CHECK(count_of(read_until(*slow.stream, "event: ", events), "event: cart.created") == events);
}

TEST_CASE("where nothing happens a heartbeat tells a client where it is, past what it did not ask for") {
  tools::EventFeedLimits limits;
  limits.heartbeat = {1};
  limits.idle_wait = {1};
  Feed at(1, limits);
  const auto opened = at.open("type=cart.canceled");
  for (int i = 0; i < 5; ++i) at.append("c1", "cart.created");
  const auto got = read_until(*opened.stream, ":\nid: 0:5\n\n", 2);
  CHECK(count_of(got, "event: ") == 0);
}

TEST_CASE("streams are bounded, of all and of one caller, and one that was closed makes room") {
  tools::EventFeedLimits limits;
  limits.streams = 3;
  limits.streams_per_caller = 2;
  Feed at(1, limits);
  const auto one = at.open({}, {}, "a");
  const auto two = at.open({}, {}, "a");
  const auto more = at.open({}, {}, "a");
  CHECK(more.status == 503);
  CHECK(code(more) == "too_many_streams");
  CHECK(more.headers.front().first == "Retry-After");
  const auto other = at.open({}, {}, "b");
  CHECK(other.stream);
  CHECK(at.open({}, {}, "c").status == 503);
  one.stream->close();
  CHECK(at.open({}, {}, "a").stream);
}

TEST_CASE("a place whose events are gone begins with a gap, one that the log never had is refused") {
  Feed at(1);
  events::Record record;
  record.at = {0, 7};
  record.key = "c1";
  record.value = "{}";
  const events::Header headers[] = {{"ce_type", "dev.mayfly.cart.created.v1"}};
  record.headers = headers;
  at.store.append_at(events::Stream::events, record);
  const auto late = at.open({}, "0:3");
  CHECK(read_until(*late.stream, "event: cart.created")
            .find("event: gap\nid: 0:7\ndata: {\"partition\":0,\"from\":3,\"to\":7}\n\n") != std::string::npos);
  for (const char* id : {"0:9", "1:0", "x", "0", "0:", "0:-1", "0:1x", "99999999999:1"}) {
    CAPTURE(id);
    const auto refused = at.open({}, id);
    CHECK(refused.status == 400);
    CHECK(code(refused) == "last_event_id_invalid");
  }
}

TEST_CASE("a query that is not understood is refused, and not ignored") {
  Feed at(1);
  for (const char* query :
       {"type=cart.creatd", "type=payment.*", "card=c1", "cart=", "cart=%zz", "from=yesterday", "type=", "c1"}) {
    CAPTURE(query);
    CHECK(code(at.open(query)) == "query_invalid");
  }
}
