// The contract of docs/log.md, once, against every log. A fixture gives a fresh log of two partitions, its client, and
// another engine's side of the same log.
#include "adapters/record_limits.h"
#include "adapters/sqlite/sqlite_client.h"
#include "adapters/sqlite/sqlite_log.h"
#include "logs/faulty_log.h"
#include "logs/memory_log.h"
#include "unit/adapters/kafka_fixture.h"

#include <doctest/doctest.h>

#include <unistd.h>
#include <algorithm>
#include <ctime>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <vector>

using namespace mayfly;
using events::CommitOutcome;
using events::Stream;

namespace {

/// A clock that goes back now and then.
class UnsteadyClock final : public events::Clock {
 public:
  [[nodiscard]] events::Timestamp now() const override {
    ++calls_;
    return {1'790'000'000'000 + (calls_ % 5) * 100 + calls_};
  }

 private:
  mutable std::int64_t calls_ = 0;
};

struct MemoryFixture {
  UnsteadyClock clock;
  adapters::MemoryStore store{2, clock};
  std::unique_ptr<events::Log> engine() { return std::make_unique<adapters::MemoryLog>(store); }
  std::unique_ptr<events::Log> usurper() { return engine(); }
  std::unique_ptr<events::LogClient> client() { return std::make_unique<adapters::MemoryClient>(store); }
};

struct SqliteFixture {
  UnsteadyClock clock;
  std::string folder = [] {
    std::string name = (std::filesystem::temp_directory_path() / "mayfly-test-XXXXXX").string();
    REQUIRE(::mkdtemp(name.data()) != nullptr);
    return name;
  }();
  std::string file = folder + "/shop.db";
  SqliteFixture() = default;
  SqliteFixture(const SqliteFixture&) = delete;
  SqliteFixture& operator=(const SqliteFixture&) = delete;
  ~SqliteFixture() { std::filesystem::remove_all(folder); }
  std::unique_ptr<events::Log> engine() {
    events::LogStatus status;
    auto log = adapters::SqliteLog::open(file, 2, "test", clock, status);
    REQUIRE_MESSAGE(log != nullptr, status.message);
    return log;
  }
  std::unique_ptr<events::Log> usurper() {
    std::filesystem::remove(file + ".lock");  // by hand: the first owner lives
    return engine();
  }
  std::unique_ptr<events::LogClient> client() {
    events::LogStatus status;
    return adapters::SqliteClient::open(file, 2, clock, status);
  }
};

struct FaultlessFixture : MemoryFixture {
  std::vector<std::unique_ptr<adapters::MemoryLog>> inner;
  std::unique_ptr<events::Log> engine() {
    inner.push_back(std::make_unique<adapters::MemoryLog>(store));
    return std::make_unique<adapters::FaultyLog>(*inner.back());
  }
  std::unique_ptr<events::Log> usurper() { return engine(); }
};

constexpr events::PollLimits everything{1000, 1 << 20, events::Millis{0}};

events::NewRecord record(Stream stream, events::Partition partition, std::optional<events::Bytes> key,
                         std::optional<events::Bytes> value, std::span<const events::Header> headers = {}) {
  return {stream, partition, key, value, headers};
}

/// A broker's answer takes a while: a log that has nothing yet is polled again, so often and each time so long.
constexpr int most_polls = 1000;
constexpr events::Millis wait{300};

/// Takes, restores and starts all partitions.
void begin(events::Log& log) {
  std::vector<events::Partition> taken;
  for (int i = 0; i < most_polls && taken.size() < 2; ++i) {
    const auto polled = log.poll({1000, 1 << 20, wait});
    CHECK(polled.batch.records.empty());
    CHECK_MESSAGE(polled.status.ok(), polled.status.message);
    taken.insert(taken.end(), polled.taken.begin(), polled.taken.end());
  }
  CHECK(taken.size() == 2);
  for (const auto p : taken) {
    const auto restored = log.restore(p, [](events::Bytes, events::Bytes) {});
    CHECK_MESSAGE(restored.status.ok(), restored.status.message);
    log.start(p, restored.next);
  }
}

/// Records of several polls, a partition's together.
struct Gathered {
  std::vector<events::Record> records;
  std::vector<std::shared_ptr<const void>> storage;
};

/// Polls until so many have come, and once more: no others may.
Gathered gather(events::Log& log, std::size_t count) {
  Gathered all;
  const auto poll = [&](events::Millis longest) {
    auto polled = log.poll({1000, 1 << 20, longest});
    all.records.insert(all.records.end(), polled.batch.records.begin(), polled.batch.records.end());
    all.storage.push_back(std::move(polled.batch.storage));
  };
  for (int i = 0; i < most_polls && all.records.size() < count; ++i) poll(wait);
  poll(events::Millis{0});
  std::stable_sort(all.records.begin(), all.records.end(),
                   [](const events::Record& a, const events::Record& b) { return a.at.partition < b.at.partition; });
  return all;
}

std::map<std::string, std::string> state_of(events::Log& log, events::Partition p) {
  std::map<std::string, std::string> state;
  log.restore(p, [&](events::Bytes key, events::Bytes value) { state.emplace(key, value); });
  return state;
}

/// Where a stream ends once readers see so many offsets of it: a Kafka broker may show a commit a while after it has
/// answered it.
events::Offset end_of(events::LogClient& client, Stream stream, events::Partition partition, events::Offset at_least) {
  auto end = client.ends(stream, partition).end;
  for (int i = 0; i < most_polls && end < at_least; ++i) {
    client.read(stream, partition, at_least - 1, {1, 1 << 20, wait});
    end = client.ends(stream, partition).end;
  }
  return end;
}

/// The same at each call.
std::string incompressible(std::size_t size) {
  std::mt19937 random(16);
  std::string bytes(size, ' ');
  for (auto& b : bytes) b = static_cast<char>(random() & 0xff);
  return bytes;
}

template <std::size_t N>
events::CommitResult commit(events::Log& log, const events::NewRecord (&records)[N], events::Offset next = 0) {
  const events::Position position{0, next};
  return log.commit({records, {&position, 1}});
}

}  // namespace

using tests::KafkaFixture;

#define EVERY_LOG MemoryFixture, SqliteFixture, FaultlessFixture, KafkaFixture

TEST_CASE_TEMPLATE("a partition's records are polled in order, each once, with rising offsets and times", Fixture,
                   EVERY_LOG) {
  Fixture fixture;
  const auto log = fixture.engine();
  const auto client = fixture.client();
  for (const auto* value : {"1", "2", "3"}) {
    const events::NewRecord both[] = {record(Stream::commands, 0, "k", value), record(Stream::commands, 1, "k", value)};
    CHECK(client->append(both).status.ok());
  }
  begin(*log);
  const auto polled = gather(*log, 6);
  REQUIRE(polled.records.size() == 6);
  for (std::size_t i = 0; i < 6; ++i) {
    const auto& r = polled.records[i];
    CHECK(r.at.partition == static_cast<events::Partition>(i / 3));
    CHECK(r.at.offset == static_cast<events::Offset>(i % 3));
    CHECK(r.value == std::string(1, static_cast<char>('1' + i % 3)));
    CHECK(r.timestamp_type == events::TimestampType::log_append_time);
    if (i % 3 > 0) CHECK(r.append_time >= polled.records[i - 1].append_time);
  }
}

TEST_CASE_TEMPLATE("bytes come through as they were given, and nothing is not the same as empty", Fixture, EVERY_LOG) {
  Fixture fixture;
  const auto client = fixture.client();
  const auto log = fixture.engine();
  const std::string binary("\0\xff\n", 3);
  const events::Header headers[] = {{"ce_id", "1"}, {"", ""}, {"b", binary}};
  const events::NewRecord records[] = {record(Stream::commands, 0, binary, binary, headers),
                                       record(Stream::commands, 0, "", ""),
                                       record(Stream::commands, 0, std::nullopt, std::nullopt)};
  REQUIRE(client->append(records).status.ok());
  begin(*log);
  const auto polled = gather(*log, 3);
  REQUIRE(polled.records.size() == 3);
  const auto& r = polled.records;
  CHECK(r[0].key == binary);
  CHECK(r[0].value == binary);
  REQUIRE(r[0].headers.size() == 3);
  CHECK(r[0].headers[1].name == "");
  CHECK(r[0].headers[2].value == binary);
  CHECK((r[1].key == "" && r[1].value == ""));
  CHECK((!r[2].key && !r[2].value));
}

TEST_CASE_TEMPLATE("what was not committed comes again, what was does not", Fixture, EVERY_LOG) {
  Fixture fixture;
  const events::NewRecord commands[] = {record(Stream::commands, 0, "k", "1"), record(Stream::commands, 0, "k", "2")};
  {
    const auto log = fixture.engine();
    fixture.client()->append(commands);
    begin(*log);
    CHECK(gather(*log, 2).records.size() == 2);
    const events::NewRecord said[] = {record(Stream::events, 0, "k", "one")};
    CHECK(commit(*log, said, 1).ok());
  }
  const auto log = fixture.engine();
  begin(*log);
  const auto polled = gather(*log, 1);
  REQUIRE(polled.records.size() == 1);
  CHECK(polled.records[0].value == "2");
}

TEST_CASE_TEMPLATE("a started partition that is restored and started again goes on from what is committed", Fixture,
                   EVERY_LOG) {
  Fixture fixture;
  const auto log = fixture.engine();
  begin(*log);
  const auto client = fixture.client();
  const events::NewRecord commands[] = {record(Stream::commands, 0, "a", "1"), record(Stream::commands, 0, "a", "2")};
  REQUIRE(client->append(commands).status.ok());
  const auto polled = gather(*log, 2);
  const auto& first = polled.records;
  REQUIRE(first.size() == 2);
  const events::NewRecord state[] = {record(Stream::state, 0, "a", "s")};
  REQUIRE(commit(*log, state, first[0].at.offset + 1).ok());
  CHECK(state_of(*log, 0) == std::map<std::string, std::string>{{"a", "s"}});
  log->start(0, first[1].at.offset);
  const auto again = gather(*log, 1);
  REQUIRE(again.records.size() == 1);
  CHECK(again.records[0].at == first[1].at);
}

TEST_CASE_TEMPLATE("restore says where commands begin and end, and whether a position was ever committed", Fixture,
                   EVERY_LOG) {
  Fixture fixture;
  const auto log = fixture.engine();
  begin(*log);
  const auto nothing = [](events::Bytes, events::Bytes) {};
  const auto empty = log->restore(0, nothing);
  CHECK(empty.first == 0);
  CHECK(empty.end == 0);
  CHECK(empty.next == 0);
  const auto client = fixture.client();
  const events::NewRecord commands[] = {record(Stream::commands, 0, "a", "1"), record(Stream::commands, 0, "a", "2")};
  REQUIRE(client->append(commands).status.ok());
  log->start(0, 0);
  REQUIRE(gather(*log, 2).records.size() == 2);
  const events::NewRecord state[] = {record(Stream::state, 0, "a", "s")};
  REQUIRE(commit(*log, state, 1).ok());
  const auto restored = log->restore(0, nothing);
  CHECK(restored.has_committed);
  CHECK(restored.next == 1);
  CHECK(restored.first == 0);
  CHECK(restored.end == 2);
  log->start(0, 1);
  const auto again = gather(*log, 1);
  REQUIRE(again.records.size() == 1);
  CHECK(again.records[0].at.offset == 1);
}

TEST_CASE_TEMPLATE("a commit writes all or nothing", Fixture, EVERY_LOG) {
  Fixture fixture;
  const auto log = fixture.engine();
  begin(*log);
  const std::string too_large(2 << 20, 'x');
  const events::NewRecord bad[] = {record(Stream::events, 0, "k", "said"), record(Stream::state, 0, "k", too_large)};
  CHECK(commit(*log, bad, 5).outcome == CommitOutcome::failed);
  CHECK(fixture.client()->read(Stream::events, 0, 0, everything).batch.records.empty());
  CHECK(state_of(*log, 0).empty());
}

TEST_CASE_TEMPLATE("a record of the largest size is taken, one with a byte more is refused and nothing is written",
                   Fixture, EVERY_LOG) {
  Fixture fixture;
  const auto log = fixture.engine();
  const auto client = fixture.client();
  begin(*log);
  const std::string bytes = incompressible(adapters::largest_record_bytes);
  struct Case {
    std::string what;
    std::size_t key, value, header;
  };
  // With one header (a name of one byte) as a log counts it.
  constexpr auto all = adapters::largest_record_bytes - adapters::record_overhead_bytes -
                       adapters::header_overhead_bytes - std::size_t{1};
  constexpr auto value = adapters::largest_value_bytes;
  const Case cases[] = {{"the value", 1, value, 1},
                        {"the key", all - 2, 1, 1},
                        {"the header", 1, 1, all - 2},
                        {"all together", 1, value, all - value - 1}};
  events::Offset written = 0;
  for (const auto& c : cases) {
    CAPTURE(c.what);
    const auto of = [&](std::size_t key, std::size_t value_bytes, const events::Header& header) {
      return record(Stream::events, 0, events::Bytes(bytes).substr(0, key), events::Bytes(bytes).substr(0, value_bytes),
                    {&header, 1});
    };
    const events::Header fits{"h", events::Bytes(bytes).substr(0, c.header)};
    const events::Header longer{"h", events::Bytes(bytes).substr(0, c.header + 1)};
    const bool by_key = c.key > 1;
    const bool by_value = c.value == value && c.header == 1;
    const events::NewRecord taken[] = {of(c.key, c.value, fits)};
    const events::NewRecord refused[] = {
        record(Stream::events, 0, "k", "beside it"),
        of(c.key + (by_key ? 1 : 0), c.value + (by_value ? 1 : 0), by_key || by_value ? fits : longer)};
    const auto at_the_limit = commit(*log, taken);
    CHECK_MESSAGE(at_the_limit.ok(), at_the_limit.message);
    const auto end = end_of(*client, Stream::events, 0, written + 1);
    CHECK(end > written);
    written = end;
    CHECK(commit(*log, refused).outcome == CommitOutcome::failed);
    CHECK(client->append(refused).status.error == events::LogError::invalid);
    CHECK(log->append(refused[1]).error == events::LogError::invalid);
    CHECK(fixture.client()->ends(Stream::events, 0).end == written);
  }
}

TEST_CASE_TEMPLATE("restore gives the newest state record of each key and no tombstones", Fixture, EVERY_LOG) {
  Fixture fixture;
  const auto log = fixture.engine();
  begin(*log);
  const events::NewRecord first[] = {record(Stream::state, 0, "a", "1"), record(Stream::state, 0, "b", "1"),
                                     record(Stream::state, 0, "a", "2"), record(Stream::state, 1, "c", "1")};
  const events::NewRecord second[] = {record(Stream::state, 0, "b", std::nullopt), record(Stream::state, 0, "d", "")};
  CHECK(commit(*log, first).ok());
  CHECK(commit(*log, second).ok());
  CHECK(state_of(*log, 0) == std::map<std::string, std::string>{{"a", "2"}, {"d", ""}});
  CHECK(state_of(*log, 1) == std::map<std::string, std::string>{{"c", "1"}});
}

TEST_CASE_TEMPLATE("limits bound a poll, but one record is always given", Fixture, EVERY_LOG) {
  Fixture fixture;
  const auto log = fixture.engine();
  const auto client = fixture.client();
  for (int i = 0; i < 10; ++i) {
    const events::NewRecord one[] = {record(Stream::commands, 0, "k", std::string_view("0123456789"))};
    client->append(one);
  }
  begin(*log);
  CHECK(log->poll({4, 1 << 20, events::Millis{most_polls * wait.count}}).batch.records.size() ==
        2);  // each of two partitions its share
  CHECK(log->poll({100, 2, events::Millis{0}}).batch.records.size() == 1);
  CHECK(gather(*log, 7).records.size() == 7);
}

TEST_CASE_TEMPLATE("an engine whose log another one has taken over commits nothing", Fixture, EVERY_LOG) {
  Fixture fixture;
  const auto old = fixture.engine();
  begin(*old);
  const auto usurper = fixture.usurper();
  const events::NewRecord said[] = {record(Stream::events, 0, "k", "zombie")};
  CHECK(commit(*old, said, 1).outcome == CommitOutcome::fenced);
  CHECK(fixture.client()->read(Stream::events, 0, 0, everything).batch.records.empty());
  begin(*usurper);
  CHECK(commit(*usurper, said, 1).ok());
}

TEST_CASE_TEMPLATE("commands that a commit writes, and appended ones, are polled later", Fixture, EVERY_LOG) {
  Fixture fixture;
  const auto log = fixture.engine();
  begin(*log);
  const events::NewRecord merged[] = {record(Stream::commands, 1, "into", "line")};
  CHECK(commit(*log, merged).ok());
  CHECK(log->append(record(Stream::commands, 1, std::nullopt, "tick")).ok());
  const auto polled = gather(*log, 2);
  REQUIRE(polled.records.size() == 2);
  CHECK(polled.records[0].value == "line");
  CHECK(polled.records[1].value == "tick");
}

TEST_CASE_TEMPLATE("a client reads from where it says to the end", Fixture, EVERY_LOG) {
  Fixture fixture;
  const auto log = fixture.engine();
  begin(*log);
  const events::NewRecord said[] = {record(Stream::events, 0, "k", "1"), record(Stream::events, 0, "k", "2"),
                                    record(Stream::events, 0, "k", "3")};
  CHECK(commit(*log, said).ok());
  const auto client = fixture.client();
  CHECK(client->ends(Stream::events, 0).first == 0);
  CHECK(end_of(*client, Stream::events, 0, 3) >= 3);  // a transaction's end may have an offset of its own
  CHECK(client->ends(Stream::alerts, 1).end == 0);
  const auto fetched = client->read(Stream::events, 0, 1, everything);
  REQUIRE(fetched.batch.records.size() == 2);
  CHECK(fetched.batch.records[0].value == "2");
  CHECK(fetched.next >= 3);
  CHECK(client->read(Stream::events, 0, fetched.next, everything).batch.records.empty());
  const auto again = client->read(Stream::events, 0, 0, everything);  // it may go back
  CHECK_MESSAGE(again.status.ok(), again.status.message);
  CHECK(again.batch.records.size() == 3);
}

TEST_CASE_TEMPLATE("a group of readers goes on where it was last kept, each group and stream by itself", Fixture,
                   MemoryFixture, SqliteFixture, KafkaFixture) {
  Fixture fixture;
  const auto log = fixture.engine();
  begin(*log);
  const events::NewRecord said[] = {record(Stream::events, 0, "k", "1"), record(Stream::events, 1, "k", "2")};
  CHECK(commit(*log, said).ok());
  // A group of a broker belongs to all of its logs.
  const auto group = "books-" + std::to_string(::getpid()) + "-" + std::to_string(std::time(nullptr));
  const auto kept = [&](events::LogClient& client, const std::string& name, Stream stream) {
    const auto found = client.group_positions(name, stream);
    CHECK_MESSAGE(found.status.ok(), found.status.message);
    std::string text;
    for (const auto& p : found.next) text += std::to_string(p.partition) + ":" + std::to_string(p.offset) + " ";
    return text;
  };
  const auto keep = [&](events::LogClient& client, std::vector<events::Position> next) {
    const auto status = client.keep_group_positions(group, Stream::events, next);
    CHECK_MESSAGE(status.ok(), status.message);
  };
  const auto client = fixture.client();
  CHECK(kept(*client, group, Stream::events).empty());
  keep(*client, {{1, 1}});
  CHECK(kept(*client, group, Stream::events) == "1:1 ");
  keep(*client, {{0, 1}, {1, 0}});
  CHECK(kept(*client, group, Stream::events) == "0:1 1:0 ");
  CHECK(kept(*fixture.client(), group, Stream::events) == "0:1 1:0 ");
  CHECK(kept(*client, group, Stream::alerts).empty());
  CHECK(kept(*client, group + "2", Stream::events).empty());
}

TEST_CASE_TEMPLATE("state that is written anew while it is read comes in the order of offsets, nothing is missed",
                   Fixture, MemoryFixture, SqliteFixture, KafkaFixture) {
  Fixture fixture;
  const auto log = fixture.engine();
  begin(*log);
  const auto write = [&](const std::vector<std::string>& keys, const std::string& value) {
    std::vector<events::NewRecord> records;
    for (const auto& key : keys) records.push_back(record(Stream::state, 0, key, value));
    CHECK(log->commit({records, {}}).ok());
  };
  write({"g", "b", "a", "f", "e", "c", "d"}, "1");
  const auto client = fixture.client();
  std::map<std::string, std::string> newest;
  auto last = events::no_offset;
  auto from = client->ends(Stream::state, 0).first;
  for (int round = 0;; ++round) {
    const auto fetched = client->read(Stream::state, 0, from, {2, 1 << 20, wait});
    REQUIRE_MESSAGE(fetched.status.ok(), fetched.status.message);
    if (fetched.batch.records.empty()) break;
    CHECK(fetched.batch.records.size() <= 2);
    for (const auto& r : fetched.batch.records) {
      CHECK(r.at.offset > last);
      last = r.at.offset;
      newest[std::string(*r.key)] = *r.value;
    }
    from = fetched.next;
    if (round == 0) write({"a", "f", "e", "c", "d"}, "2");  // all that is left
    if (round == 1) write({"h", "g"}, "3");
  }
  CHECK(newest == std::map<std::string, std::string>{
                      {"a", "2"}, {"b", "1"}, {"c", "2"}, {"d", "2"}, {"e", "2"}, {"f", "2"}, {"g", "3"}, {"h", "3"}});
}

TEST_CASE("a reader that may not write a SQLite log keeps no position in it, but is told those kept") {
  SqliteFixture fixture;
  const auto client = fixture.client();
  events::LogStatus status;
  const auto reader = adapters::SqliteClient::open_to_read(fixture.file, fixture.clock, status);
  REQUIRE_MESSAGE(reader != nullptr, status.message);
  const events::Position next[] = {{1, 7}};
  CHECK(reader->keep_group_positions("books", Stream::events, next).error == events::LogError::invalid);
  CHECK(client->keep_group_positions("books", Stream::events, next).ok());
  const auto kept = reader->group_positions("books", Stream::events);
  REQUIRE(kept.next.size() == 1);
  CHECK(kept.next[0].offset == 7);
}

TEST_CASE("a second engine is told who holds the SQLite file") {
  SqliteFixture fixture;
  const auto log = fixture.engine();
  events::LogStatus status;
  CHECK(adapters::SqliteLog::open(fixture.file, 2, "second", fixture.clock, status) == nullptr);
  CHECK(status.error == events::LogError::owned);
  CHECK(status.message.find("engine 'test', pid " + std::to_string(::getpid())) != std::string::npos);
}

TEST_CASE("a SQLite file of an unknown version is refused by name") {
  SqliteFixture fixture;
  static_cast<void>(fixture.engine());
  adapters::sqlite::Connection(fixture.file, adapters::sqlite::Access::write)
      .run("UPDATE meta SET value = 9 WHERE key = 'schema'");
  events::LogStatus status;
  CHECK(adapters::SqliteLog::open(fixture.file, 2, "test", fixture.clock, status) == nullptr);
  CHECK(status.error == events::LogError::corrupt);
  CHECK(status.message.find("version 9") != std::string::npos);
}

TEST_CASE("after a planted fault partitions are taken again, and only what was written is there") {
  for (const auto& [fault, written] : {std::pair{adapters::Fault::aborted, 0U},
                                       {adapters::Fault::lost_answer, 1U},
                                       {adapters::Fault::lost_request, 0U}}) {
    MemoryFixture fixture;
    adapters::MemoryLog inner(fixture.store);
    adapters::FaultyLog log(inner);
    begin(log);
    log.script({fault});
    const events::NewRecord said[] = {record(Stream::events, 0, "k", "1")};
    CHECK(!commit(log, said).ok());
    begin(log);
    CHECK(fixture.store.records(Stream::events, 0).size() == written);
    CHECK(commit(log, said).ok());
  }
}
