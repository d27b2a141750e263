// A replay against what is recorded: the same log has no difference, and each kind of difference is named.
#include "tools/replay/replay_log.h"

#include "actors/engine/engine.h"
#include "events/rules/identity.h"
#include "events/state/snapshot.h"
#include "logs/memory_log.h"
#include "tools/records/command_writer.h"

#include <doctest/doctest.h>

#include <functional>
#include <string>
#include <tuple>
#include <vector>

using namespace mayfly;
using namespace mayfly::events;

namespace {

class FixedClock final : public Clock {
 public:
  [[nodiscard]] Timestamp now() const override { return {1'767'225'600'000}; }
};
const FixedClock fixed_clock;
constexpr std::int32_t partitions = 2;

/// Decides what lies there, as an engine that serves the log.
void serve(adapters::MemoryStore& store) {
  adapters::MemoryLog log(store);
  actors::Engine engine(log, fixed_clock, {}, nullptr);
  CHECK(engine.run_until_caught_up().end == actors::RunEnd::caught_up);
}

/// A log that an engine has served: two carts, a merge that writes commands, a checkout, one left open.
void record(adapters::MemoryStore& store) {
  adapters::MemoryClient client(store);
  tools::CommandWriter out(client);
  int id = 0;
  const auto send = [&](const char* cart, const char* type, const char* data) {
    tools::OutgoingCommand c;
    c.key = cart;
    c.type = type;
    c.id = "id-" + std::to_string(++id);
    c.source = "/test";
    c.data = data;
    CHECK(out.write(std::move(c)).ok());
  };
  for (const auto* cart : {"a", "b", "c"}) {
    send(cart, "cart.create", R"({"currency":"GBP"})");
    send(cart, "cart.add_line", R"({"sku":"TEA","quantity":2,"unit_price_minor":250})");
  }
  send("a", "cart.merge", R"({"into":"b"})");
  send("c", "checkout.complete", R"({"expected_total_minor":500,"payment":{"provider":"p","token":"t"}})");
  CHECK(out.flush().ok());
  serve(store);
}

/// Its second half: one more cart, another line, one cart less.
void record_more(adapters::MemoryStore& store) {
  adapters::MemoryClient client(store);
  tools::CommandWriter out(client);
  for (const auto& [cart, type, data] : {std::tuple{"d", "cart.create", R"({"currency":"GBP"})"},
                                         {"b", "cart.add_line", R"({"sku":"MUG","quantity":1,"unit_price_minor":9})"},
                                         {"c", "cart.cancel", "{}"}}) {
    tools::OutgoingCommand c;
    c.key = cart;
    c.type = type;
    c.id = std::string("more-") + cart;
    c.source = "/test";
    c.data = data;
    CHECK(out.write(std::move(c)).ok());
  }
  CHECK(out.flush().ok());
  serve(store);
}

/// How far an engine has got, as its state says.
struct Moment {
  std::vector<Offset> ends;
  std::vector<Offset> position_at;
};
Moment now_of(const adapters::MemoryStore& store) {
  Moment now;
  for (Partition p = 0; p < partitions; ++p) {
    now.ends.push_back(store.ends(Stream::commands, p).end);
    now.position_at.push_back(no_offset);
    for (const auto& r : store.records(Stream::state, p)) {
      if (r.key == position_key) now.position_at.back() = r.at.offset;
    }
  }
  return now;
}

std::string run(tools::ReplayLog& log, actors::Engine& engine) {
  const auto result = engine.run_until_caught_up();
  return result.end == actors::RunEnd::caught_up ? log.compare_rest() : result.message;
}

actors::EngineConfig of_small_batches() {
  actors::EngineConfig config;
  config.batch_records = 3;  // any cutting comes to the same
  return config;
}

std::string replayed(adapters::MemoryStore& recorded) {
  adapters::MemoryClient commands(recorded);
  adapters::MemoryClient results(recorded);
  auto [ends, position_at] = now_of(recorded);
  tools::ReplayLog log(commands, results, ends, position_at);
  actors::Engine engine(log, fixed_clock, of_small_batches(), nullptr);
  return run(log, engine);
}

/// A copy of a log but for what `change` makes of an event or state record; false: it is left out.
std::string replayed_but_for(const std::function<bool(Stream, Record&, std::string& value)>& change) {
  adapters::MemoryStore good(partitions, fixed_clock);
  record(good);
  adapters::MemoryStore bad(partitions, fixed_clock);
  for (Partition p = 0; p < partitions; ++p) {
    for (const auto stream : {Stream::commands, Stream::events, Stream::state}) {
      for (auto r : good.records(stream, p)) {
        std::string value(r.value.value_or(""));
        if (stream != Stream::commands && !change(stream, r, value)) continue;
        if (r.value) r.value = value;
        bad.append_at(stream, r);
      }
    }
  }
  return replayed(bad);
}

void replace(std::string& text, const std::string& what, const std::string& by) {
  if (const auto at = text.find(what); at != std::string::npos) text.replace(at, what.size(), by);
}

}  // namespace

TEST_CASE("a log replays to itself, engine-written commands and all") {
  adapters::MemoryStore store(partitions, fixed_clock);
  record(store);
  CHECK(replayed(store) == "");
}

TEST_CASE("the first difference is named by position, cart and field") {
  const auto said = [](const std::string& difference, const std::string& part) {
    CAPTURE(difference);
    CHECK(difference.find(part) != std::string::npos);
  };
  said(replayed_but_for([](Stream, Record&, std::string& value) {
         replace(value, R"("total_minor":500)", R"("total_minor":501)");
         return true;
       }),
       "data.total_minor: recorded 501, again 500");
  said(replayed_but_for([](Stream s, Record& r, std::string&) { return s != Stream::events || r.key != "c"; }),
       "key: recorded a, again c");
  said(replayed_but_for([](Stream s, Record& r, std::string&) {
         if (s == Stream::events && r.key == "c") r.headers = r.headers.subspan(0, r.headers.size() - 1);
         return true;
       }),
       "ce_causationid: recorded nothing, again id-5");
  said(replayed_but_for([](Stream s, Record& r, std::string& value) {
         if (s == Stream::state && r.key == "c") replace(value, "TEA", "TEE");
         return true;
       }),
       "of c: state.lines[0].sku: recorded TEE, again TEA");
  said(replayed_but_for([](Stream s, Record& r, std::string&) { return s != Stream::state || r.key != "b"; }),
       "of b: nothing recorded, again");
}

TEST_CASE("what an engine decides while its log is replayed is told from a difference, and replayed then") {
  adapters::MemoryStore store(partitions, fixed_clock);
  record(store);
  adapters::MemoryClient commands(store);
  adapters::MemoryClient results(store);
  auto [ends, position_at] = now_of(store);
  record_more(store);
  tools::ReplayLog log(commands, results, ends, position_at);
  actors::Engine engine(log, fixed_clock, of_small_batches(), nullptr);
  CHECK(run(log, engine) == "");
  CHECK(log.moved_on() > 0);
  CHECK(log.commands() == ends[0] + ends[1]);

  auto [later_ends, later_position_at] = now_of(store);
  log.extend(later_ends, later_position_at);
  CHECK(run(log, engine) == "");
  CHECK(log.moved_on() == 0);
  CHECK(log.commands() == ends[0] + ends[1] + 3);
}

TEST_CASE(
    "state behind the last commit is a difference; behind a later commit it cannot be told until that is replayed") {
  adapters::MemoryStore store(partitions, fixed_clock);
  record(store);
  const auto of_c = partition_of("c", partitions);
  const auto position = store.state(of_c).at(std::string(position_key));
  adapters::MemoryClient commands(store);
  adapters::MemoryClient results(store);
  auto [ends, position_at] = now_of(store);
  tools::ReplayLog log(commands, results, ends, position_at);
  actors::Engine engine(log, fixed_clock, of_small_batches(), nullptr);
  CHECK(run(log, engine) == "");
  const auto names_c = [&] { return log.compare_rest().find("of c: ") != std::string::npos; };

  store.append({Stream::state, of_c, "c", "forged", {}});
  CHECK(names_c());
  store.append({Stream::state, of_c, position_key, *position, {}});
  CHECK(log.compare_rest() == "");
  CHECK(log.moved_on() == 1);
  auto [later_ends, later_position_at] = now_of(store);
  log.extend(later_ends, later_position_at);
  CHECK(names_c());
}
