// Dead letters sent again and dropped: each once, whatever ends the program in between.
#include "actors/engine/engine.h"
#include "logs/memory_log.h"
#include "tools/deadletters/dead_letter_retry.h"
#include "tools/deadletters/dead_letter_selection.h"
#include "tools/deadletters/dead_letter_text.h"
#include "tools/records/each_record.h"
#include "tools/records/record_text.h"
#include "unit/actors/commands.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <deque>
#include <map>
#include <stdexcept>

using namespace mayfly;
using events::Stream;
using tools::Fate;

namespace {

/// How the n-th reading or writing goes wrong.
enum class Fault { dies_before, dies_after, half_written };

struct Died : std::runtime_error {
  Died() : std::runtime_error("killed") {}
};

/// A client's side that ends the program at its n-th call, as a kill would.
class DyingClient final : public events::LogClient {
 public:
  DyingClient(events::LogClient& log, Fault fault, int nth) : log_(log), fault_(fault), left_(nth) {}
  [[nodiscard]] std::int32_t partitions() const override { return log_.partitions(); }
  events::StreamEnds ends(Stream s, events::Partition p) override { return log_.ends(s, p); }
  events::Appended append(std::span<const events::NewRecord> records) override {
    if (left_-- == 0) {
      if (fault_ == Fault::dies_after) static_cast<void>(log_.append(records));
      if (fault_ == Fault::half_written) {
        static_cast<void>(log_.append(records.first(records.size() / 2)));
        return {{}, {events::LogError::unavailable, "half of it"}};
      }
      throw Died();
    }
    return log_.append(records);
  }
  events::Fetched read(Stream s, events::Partition p, events::Offset from, const events::PollLimits& limits) override {
    if (left_-- == 0) throw Died();
    return log_.read(s, p, from, limits);
  }

 private:
  events::LogClient& log_;
  Fault fault_;
  int left_;
};

/// A client of a log whose brokers were lost: it does not know where anything ends.
class LostClient final : public events::LogClient {
 public:
  [[nodiscard]] std::int32_t partitions() const override { return 1; }
  events::StreamEnds ends(Stream, events::Partition) override { return {0, 0, lost}; }
  events::Appended append(std::span<const events::NewRecord>) override { return {{}, lost}; }
  events::Fetched read(Stream, events::Partition, events::Offset, const events::PollLimits&) override { return {}; }
  events::LogStatus lost{events::LogError::unavailable, "no broker answers"};
};

/// A shop of six carts; the actors of those named p... die of every line that is added while `poisoned`.
struct World {
  testing::SetClock clock;
  adapters::MemoryStore store{2, clock};
  testing::Shop shop{store};
  adapters::MemoryClient client{store};
  bool poisoned = false;

  World() {
    for (const auto* cart : {"p1", "p2", "p3", "p4", "a", "b"}) shop.create(cart);
    serve();
    for (const auto* cart : {"p1", "p2", "p3", "p4", "a", "b"}) {
      shop.add(cart, "TEA", 2, 250);
      shop.add(cart, "MUG", 1, 900);
    }
    poisoned = true;
    serve();
    poisoned = false;
  }
  void serve() {
    adapters::MemoryLog log(store);
    actors::EngineConfig config;
    config.before_decide = [this](std::string_view cart, events::Position) {
      if (poisoned && cart.starts_with("p")) throw std::runtime_error("planted");
    };
    actors::Engine engine(log, clock, config, nullptr);
    REQUIRE(engine.run_until_caught_up().end == actors::RunEnd::caught_up);
  }
  /// What a run of `retry` or `drop` comes to; false: it was cut short.
  bool run(events::LogClient& log, bool retry, tools::HandlingCounts* counts = nullptr,
           const tools::Selection& selection = {}) const {
    tools::DeadLetterHandling handling(log, clock);
    try {
      for (events::Partition p = 0; p < log.partitions(); ++p) {
        tools::DeadLetterReading reading(log, p);
        if (!reading.begin().ok()) return false;
        const auto status = reading.each_batch(selection, [&](std::vector<tools::Found>& batch) {
          return retry ? handling.retry(reading, batch) : handling.drop(reading, batch);
        });
        if (!status.ok()) return false;
      }
    } catch (const Died&) {
      return false;
    }
    if (counts != nullptr) *counts = handling.counts();
    return true;
  }
  [[nodiscard]] std::vector<std::string> all(bool with_handled = true) {
    std::vector<std::string> lines;
    tools::Selection selection;
    selection.with_handled = with_handled;
    for (events::Partition p = 0; p < 2; ++p) {
      tools::DeadLetterReading reading(client, p);
      CHECK(reading.begin().ok());
      CHECK(reading
                .each_batch(selection,
                            [&](std::vector<tools::Found>& batch) {
                              for (const auto& found : batch) lines.push_back(tools::as_ndjson(found, false));
                              return events::LogStatus{};
                            })
                .ok());
    }
    return lines;
  }
  /// How often each dead letter was sent again.
  [[nodiscard]] std::map<std::string, int> sent() const {
    std::map<std::string, int> times;
    for (events::Partition p = 0; p < 2; ++p) {
      for (const auto& record : store.records(Stream::commands, p)) {
        const auto of = tools::header(record, tools::retry_header);
        if (!of.empty()) ++times[std::string(of)];
      }
    }
    return times;
  }
  void a_minute_later() { clock.time.ms += tools::retry_over_after.count; }
};

constexpr std::size_t planted = 8;  // two lines of four carts

bool each_once(const std::map<std::string, int>& sent) {
  return sent.size() == planted && std::all_of(sent.begin(), sent.end(), [](const auto& s) { return s.second == 1; });
}

bool all_are(const std::vector<std::string>& lines, const std::string& state) {
  return lines.size() == planted && std::all_of(lines.begin(), lines.end(), [&](const std::string& line) {
           return line.find("\"state\":\"" + state + "\"") != std::string::npos;
         });
}

}  // namespace

TEST_CASE("a dead letter is sent again with its own key, bytes and headers, and its cart goes on") {
  World world;
  CHECK(all_are(world.all(), "open"));
  tools::HandlingCounts counts;
  REQUIRE(world.run(world.client, true, &counts));
  CHECK(counts.sent == planted);
  CHECK(each_once(world.sent()));
  CHECK(all_are(world.all(), "retried"));
  for (events::Partition p = 0; p < 2; ++p) {
    const auto commands = world.store.records(Stream::commands, p);
    for (const auto& again : commands) {
      if (tools::header(again, tools::retry_header).empty()) continue;
      const auto first = std::find_if(commands.begin(), commands.end(), [&](const events::Record& r) {
        return tools::header(r, "ce_id") == tools::header(again, "ce_id");
      });
      CHECK(first->at != again.at);
      CHECK(first->key == again.key);
      CHECK(first->value == again.value);
      CHECK(first->headers.size() + 2 == again.headers.size());
      CHECK(tools::header(again, tools::redriven_header) == "1");
    }
  }
  world.serve();
  CHECK(testing::said(world.store, "p1").back() == "cart.line_added");
}

TEST_CASE("a retry that is ended at any step, twice in a row, sends each dead letter once in the end") {
  for (const auto fault : {Fault::dies_before, Fault::dies_after, Fault::half_written}) {
    for (int first = 0, interrupted = 1; interrupted != 0; ++first) {
      interrupted = 0;
      for (int second = 0;; ++second) {
        World world;
        DyingClient dying(world.client, fault, first);
        if (world.run(dying, true)) break;
        ++interrupted;
        world.a_minute_later();
        DyingClient again(world.client, fault, second);
        const bool whole = world.run(again, true);
        world.a_minute_later();
        REQUIRE(world.run(world.client, true));
        CAPTURE(first);
        CAPTURE(second);
        CHECK(each_once(world.sent()));
        CHECK(all_are(world.all(), "retried"));
        world.serve();
        CHECK(testing::said(world.store, "p4").back() == "cart.line_added");
        if (whole) break;
      }
    }
  }
}

TEST_CASE("a retry under way is left alone by another run") {
  World world;
  DyingClient dying(world.client, Fault::dies_before, 4);  // both marks of partition 0 are there, nothing is sent
  CHECK_FALSE(world.run(dying, true));
  tools::HandlingCounts counts;
  REQUIRE(world.run(world.client, true, &counts));
  CHECK(counts.sent + counts.all_left_out() == planted);
  CHECK(counts.all_left_out() > 0);
  world.a_minute_later();
  REQUIRE(world.run(world.client, true));
  CHECK(each_once(world.sent()));
}

TEST_CASE("of two runs that begin at the same moment one sends") {
  World world;
  tools::DeadLetterHandling one(world.client, world.clock);
  tools::DeadLetterHandling other(world.client, world.clock);
  for (events::Partition p = 0; p < 2; ++p) {
    tools::DeadLetterReading of_one(world.client, p);
    tools::DeadLetterReading of_other(world.client, p);
    REQUIRE(of_one.begin().ok());
    REQUIRE(of_other.begin().ok());
    const auto retry = [](tools::DeadLetterHandling& handling, tools::DeadLetterReading& reading) {
      return reading.each_batch({}, [&](std::vector<tools::Found>& batch) { return handling.retry(reading, batch); });
    };
    CHECK(retry(one, of_one).ok());
    CHECK(retry(other, of_other).ok());
  }
  CHECK(one.counts().sent == planted);
  CHECK(other.counts().sent == 0);
  CHECK(other.counts().all_left_out() == planted);
  CHECK(each_once(world.sent()));
  CHECK(all_are(world.all(), "retried"));
}

TEST_CASE("of a retry and a drop that begin at the same moment the first one counts, and the other says so") {
  for (const bool retry_first : {true, false}) {
    World world;
    tools::DeadLetterHandling retries(world.client, world.clock);
    tools::DeadLetterHandling drops(world.client, world.clock);
    for (events::Partition p = 0; p < 2; ++p) {
      tools::DeadLetterReading of_retries(world.client, p);
      tools::DeadLetterReading of_drops(world.client, p);
      REQUIRE(of_retries.begin().ok());
      REQUIRE(of_drops.begin().ok());
      for (const bool retry : {retry_first, !retry_first}) {
        auto& reading = retry ? of_retries : of_drops;
        CHECK(reading
                  .each_batch({},
                              [&](std::vector<tools::Found>& batch) {
                                return retry ? retries.retry(reading, batch) : drops.drop(reading, batch);
                              })
                  .ok());
      }
    }
    CHECK(retries.counts().sent == (retry_first ? planted : 0));
    CHECK(drops.counts().dropped == (retry_first ? 0 : planted));
    CHECK((retry_first ? drops : retries).counts().all_left_out() == planted);
    CHECK(all_are(world.all(), retry_first ? "retried" : "dropped"));
  }
}

TEST_CASE("a drop that comes after the beginning of a retry does not hide it") {
  World world;
  tools::DeadLetterHandling drops(world.client, world.clock);
  std::deque<tools::DeadLetterReading> readings;
  for (events::Partition p = 0; p < 2; ++p) REQUIRE(readings.emplace_back(world.client, p).begin().ok());
  DyingClient dying(world.client, Fault::dies_before, 4);  // marks are there, nothing is sent
  CHECK_FALSE(world.run(dying, true));
  for (auto& reading : readings) {
    CHECK(reading.each_batch({}, [&](std::vector<tools::Found>& batch) { return drops.drop(reading, batch); }).ok());
  }
  world.a_minute_later();
  REQUIRE(world.run(world.client, true));
  CHECK(!world.sent().empty());
  CHECK(drops.counts().dropped + static_cast<std::int64_t>(world.sent().size()) == planted);
}

TEST_CASE("what is sent a second time all the same changes nothing") {
  World world;
  REQUIRE(world.run(world.client, true));
  for (events::Partition p = 0; p < 2; ++p) {
    for (const auto& record : world.store.records(Stream::commands, p)) {
      if (tools::header(record, tools::retry_header).empty()) continue;
      world.store.append({Stream::commands, p, record.key, record.value, record.headers});
    }
  }
  world.serve();
  CHECK(testing::said(world.store, "p1") == std::vector<std::string>{"cart.created", "command.dead_lettered",
                                                                     "command.dead_lettered", "cart.line_added",
                                                                     "cart.line_added"});
}

TEST_CASE("a retry that fails again is a new dead letter, which can be sent again") {
  World world;
  world.clock.time.ms += 7'200'000;  // not so soon after the others that the carts are quarantined
  REQUIRE(world.run(world.client, true));
  world.poisoned = true;
  world.serve();
  world.poisoned = false;
  CHECK(world.all(false).size() == planted);
  REQUIRE(world.run(world.client, true));
  world.serve();
  CHECK(testing::said(world.store, "p1").back() == "cart.line_added");
  CHECK(world.all(false).empty());
}

TEST_CASE("dropped dead letters are handled, and a drop that is repeated changes nothing") {
  World world;
  for (int nth = 0; nth < 6; ++nth) {
    DyingClient dying(world.client, Fault::half_written, nth);
    static_cast<void>(world.run(dying, false));
  }
  tools::HandlingCounts counts;
  REQUIRE(world.run(world.client, false));
  REQUIRE(world.run(world.client, false, &counts));
  CHECK(counts.dropped == 0);
  CHECK(all_are(world.all(), "dropped"));
  REQUIRE(world.run(world.client, true));
  CHECK(world.sent().empty());
}

TEST_CASE("a dead letter whose retry was begun is not dropped") {
  World world;
  DyingClient dying(world.client, Fault::dies_before, 4);
  CHECK_FALSE(world.run(dying, true));
  tools::HandlingCounts counts;
  REQUIRE(world.run(world.client, false, &counts));
  CHECK(counts.dropped < static_cast<std::int64_t>(planted));
  CHECK(counts.dropped + counts.all_left_out() == planted);
}

TEST_CASE("deadlines and what is too large are not sent again; wrong partitions are mended") {
  testing::SetClock clock;
  adapters::MemoryStore store{2, clock};
  adapters::MemoryClient client(store);
  const auto wrong = 1 - events::partition_of("c1", 2);
  const auto letter = [&](std::string_view type, std::string_view reason, std::optional<events::Bytes> key) {
    const events::Header headers[] = {
        {"ce_id", "1"},          {"ce_type", type},         {"mayfly.topic", "commands"}, {"mayfly.partition", "1"},
        {"mayfly.offset", "5"},  {"mayfly.timestamp", "1"}, {"mayfly.reason", reason},    {"mayfly.message", "m"},
        {"mayfly.attempts", "1"}};
    store.append({Stream::deadletters, wrong, key, "x", headers});
  };
  letter("dev.mayfly.clock.tick.v1", "keeps_failing", std::nullopt);
  letter("dev.mayfly.cart.create.v1", "too_large", "c1");
  letter("dev.mayfly.cart.create.v1", "wrong_partition", "c1");
  letter("dev.mayfly.cart.create.v1", "key_invalid", std::nullopt);
  letter("dev.mayfly.dead_letter.dropped.v1", "type_unknown", "c2");  // a producer's, no mark
  tools::DeadLetterHandling handling(client, clock);
  tools::DeadLetterReading reading(client, wrong);
  REQUIRE(reading.begin().ok());
  CHECK(reading.each_batch({}, [&](std::vector<tools::Found>& batch) { return handling.retry(reading, batch); }).ok());
  CHECK(handling.counts().sent == 3);
  CHECK(handling.counts().all_left_out() == 2);
  CHECK(store.records(Stream::commands, 1 - wrong).size() >= 1);
  CHECK(store.records(Stream::commands, 1 - wrong)[0].key == "c1");
}

TEST_CASE("a dead letter that was cut is shown with what the record had, and is not sent again") {
  testing::SetClock clock;
  adapters::MemoryStore store{2, clock};
  adapters::MemoryClient client(store);
  const events::Header headers[] = {{"ce_id", "1"},
                                    {"mayfly.key_bytes", "2"},
                                    {"mayfly.value_bytes", "10"},
                                    {"mayfly.value_sha256", ""},
                                    {"mayfly.headers_bytes", "1100000"},
                                    {"mayfly.topic", "commands"},
                                    {"mayfly.partition", "1"},
                                    {"mayfly.offset", "5"},
                                    {"mayfly.timestamp", "1"},
                                    {"mayfly.reason", "keeps_failing"},
                                    {"mayfly.message", "m"},
                                    {"mayfly.attempts", "1"}};
  store.append({Stream::deadletters, 0, "c1", "x", headers});
  const auto letter = tools::read_dead_letter(store.records(Stream::deadletters, 0).at(0));
  REQUIRE(letter.has_value());
  CHECK(letter->headers.size() == 1);
  CHECK(letter->cut.size() == 4);
  tools::DeadLetterHandling handling(client, clock);
  tools::DeadLetterReading reading(client, 0);
  REQUIRE(reading.begin().ok());
  CHECK(reading.each_batch({}, [&](std::vector<tools::Found>& batch) { return handling.retry(reading, batch); }).ok());
  CHECK(handling.counts().sent == 0);
  CHECK(handling.counts().all_left_out() == 1);
}

TEST_CASE("words say which dead letters are meant, or what is wrong with them") {
  struct Row {
    std::vector<std::string> which;
    std::vector<std::string> reasons;
    std::string since;
    std::string wrong;
  };
  const Row rows[] = {
      {{"1:7"}, {}, "", ""},
      {{}, {"quarantined"}, "", ""},
      {{}, {}, "90s", ""},
      {{}, {}, "15min", ""},
      {{}, {}, "2026-11-24T12:00:00Z", ""},
      {{}, {}, "", "--all: every one that is open"},
      {{"7"}, {}, "", "no PARTITION:OFFSET"},
      {{"0:7x"}, {}, "", "no PARTITION:OFFSET"},
      {{"2:7"}, {}, "", "partitions are 0 to 1"},
      {{}, {"bad"}, "", "There are: too_large"},
      {{}, {}, "2 moons", "give RFC 3339"},
      {{}, {}, "99999999999999999h", "give RFC 3339"},
  };
  for (const auto& row : rows) {
    tools::DeadLettersOptions options;
    options.what = "retry";
    options.which = row.which;
    options.reasons = row.reasons;
    options.since = row.since;
    tools::Selection selection;
    const auto wrong = tools::read_selection(options, 2, {1'790'000'000'000}, selection);
    CAPTURE(wrong);
    CHECK(wrong.empty() == row.wrong.empty());
    CHECK(wrong.find(row.wrong) != std::string::npos);
    if (row.since == "90s") CHECK(selection.since->ms == 1'789'999'910'000);
  }
}

TEST_CASE("a selection takes reason, cart, time and position, from since on and before until") {
  events::Record record;
  record.at = {0, 5};
  record.key = "c1";
  record.append_time = {100};
  tools::DeadLetter letter;
  letter.reason = "keeps_failing";
  tools::Selection s;
  CHECK(s.fits(record, letter, {}));
  s.since = events::Timestamp{100};
  s.until = events::Timestamp{101};
  s.cart = "c1";
  s.reasons = {"keeps_failing"};
  s.positions = {{0, 5}};
  CHECK(s.fits(record, letter, {}));
  CHECK_FALSE(s.fits(record, letter, {Fate::Kind::dropped, {}, {}}));
  auto other = s;
  other.since = events::Timestamp{101};
  CHECK_FALSE(other.fits(record, letter, {}));
  other = s;
  other.until = events::Timestamp{100};
  CHECK_FALSE(other.fits(record, letter, {}));
  other = s;
  other.cart = "c";
  CHECK_FALSE(other.fits(record, letter, {}));
  other = s;
  other.reasons = {"quarantined"};
  CHECK_FALSE(other.fits(record, letter, {}));
  other = s;
  other.positions = {{1, 5}};
  CHECK_FALSE(other.fits(record, letter, {}));
}

TEST_CASE("a stream whose end is not known is not taken for an empty one") {
  LostClient log;
  CHECK_FALSE(tools::DeadLetterReading(log, 0).begin().ok());
  CHECK_FALSE(tools::each_record(log, Stream::events, 0, [](const events::Record&) { return true; }).ok());
}
