// What the embedded log forgets, and what it keeps whatever its age.
#include "adapters/sqlite/sqlite_retention.h"
#include "adapters/sqlite/sqlite_client.h"
#include "adapters/sqlite/sqlite_log.h"
#include "events/state/epitaphs.h"
#include "events/state/snapshot.h"

#include <doctest/doctest.h>
#include <stdlib.h>

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

using namespace mayfly;
using events::Stream;

namespace {

constexpr std::int64_t hour_ms = 3'600'000;

struct SetClock final : events::Clock {
  [[nodiscard]] events::Timestamp now() const override { return time; }
  events::Timestamp time{1'790'000'000'000};
};

/// A log of one partition whose command n was appended in hour n, and caused one event.
struct Log {
  SetClock clock;
  std::string folder = [] {
    std::string name = (std::filesystem::temp_directory_path() / "mayfly-test-XXXXXX").string();
    REQUIRE(::mkdtemp(name.data()) != nullptr);
    return name;
  }();
  std::string file = folder + "/shop.db";
  events::LogStatus status;
  std::unique_ptr<adapters::SqliteLog> engine = adapters::SqliteLog::open(file, 1, "test", clock, status);
  std::int64_t commands = 0;
  Log() { REQUIRE(engine); }
  Log(const Log&) = delete;
  Log& operator=(const Log&) = delete;
  ~Log() {
    engine.reset();
    std::filesystem::remove_all(folder);
  }

  void command(const std::string& value = "x") {
    const auto id = "0-" + std::to_string(commands++) + "-0";
    const events::Header headers[] = {{"ce_id", id}};
    const events::NewRecord records[] = {{Stream::commands, 0, "k", value, {}},
                                         {Stream::events, 0, "k", value, headers}};
    REQUIRE(engine->commit({records, {}}).ok());
    clock.time.ms += hour_ms;
  }
  void state(const std::string& key, const std::string& value) {
    const events::NewRecord records[] = {{Stream::state, 0, key, value, {}}};
    REQUIRE(engine->commit({records, {}}).ok());
  }
  void position(events::Offset next) {
    std::string value;
    events::append_position(value, {next, clock.time, 1, "test", {}});
    const events::NewRecord records[] = {{Stream::state, 0, events::position_key, value, {}}};
    const events::Position at{0, next};
    REQUIRE(engine->commit({records, {&at, 1}}).ok());
  }
  void cart(const std::string& id, events::Offset created) {
    events::Cart cart(std::pmr::get_default_resource());
    cart.created = {0, created};
    cart.sequence = 1;
    std::string part;
    std::string value;
    append_cart(part, cart);
    events::append_snapshot(value, {}, part, {});
    state(id, value);
  }
  void epitaph(const std::string& id, events::Offset created, events::Timestamp ended, std::uint8_t sessions = 0) {
    events::Epitaphs epitaphs;
    epitaphs.add(events::hash_of(id), {created, events::CartOutcome::expired, 0, sessions, 0}, ended);
    epitaphs.take_dirty_pages(
        [&](std::string_view key, std::string_view bytes) { state(std::string(key), std::string(bytes)); });
  }
  [[nodiscard]] std::int64_t ask(const char* sql) const {
    const adapters::sqlite::Connection db(file, adapters::sqlite::Access::write);
    adapters::sqlite::Statement s(db, sql);
    return s.step() ? s.integer(0) : -1;
  }
  /// The lowest offsets of commands and events that are left.
  std::vector<events::Offset> swept(const adapters::SqliteOptions& options) {
    adapters::SqliteRetention retention(file, ask("SELECT value FROM meta WHERE key = 'epoch'"), options);
    retention.sweep(clock.time);
    const auto reader = adapters::SqliteClient::open_to_read(file, clock, status);
    return {reader->ends(Stream::commands, 0).first, reader->ends(Stream::events, 0).first};
  }
};

adapters::SqliteOptions hours(std::int64_t count) {
  adapters::SqliteOptions options;
  options.retention = events::Millis{count * hour_ms};
  return options;
}

using Offsets = std::vector<events::Offset>;

}  // namespace

TEST_CASE("what is old goes, but nothing that an open cart, an epitaph or a restart needs") {
  const struct {
    const char* name;
    std::function<void(Log&)> state;
    std::int64_t hours;
    events::Offset first;
  } rows[] = {
      {"all are decided, 20 hours are kept", [](Log& log) { log.position(100); }, 20, 80},
      {"nothing is that old", [](Log& log) { log.position(100); }, 101, 0},
      {"from 60 on none is decided", [](Log& log) { log.position(60); }, 20, 60},
      {"nothing is decided", [](Log&) {}, 20, 0},
      {"an open cart is from 50",
       [](Log& log) {
         log.position(100);
         log.cart("c1", 50);
         log.cart("c2", 70);
       },
       20, 50},
      {"an open cart is younger",
       [](Log& log) {
         log.position(100);
         log.cart("c1", 90);
       },
       20, 80},
      {"an epitaph of a cart from 40 is alive",
       [](Log& log) {
         log.position(100);
         log.epitaph("c1", 40, {log.clock.time.ms - 71 * hour_ms});
       },
       20, 40},
      {"an epitaph of a cart from 40 is forgotten",
       [](Log& log) {
         log.position(100);
         log.epitaph("c1", 40, {log.clock.time.ms - 73 * hour_ms});
       },
       20, 80},
      {"a cart from 40 that opened a payment session is remembered for 35 days",
       [](Log& log) {
         log.position(100);
         log.epitaph("c1", 40, {log.clock.time.ms - 839 * hour_ms}, 1);
       },
       20, 40},
      {"a cart from 40 that opened a payment session is forgotten",
       [](Log& log) {
         log.position(100);
         log.epitaph("c1", 40, {log.clock.time.ms - 841 * hour_ms}, 1);
       },
       20, 80},
      {"a cart's record is damaged",
       [](Log& log) {
         log.position(100);
         log.state("c1", "\x03");
       },
       20, 0},
      {"the position record is damaged",
       [](Log& log) {
         log.position(100);
         log.state(std::string(events::position_key), "\x01");
       },
       20, 0},
  };
  for (const auto& row : rows) {
    CAPTURE(row.name);
    Log log;
    for (int i = 0; i < 100; ++i) log.command();
    row.state(log);
    CHECK(log.swept(hours(row.hours)) == Offsets{row.first, row.first});
    CHECK(log.swept(hours(row.hours)) == Offsets{row.first, row.first});
  }
}

TEST_CASE(
    "a log over its size loses its oldest records, whatever their age, until it is within or the rest is needed") {
  for (const auto needed : {events::Offset{3'000}, events::Offset{700}}) {
    Log log;
    for (int i = 0; i < 3'000; ++i) log.command(std::string(2'000, 'x'));
    log.position(3'000);
    if (needed < 3'000) log.cart("c1", needed);
    const auto used = log.ask(
        "SELECT (page_count - freelist_count) * page_size FROM pragma_page_count, "
        "pragma_freelist_count, pragma_page_size");
    adapters::SqliteOptions options;
    options.retention_bytes = used / 2;
    const auto first = log.swept(options);
    CHECK(first[0] == first[1]);
    CHECK(first[0] >= (needed < 3'000 ? needed : 1'500));
    CHECK(first[0] <= std::min<events::Offset>(needed, 2'500));
  }
}

TEST_CASE("a log that forgets stops growing: what it let go of is used again") {
  Log log;
  std::vector<std::int64_t> pages;
  for (int round = 0; round < 12; ++round) {
    for (int i = 0; i < 200; ++i) log.command(std::string(1'000, 'x'));
    log.position(log.commands);
    log.swept(hours(200));
    pages.push_back(log.ask("PRAGMA page_count"));
  }
  CHECK(pages[11] <= pages[3] + pages[3] / 10);
}

TEST_CASE("dead letters and alerts go by their age alone") {
  Log log;
  for (const auto stream : {Stream::deadletters, Stream::alerts}) {
    for (int i = 0; i < 2; ++i) REQUIRE(log.engine->append({stream, 0, "k", "v", {}}).ok());
  }
  log.clock.time.ms += 10 * hour_ms;
  REQUIRE(log.engine->append({Stream::alerts, 0, "k", "v", {}}).ok());
  log.swept(hours(5));
  const auto reader = adapters::SqliteClient::open_to_read(log.file, log.clock, log.status);
  CHECK(reader->ends(Stream::deadletters, 0).first == 2);
  CHECK(reader->ends(Stream::alerts, 0).first == 2);
  CHECK(reader->ends(Stream::alerts, 0).end == 3);
}

TEST_CASE("an owner whose log another has taken over removes nothing") {
  Log log;
  for (int i = 0; i < 100; ++i) log.command();
  log.position(100);
  adapters::SqliteRetention retention(log.file, log.ask("SELECT value FROM meta WHERE key = 'epoch'"), hours(20));
  adapters::sqlite::Connection(log.file, adapters::sqlite::Access::write)
      .run("UPDATE meta SET value = value + 1 WHERE key = 'epoch'");
  CHECK(retention.sweep(log.clock.time) == 0);
}
