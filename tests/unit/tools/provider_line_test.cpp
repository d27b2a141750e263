// The line before a provider that has so many connections and no more.
#include "tools/reenact/provider_line.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

namespace mayfly::tools {

namespace {

constexpr events::Timestamp start{1'000'000};

ConnectorRequest request(const std::string& session, const std::string& what = "authorization") {
  ConnectorRequest made;
  made.type = "payment." + what + "_requested";
  made.data = {{"session_id", session}};
  return made;
}

struct Line {
  ProviderLine line{{2, 100, events::Millis{3'000}}};  // two connections, at most ten hang-ups a second

  void pay(const std::string& session, std::int64_t at_ms) {
    line.began(session);
    line.ask(request(session), start + events::Millis{at_ms});
  }
  /// Whose turn it is at that moment; with a minus, who is turned away.
  std::vector<std::string> turns(std::int64_t at_ms) {
    std::vector<std::string> all;
    while (const auto turn = line.next(start + events::Millis{at_ms})) {
      all.push_back((turn->connected ? "" : "-") + turn->request.data.at("session_id").get<std::string>());
    }
    return all;
  }
};

using Sessions = std::vector<std::string>;

}  // namespace

TEST_CASE("who comes while connections are free has one at once, and gives it back when its actor ends") {
  Line l;
  l.pay("a", 0);
  l.pay("b", 0);
  CHECK(l.turns(0) == Sessions{"a", "b"});
  CHECK(l.line.taken() == 2);
  l.line.ended("a");
  CHECK(l.line.taken() == 1);
  l.pay("c", 1);
  CHECK(l.turns(1) == Sessions{"c"});
}

TEST_CASE("where all are taken the provider hangs up on who is idle for longest, and no more often than it may") {
  Line l;
  for (const char* session : {"a", "b"}) l.pay(session, 0);
  CHECK(l.turns(0).size() == 2);
  l.line.ask(request("a", "capture"), start + events::Millis{10});  // b is idle for longer now
  CHECK(l.turns(10) == Sessions{"a"});
  for (const char* session : {"c", "d", "e", "f"}) l.pay(session, 1'000);
  CHECK(l.turns(1'000) == Sessions{"c", "d", "e"});  // one now, and those that it could have done since 100 ms
  CHECK(l.turns(1'099).empty());
  CHECK(l.turns(1'100) == Sessions{"f"});
  CHECK(l.line.taken() == 2);
  for (const char* session : {"a", "b", "c", "d"}) l.line.ended(session);  // were hung up on: nothing is free by that
  CHECK(l.line.taken() == 2);
}

TEST_CASE("a payment that has no connection after its longest wait is turned away, and those behind it wait on") {
  ProviderLine line{{1, 1e9, events::Millis{3'000}}};  // hangs up once
  const auto at = [](std::int64_t ms) { return start + events::Millis{ms}; };
  for (const char* session : {"a", "b", "c", "d"}) line.began(session);
  line.ask(request("a"), at(0));
  CHECK(line.next(at(0))->connected);
  line.ask(request("b"), at(1));
  CHECK(line.next(at(1))->connected);  // in the place of a
  line.ask(request("c"), at(10));
  line.ask(request("d"), at(20));
  CHECK_FALSE(line.next(at(3'009)));
  const auto turned_away = line.next(at(3'010));
  REQUIRE(turned_away);
  CHECK_FALSE(turned_away->connected);
  CHECK(turned_away->request.data.at("session_id") == "c");
  CHECK_FALSE(line.next(at(3'010)));
  line.ended("b");
  CHECK(line.next(at(3'011))->connected);  // d
}

TEST_CASE("a session that the provider knows is waited for, and one without an actor needs no connection") {
  ProviderLine line{{1, 1e9, events::Millis{3'000}}};
  for (const char* session : {"a", "b", "c"}) line.began(session);
  line.ask(request("a"), start);
  CHECK(line.next(start)->connected);
  line.ask(request("b"), start);
  CHECK(line.next(start)->connected);  // a has none any more
  line.ask(request("a", "capture"), start);
  CHECK_FALSE(line.next(start + events::Millis{60'000}));
  line.ended("a");  // its cart sleeps
  CHECK(line.next(start + events::Millis{60'000})->connected);
  CHECK(line.taken() == 1);
}

TEST_CASE("a session that has two actors for a moment keeps its connection until both have ended") {
  Line l;
  l.pay("a", 0);
  CHECK(l.turns(0).size() == 1);
  l.line.began("a");
  l.line.ended("a");
  CHECK(l.line.taken() == 1);
  l.line.ended("a");
  CHECK(l.line.taken() == 0);
}

TEST_CASE("the provider has more connections than the protected run lets pile up, in each length of a run") {
  for (const std::int64_t length_s : {30, 105, 11'250}) {
    Plan plan;
    plan.outage = Outage::session_leak;
    plan.length = {length_s * ms_per_s};
    const auto limits = plan.connection_limits();
    const auto sessions_per_s = plan.carts_per_s * (100 - plan.abandoned_percent()) / 100;
    // Partitions are renewed in turn: half of an interval's sessions has piled up on average, all of them at most.
    CHECK(limits.most > sessions_per_s * plan.renew_interval().count / ms_per_s);
    CHECK(limits.most < sessions_per_s * plan.outage_length().count / ms_per_s);
    CHECK(1'000 / limits.hang_up_interval_ms < static_cast<double>(sessions_per_s));
    CHECK(limits.longest_wait.count > slow.count);
    CHECK(limits.longest_wait.count < patience.count);
  }
}

}  // namespace mayfly::tools
