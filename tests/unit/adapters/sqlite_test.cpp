// What the embedded log says of files that are not, or no longer, a log of its own.
#include "adapters/host/wall_clock.h"
#include "adapters/sqlite/sqlite_client.h"
#include "adapters/sqlite/sqlite_file.h"
#include "adapters/sqlite/sqlite_log.h"

#include <doctest/doctest.h>

#include <atomic>
#include <filesystem>
#include <string>
#include <thread>

using namespace mayfly;
using adapters::sqlite::Access;
using adapters::sqlite::Connection;
using events::LogError;

namespace {

struct File {
  std::string folder = [] {
    std::string name = (std::filesystem::temp_directory_path() / "mayfly-test-XXXXXX").string();
    REQUIRE(::mkdtemp(name.data()) != nullptr);
    return name;
  }();
  std::string path = folder + "/shop.db";
  adapters::WallClock clock;
  events::LogStatus status;
  File() = default;
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  ~File() { std::filesystem::remove_all(folder); }
  std::unique_ptr<adapters::SqliteLog> engine() { return adapters::SqliteLog::open(path, 2, "test", clock, status); }
  std::unique_ptr<adapters::SqliteClient> reader() { return adapters::SqliteClient::open(path, 0, clock, status); }
};

constexpr events::PollLimits everything{1000, 1 << 20, events::Millis{0}};

std::int64_t figure(events::Log& log, std::string_view name) {
  for (const auto& each : log.figures().others) {
    if (each.name == name) return each.value;
  }
  return -1;
}

}  // namespace

TEST_CASE("a reader of an empty file is told that there is no log yet, and an engine may still make one") {
  File file;
  Connection(file.path, Access::make).run("PRAGMA user_version");
  CHECK(file.reader() == nullptr);
  CHECK(file.status.error == LogError::invalid);
  CHECK(file.status.message.find("mayfly serve --log sqlite:" + file.path) != std::string::npos);
  CHECK(file.engine()->partitions() == 2);
}

TEST_CASE("versions of SQLite that can lose data at a checkpoint are named") {
  const std::pair<int, bool> versions[] = {{3'006'023, false}, {3'007'000, true}, {3'040'001, true}, {3'044'005, true},
                                           {3'044'006, false}, {3'045'000, true}, {3'046'001, true}, {3'050'006, true},
                                           {3'050'007, false}, {3'051'000, true}, {3'051'002, true}, {3'051'003, false},
                                           {3'053'004, false}};
  for (const auto& [number, is_named] : versions) {
    const int version = number;  // clang 14 lets no lambda have a structured binding
    CAPTURE(version);
    CHECK(adapters::sqlite::warning(version).empty() == !is_named);
  }
}

TEST_CASE("another program's database is refused and left as it is") {
  File file;
  Connection other(file.path, Access::make);
  other.run("CREATE TABLE theirs (x)");
  for (const bool reads : {true, false}) {
    CHECK((reads ? file.reader() == nullptr : file.engine() == nullptr));
    CHECK(file.status.error == LogError::corrupt);
    CHECK(file.status.message.find("another program") != std::string::npos);
  }
  adapters::sqlite::Statement tables(other, "SELECT count(*) FROM sqlite_schema");
  CHECK(tables.step());
  CHECK(tables.integer(0) == 1);
}

TEST_CASE("a log of no partitions is refused") {
  File file;
  static_cast<void>(file.engine());
  Connection(file.path, Access::write).run("UPDATE meta SET value = 0 WHERE key = 'partitions'");
  CHECK(file.engine() == nullptr);
  CHECK(file.status.error == LogError::corrupt);
}

TEST_CASE("tables that vanish are told as such, not as a file that is busy") {
  File file;
  const auto log = file.engine();
  for (const auto p : log->poll(everything).taken) {
    log->start(p, log->restore(p, [](events::Bytes, events::Bytes) {}).next);
  }
  Connection(file.path, Access::write).run("DROP TABLE commands");
  CHECK(log->poll(everything).status.error == LogError::corrupt);
}

TEST_CASE("an engine whose file was taken over writes no tick either, and is told to end") {
  File file;
  const auto old = file.engine();
  std::filesystem::remove(file.path + ".lock");  // by hand: the first owner lives
  const auto usurper = file.engine();
  CHECK(old->append({events::Stream::commands, 0, std::nullopt, "tick", {}}).error == LogError::fenced);
  CHECK(old->poll(everything).status.error == LogError::owned);
  CHECK(usurper->append({events::Stream::commands, 0, std::nullopt, "tick", {}}).ok());
}

TEST_CASE("a reader that opens the log while its engine commits takes it as whole") {
  File file;
  const auto log = file.engine();
  for (const auto p : log->poll(everything).taken) {
    log->restore(p, [](events::Bytes, events::Bytes) {});
    log->start(p, 0);
  }
  std::atomic<bool> opened = false;
  std::atomic<bool> committed = true;
  std::thread engine([&] {
    const events::NewRecord state{events::Stream::state, 0, "c1", "cart", {}};
    while (!opened && committed) committed = log->commit({{&state, 1}, {}}).ok();
  });
  int readers = 0;
  while (readers < 500 && file.reader() != nullptr) ++readers;
  CAPTURE(file.status.message);
  opened = true;
  engine.join();
  CHECK(committed);
  CHECK(readers == 500);
}

TEST_CASE("a write-ahead log over its limit is cut back when its reader has ended, though nothing more is committed") {
  File file;
  adapters::SqliteOptions options;
  options.alert_wal_bytes = 10'000;
  const auto log = adapters::SqliteLog::open(file.path, 2, "test", file.clock, file.status, options);
  Connection shell(file.path, Access::read);
  shell.run("BEGIN; SELECT count(*) FROM commands");
  CHECK(log->append({events::Stream::commands, 0, std::nullopt, std::string(20'000, 'x'), {}}).ok());
  CHECK(figure(*log, "wal_bytes") > 10'000);
  shell.run("ROLLBACK");
  CHECK(figure(*log, "wal_bytes") == 0);
}
