// A bundle read as a log gives each record that is in it, from wherever it is asked, and never less without saying so.
#include "tools/records/bundle_log.h"

#include "tools/console/temporary_folder.h"

#include <doctest/doctest.h>

#include <functional>
#include <string>
#include <vector>

using namespace mayfly;
using namespace mayfly::events;

namespace {

constexpr Offset commands_each = 700;  // of some 2 KiB: several blocks
constexpr Offset step = 3;             // as where other carts were left out

nlohmann::ordered_json a_line(Stream stream, Partition p, Offset offset) {
  const std::string value = "{\"n\":" + std::to_string(offset) + ",\"pad\":\"" + std::string(2'000, 'x') + "\"}";
  const Header headers[] = {{"ce_type", "some"}, {"ce_id", "id"}};
  Record record;
  record.at = {p, offset};
  record.append_time = {1'000 + offset};
  record.key = "cart";
  record.value = value;
  record.headers = headers;
  return tools::bundle_line(stream, record);
}

nlohmann::ordered_json head() {
  return {{"mayfly_bundle", 1}, {"partitions", 2}, {"engine", "mayfly"}, {"pseudonyms", true}, {"whole", true}};
}

struct File {
  explicit File(const std::function<void(tools::BundleWriter&)>& lines) {
    std::ofstream out(path, std::ios::binary);
    tools::BundleWriter writer(out);
    writer.line(head());
    lines(writer);
    CHECK(writer.finish());
  }
  std::unique_ptr<tools::BundleLog> open(LogStatus& status) const { return tools::BundleLog::open(path, status); }
  tools::TemporaryFolder folder{"bundle-log"};
  std::string path = folder.path() + "/a.bundle";
};

File usual() {
  return File([](tools::BundleWriter& writer) {
    for (Partition p = 0; p < 2; ++p) {
      for (Offset n = 0; n < commands_each; ++n) writer.line(a_line(Stream::commands, p, n * step));
      writer.line(a_line(Stream::events, p, 5));
      writer.line(a_line(Stream::state, p, 9));
    }
  });
}

std::vector<Offset> read_all(tools::BundleLog& log, Stream stream, Partition p, Offset from, std::size_t at_once) {
  std::vector<Offset> offsets;
  for (;;) {
    const auto fetched = log.read(stream, p, from, {at_once, 1'000'000, Millis{0}});
    CHECK(fetched.status.message == "");
    if (fetched.batch.records.empty()) return offsets;
    for (const auto& record : fetched.batch.records) {
      CHECK(record.at.partition == p);
      CHECK(record.append_time.ms == 1'000 + record.at.offset);
      CHECK(record.key == "cart");
      CHECK(record.headers.size() == 2);
      offsets.push_back(record.at.offset);
    }
    from = fetched.next;
  }
}

}  // namespace

TEST_CASE("a bundle is read as a log, from the begin, the middle and behind the end, in pieces of any size") {
  const auto file = usual();
  LogStatus status;
  const auto log = file.open(status);
  REQUIRE(log != nullptr);
  CHECK(log->partitions() == 2);
  CHECK_FALSE(log->has_state());
  for (Partition p = 0; p < 2; ++p) {
    CHECK(log->ends(Stream::commands, p).first == 0);
    CHECK(log->ends(Stream::commands, p).end == (commands_each - 1) * step + 1);
    CHECK(log->ends(Stream::events, p).first == 5);
    CHECK(log->ends(Stream::alerts, p).end == 0);
    CHECK(read_all(*log, Stream::events, p, 0, 10) == std::vector<Offset>{5});
    CHECK(read_all(*log, Stream::state, p, 9, 10) == std::vector<Offset>{9});
    CHECK(read_all(*log, Stream::events, p, 6, 10).empty());
    CHECK(read_all(*log, Stream::alerts, p, 0, 10).empty());
    for (const Offset from : {0, 1, 1'000, 2'097}) {
      std::vector<Offset> expected;
      for (Offset n = (from + step - 1) / step; n < commands_each; ++n) expected.push_back(n * step);
      for (const std::size_t at_once : {1, 7, 5'000})
        CHECK(read_all(*log, Stream::commands, p, from, at_once) == expected);
    }
  }
}

TEST_CASE("two streams of a bundle are read in turn, each from where it was") {
  const auto file = usual();
  LogStatus status;
  const auto log = file.open(status);
  REQUIRE(log != nullptr);
  Offset next[] = {0, 0};
  for (Offset n = 0; n < commands_each; ++n) {
    for (Partition p = 0; p < 2; ++p) {
      const auto fetched = log->read(Stream::commands, p, next[p], {1, 1, Millis{0}});
      REQUIRE(fetched.batch.records.size() == 1);
      CHECK(fetched.batch.records.front().at == Position{p, n * step});
      next[p] = fetched.next;
    }
  }
}

TEST_CASE("a bundle that is cut or altered is no log, and one in another order neither") {
  const auto file = usual();
  std::ifstream in(file.path, std::ios::binary);
  const std::string whole{std::istreambuf_iterator<char>(in), {}};
  const auto refused = [&](const std::string& content) {
    std::ofstream(file.path, std::ios::binary | std::ios::trunc) << content;
    LogStatus status;
    CHECK(file.open(status) == nullptr);
    CHECK(status.error == LogError::corrupt);
    return status.message;
  };
  for (std::size_t at = 0; at < whole.size(); at += whole.size() / 40) {
    CHECK(refused(whole.substr(0, at)).find("block ") != std::string::npos);
    auto altered = whole;
    altered[at] = static_cast<char>(altered[at] ^ 1);
    CHECK(refused(altered).find("block ") != std::string::npos);
  }
  refused(whole + "x");
  for (const Offset second : {3, 2}) {
    const File other([&](tools::BundleWriter& writer) {
      writer.line(a_line(Stream::events, 0, 3));
      writer.line(a_line(second == 3 ? Stream::events : Stream::commands, 0, second));
    });
    LogStatus status;
    CHECK(other.open(status) == nullptr);
    CHECK(status.message.find("order") != std::string::npos);
  }
}

TEST_CASE("what lies in the wrong place within a block is found when it is read, not passed over") {
  const File file([](tools::BundleWriter& writer) {
    writer.line(a_line(Stream::commands, 0, 1));
    writer.line(a_line(Stream::commands, 1, 2));
    writer.line(a_line(Stream::commands, 0, 3));
  });
  LogStatus status;
  const auto log = file.open(status);
  REQUIRE(log != nullptr);
  CHECK(log->read(Stream::commands, 0, 0, {10, 1'000'000, Millis{0}}).status.error == LogError::corrupt);
}
