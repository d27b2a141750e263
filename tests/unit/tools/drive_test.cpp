// A drive appends each recorded command once, when it is due, whatever ends it in between.
#include "tools/drive/drive_run.h"

#include "tools/console/progress.h"
#include "tools/records/bundle_file.h"
#include "tools/records/record_text.h"
#include "unit/tools/replay_shop.h"

#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <stdexcept>
#include <string>
#include <vector>

using namespace mayfly;
using namespace mayfly::events;
using mayfly::tools::HandClock;
using mayfly::tools::Shop;

namespace {

/// A drive's time and a log's clock in one: waiting is all that takes time.
class DriveTime final : public tools::DriveClock, public events::Clock {
 public:
  [[nodiscard]] Timestamp now() const override { return Timestamp{1'800'000'000'000} + at; }
  Millis now() override { return at; }
  void wait_until(Millis then) override { at = std::max(at, then); }
  bool asked_to_stop() override { return at >= stop_at; }
  Millis at{};
  Millis stop_at{1'000'000'000'000};
};

struct Died : std::runtime_error {
  Died() : std::runtime_error("killed") {}
};

/// A client whose n-th append ends the program, when part of it is written.
class DyingClient final : public LogClient {
 public:
  enum class Written { nothing, half, one_partition, all };
  DyingClient(LogClient& log, int nth, Written written) : log_(log), left_(nth), written_(written) {}
  [[nodiscard]] std::int32_t partitions() const override { return log_.partitions(); }
  Appended append(std::span<const NewRecord> records) override {
    if (left_-- != 0) return log_.append(records);
    std::vector<NewRecord> part(records.begin(), records.end());
    if (written_ == Written::nothing) part.clear();
    if (written_ == Written::half) part.resize(part.size() / 2);
    if (written_ == Written::one_partition) std::erase_if(part, [](const auto& r) { return r.partition != 0; });
    if (!part.empty()) (void)log_.append(part);
    throw Died();
  }
  Fetched read(Stream s, Partition p, Offset from, const PollLimits& limits) override {
    return log_.read(s, p, from, limits);
  }
  StreamEnds ends(Stream s, Partition p) override { return log_.ends(s, p); }

 private:
  LogClient& log_;
  int left_;
  Written written_;
};

/// Some carts, one of which merges into another, ticks, and records that nobody can read.
void live(Shop& shop, int carts = 6) {
  shop.tick_after(1_s);
  for (int i = 0; i < carts; ++i) {
    const auto cart = "c" + std::to_string(i);
    shop.send(cart, "cart.create", R"({"currency":"GBP"})");
    shop.send(cart, "cart.add_line", R"({"sku":"TEA","quantity":2,"unit_price_minor":250})");
    shop.clock.add(1_s);
  }
  shop.send("c1", "cart.merge", R"({"into":"c2"})");
  shop.send("c3", "cart.add_line", "{no json");
  shop.tick_after(1_s);
  shop.serve();
  shop.serve();  // what the merge sent
}

struct Into {
  DriveTime time;
  adapters::MemoryStore store{3, time};
  adapters::MemoryClient client{store};

  tools::DriveCounts drive(LogClient& from, const tools::DrivePace& pace, LogClient* to = nullptr,
                           bool* lost = nullptr) {
    LogStatus status;
    const auto source = tools::commands_of_log(from, status);
    REQUIRE(source);
    return drive(*source, pace, to, lost);
  }
  tools::DriveCounts drive(tools::CommandSource& source, const tools::DrivePace& pace, LogClient* to = nullptr,
                           bool* lost = nullptr) {
    tools::RecordedCommands commands(source);
    tools::DriveTarget target;
    CHECK(tools::look_at_target(client, source.id(), target).ok());
    CHECK(target.others == 0);
    tools::Drive drive(source, commands, to != nullptr ? *to : client, target, pace, time);
    const auto status = drive.run([](const auto&) {});
    CHECK(status.ok());
    if (lost != nullptr) *lost = drive.lost_its_place();
    return drive.counts();
  }
  /// Of each partition: type, id, value of each command.
  [[nodiscard]] std::vector<std::string> commands() const {
    std::vector<std::string> all;
    for (Partition p = 0; p < 3; ++p) {
      for (const auto& r : store.records(Stream::commands, p)) {
        std::string line = std::to_string(p) + " " + std::string(r.key.value_or("none"));
        for (const auto& h : r.headers) line.append(" ").append(h.name).append("=").append(h.value);
        all.push_back(line.append(" ").append(r.value.value_or("")));
      }
    }
    return all;
  }
};

const tools::DrivePace at_once({0}, {});

}  // namespace

TEST_CASE("commands are due at the recorded distance, multiplied, and no pause is longer than asked") {
  struct Row {
    const char* what;
    const char* speed;
    std::int64_t longest_gap_ms;
    std::vector<std::int64_t> recorded_ms;
    std::vector<std::int64_t> due_ms;
  };
  const std::vector<Row> rows = {
      {"as recorded", "1", 0, {1000, 1000, 1250, 61'250}, {0, 0, 250, 60'250}},
      {"ten times as fast", "10", 0, {0, 100, 105, 1105}, {0, 10, 11, 111}},
      {"half as fast", "0.5", 0, {0, 100, 1100}, {0, 200, 2200}},
      {"parts of a millisecond add up", "3", 0, {0, 1, 2, 3, 6}, {0, 0, 1, 1, 2}},
      {"no pauses", "max", 0, {0, 86'400'000}, {0, 0}},
      {"a pause that is folded", "1", 5'000, {0, 1'000, 3'601'000, 3'602'000}, {0, 1'000, 6'000, 7'000}},
      {"the fold is of the drive's time", "10", 5'000, {0, 40'000, 100'000}, {0, 4'000, 9'000}},
      {"exactly the longest", "1", 5'000, {0, 5'000, 10'001}, {0, 5'000, 10'000}},
      {"time that goes back makes no pause", "1", 0, {1000, 400, 900, 1100}, {0, 0, 0, 100}},
  };
  for (const auto& row : rows) {
    CAPTURE(row.what);
    const auto speed = tools::speed_from_words(row.speed);
    REQUIRE(speed);
    tools::DrivePace pace(*speed, {row.longest_gap_ms});
    std::vector<std::int64_t> due;
    for (const auto ms : row.recorded_ms) due.push_back(pace.due({ms}).count);
    CHECK(due == row.due_ms);
  }
  for (const auto* wrong : {"", "0", "0.0001", "-1", "1e3", "fast", "1x", "1.2.3", "10000000", "inf"}) {
    CAPTURE(wrong);
    CHECK(!tools::speed_from_words(wrong));
  }
}

TEST_CASE("a drive appends each command when it is due") {
  Shop shop;
  live(shop, 4);
  Into into;
  const auto counts = into.drive(shop.client, tools::DrivePace({2}, {}));
  CHECK(counts.behind == 0_ms);
  std::map<std::int64_t, int> appended;  // by the drive's time
  for (Partition p = 0; p < 3; ++p) {
    for (const auto& r : into.store.records(Stream::commands, p)) ++appended[r.append_time.ms - 1'800'000'000'000];
  }
  CHECK(appended == std::map<std::int64_t, int>{{0, 2}, {500, 2}, {1000, 2}, {1500, 2}, {2000, 2}});
}

TEST_CASE("ticks and the engine's own commands stay behind; ids and headers come along") {
  Shop shop;
  live(shop);
  Into into;
  const auto counts = into.drive(shop.client, at_once);
  CHECK(counts.ended);
  CHECK(counts.driven == 14);
  CHECK(counts.ticks == 2);
  CHECK(counts.engines == 2);  // the merge's offer and its answer
  CHECK(counts.driven + counts.ticks + counts.engines == counts.read);
  std::vector<std::string> recorded;
  for (const auto& r : shop.store.records(Stream::commands, 0)) {
    const auto source = tools::header(r, "ce_source");
    if (tools::short_type(r) == "clock.tick" || source == "/mayfly/mayfly") continue;
    std::string line = std::to_string(partition_of(*r.key, 3)) + " " + std::string(*r.key);
    for (const auto& h : r.headers) line.append(" ").append(h.name).append("=").append(h.value);
    LogStatus status;
    line.append(" mayfly.driven_from=" + tools::commands_of_log(shop.client, status)->id() + "-0-");
    recorded.push_back(line + std::to_string(r.at.offset) + " " + std::string(*r.value));
  }
  std::stable_sort(recorded.begin(), recorded.end(), [](const auto& a, const auto& b) { return a[0] < b[0]; });
  CHECK(into.commands() == recorded);
}

TEST_CASE("wherever a drive is killed, the same again leaves each command there once") {
  Shop shop;
  live(shop, 700);
  Into whole;
  whole.drive(shop.client, at_once);
  const auto expected = whole.commands();
  using Written = DyingClient::Written;
  int cut = 0;
  for (const auto written : {Written::nothing, Written::half, Written::one_partition, Written::all}) {
    for (int nth = 0; nth < 3; ++nth) {
      CAPTURE(nth);
      Into into;
      DyingClient dying(into.client, nth, written);
      try {
        into.drive(shop.client, at_once, &dying);
      } catch (const Died&) {
        ++cut;
      }
      const auto before = std::ssize(into.commands());
      const auto counts = into.drive(shop.client, at_once);
      CHECK(counts.already == before);
      CHECK(into.commands() == expected);
      CHECK(into.drive(shop.client, at_once).driven == 0);
    }
  }
  CHECK(cut == 12);
}

TEST_CASE("a drive that is stopped says where, and goes on there") {
  Shop shop;
  live(shop);
  Into into;
  into.time.stop_at = 2_s;
  const auto counts = into.drive(shop.client, tools::DrivePace({1}, {}));
  CHECK(!counts.ended);
  CHECK(counts.driven == 4);
  CHECK(counts.last == Position{0, 4});
  into.time.stop_at = 1'000_s;
  const auto rest = into.drive(shop.client, tools::DrivePace({1}, {}));
  CHECK(rest.already == 4);
  CHECK(rest.driven == 10);
}

TEST_CASE("a source that no longer has what was driven is told from one that goes on") {
  Shop shop;
  live(shop);
  LogStatus status;
  const auto source = tools::commands_of_log(shop.client, status);
  Into into;
  const std::string from = tools::driven_name(source->id(), {0, 999});
  const std::vector<Header> headers = {{tools::driven_header, from}};
  const NewRecord there{Stream::commands, partition_of("c1", 3), "c1", "{}", headers};
  CHECK(into.client.append({&there, 1}).status.ok());
  bool lost = false;
  into.drive(*source, at_once, nullptr, &lost);
  CHECK(lost);
}

TEST_CASE("a log with other producers' commands, and the source itself, are known") {
  Shop shop;
  live(shop);
  LogStatus status;
  const auto source = tools::commands_of_log(shop.client, status);
  tools::RecordedCommands commands(*source);
  const auto firsts = commands.firsts(status);
  tools::DriveTarget target;
  CHECK(tools::look_at_target(shop.client, source->id(), target).ok());
  CHECK(tools::is_same_log(firsts, target.firsts));
  CHECK(target.others == 14);
  CHECK(target.first_other == Position{0, 1});
  Into into;
  into.drive(*tools::commands_of_log(shop.client, status), at_once);
  CHECK(tools::look_at_target(into.client, source->id(), target).ok());
  CHECK(!tools::is_same_log(firsts, target.firsts));
  CHECK(target.others == 0);
  CHECK(target.driven == 14);
  CHECK(tools::look_at_target(into.client, "another source", target).ok());
  CHECK(target.others == 14);
}

TEST_CASE("partitions are read in the order in which their commands were appended, from a log and from a bundle") {
  HandClock clock;
  adapters::MemoryStore store(3, clock);
  adapters::MemoryClient client(store);
  std::vector<std::string> expected;
  for (int i = 0; i < 3'000; ++i) {
    const auto value = std::to_string(i) + std::string(200, 'x');
    const NewRecord r{Stream::commands, i * 7 % 3, "c", value, {}};
    CHECK(client.append({&r, 1}).status.ok());
    clock.add(1_ms);
    expected.push_back(value);
  }
  const auto file = std::filesystem::temp_directory_path() / ("drive_test-" + std::to_string(::getpid()));
  {
    std::ofstream out(file, std::ios::binary);
    tools::BundleWriter bundle(out);
    bundle.line({{"mayfly_bundle", 1}, {"partitions", 3}, {"engine", "shop"}, {"pseudonyms", false}, {"whole", true}});
    for (Partition p = 0; p < 3; ++p) {
      for (const auto& r : store.records(Stream::commands, p)) bundle.line(tools::bundle_line(Stream::commands, r));
      for (const auto& r : store.records(Stream::commands, p)) bundle.line(tools::bundle_line(Stream::events, r));
    }
    CHECK(bundle.finish());
  }
  LogStatus status;
  std::string wrong;
  const auto log = tools::commands_of_log(client, status);
  const auto bundle = tools::commands_of_bundle(file, wrong);
  std::filesystem::remove(file);
  REQUIRE(bundle);
  CHECK(bundle->engine() == "shop");
  for (auto* source : {log.get(), bundle.get()}) {
    CHECK(source->records() == 3'000);
    tools::RecordedCommands commands(*source);
    std::vector<std::string> read;
    while (const auto command = commands.next(status)) read.emplace_back(*command->record.value);
    CHECK(status.ok());
    CHECK(read == expected);
  }
}

TEST_CASE("progress is told with its rate and, as soon as it is known, how long it takes") {
  struct Row {
    std::int64_t done, all, before, ms;
    const char* text;
  };
  for (const auto& row : std::vector<Row>{
           {0, 100, 0, 0, "[>                   ] 0%  0 of 100 commands"},
           {50, 100, 0, 500, "[==========>         ] 50%  50 of 100 commands, 100 a second"},
           {1'000, 4'000, 0, 2'000,
            "[=====>              ] 25%  1,000 of 4,000 commands, 500 a second, about 6 s left"},
           {3'000, 4'000, 2'000, 2'000,
            "[===============>    ] 75%  3,000 of 4,000 commands, 500 a second, about 2 s left"},
           {1, 1'000'000, 0, 10'000,
            "[>                   ] 0%  1 of 1,000,000 commands, 0 a second, about 115 d left"},
           {100, 100, 0, 4'000, "[====================] 100%  100 of 100 commands, 25 a second"},
           {70'000, 0, 0, 10'000, "70,000 commands, 7,000 a second"},
       }) {
    CHECK(tools::progress_text("commands", row.done, row.all, row.before, row.ms) == row.text);
  }
}
