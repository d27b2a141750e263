// By its index a cart is told from its own records as from all: each step the same, whatever else the log holds. An
// index that is of another log, or damaged, is noticed.
#include "tools/replay/log_index.h"

#include "tools/console/temporary_folder.h"
#include "unit/tools/replay_shop.h"

#include <fstream>
#include <string>
#include <vector>

using namespace mayfly;
using namespace mayfly::events;
using mayfly::tools::Shop;

namespace {

struct Index {
  explicit Index(Shop& of, const std::string& name) : shop(of), file(folder.path() + "/" + name) {}
  /// Opened, and brought up to the log's end.
  LogStatus update() {
    LogStatus status;
    opened = adapters::RecordIndex::open(file, status);
    if (!opened) return status;
    tools::LogIndex index(shop.client, *opened);
    if (status = index.check(); !status.ok()) return status;
    return index.update([] {});
  }
  LogStatus timeline(const std::string& cart, tools::Timeline& timeline) {
    tools::Recorded recorded;
    tools::LogIndex index(shop.client, *opened);
    if (auto status = index.recorded(recorded); !status.ok()) return status;
    return index.timeline(recorded, cart, timeline);
  }
  LogStatus carts_of(const std::string& id, std::vector<std::string>& carts) {
    return tools::LogIndex(shop.client, *opened).carts_of(id, carts);
  }
  void change(const char* sql) {
    opened.reset();
    adapters::sqlite::Connection(file, adapters::sqlite::Access::make).run(sql);
    LogStatus status;
    opened = adapters::RecordIndex::open(file, status);
  }
  Shop& shop;
  tools::TemporaryFolder folder{"mayfly-index"};
  std::string file;
  std::unique_ptr<adapters::RecordIndex> opened;
};

std::string steps_of(const tools::Timeline& timeline) {
  auto text = timeline.phase + " " + timeline.order + " " + timeline.state.dump() + "\n";
  for (const auto& step : timeline.steps) text += step.dump() + "\n";
  return text + std::to_string(timeline.not_decided) + " " + std::to_string(timeline.differing);
}

std::string by_reading_all(Shop& shop, const std::string& cart) {
  tools::Recorded recorded;
  CHECK(tools::read_recorded(shop.client, recorded).ok());
  std::vector<tools::Timeline> timelines;
  CHECK(tools::read_timelines(shop.client, recorded, {cart}, timelines).ok());
  return steps_of(timelines.front());
}

void check_the_same(Shop& shop, Index& index, const std::vector<std::string>& carts) {
  for (const auto& cart : carts) {
    CAPTURE(cart);
    tools::Timeline timeline;
    const auto status = index.timeline(cart, timeline);
    CHECK(status.message == "");
    CHECK(steps_of(timeline) == by_reading_all(shop, cart));
  }
}

const std::vector<std::string> carts = {"pays", "declined", "silent", "merges", "expires", "stays", "nobody"};

}  // namespace

TEST_CASE("by the index each step of each cart is told as by reading all") {
  Shop shop;
  tools::busy_day(shop);
  Index index(shop, "index");
  REQUIRE(index.update().message == "");
  check_the_same(shop, index, carts);
}

TEST_CASE(
    "an index goes on where the log has grown: settings, long waits, carts that come again, what is not decided") {
  Shop shop;
  tools::busy_day(shop);
  Index index(shop, "index");
  REQUIRE(index.update().message == "");
  Settings settings;
  settings.cart_idle = Millis{3'600'000};
  settings.reservation_wait = Millis{5'000};
  shop.tick_after(1_s, &settings);
  for (int i = 0; i < 4; ++i) shop.tick_after(25_h);  // epitaphs without a session are forgotten
  for (const std::string cart : {"expires", "pays", "new"}) {
    shop.send(cart, "cart.create", R"({"currency":"GBP","customer_id":"bob"})");
    shop.send(cart, "cart.add_line", R"({"sku":"TEA","quantity":1,"unit_price_minor":250})");
  }
  shop.send("new", "checkout.complete", R"({"expected_total_minor":250,"payment":{"provider":"sim","token":"t"}})");
  for (int i = 0; i < 3; ++i) shop.tick_after(4_s);
  for (int i = 0; i < 3; ++i) shop.tick_after(1'000_s);
  shop.serve();
  REQUIRE(index.update().message == "");
  auto more = carts;
  more.insert(more.end(), {"new"});
  check_the_same(shop, index, more);
  for (int i = 0; i < 3; ++i) shop.tick_after(2'000_s);
  shop.serve();
  shop.send("new", "cart.cancel", "{}");
  REQUIRE(index.update().message == "");
  check_the_same(shop, index, more);
}

TEST_CASE("an id of any kind leads to its carts by the index as by reading all") {
  Shop shop;
  tools::busy_day(shop);
  Index index(shop, "index");
  REQUIRE(index.update().message == "");
  for (const std::string id : {"pays", "o-pays", "pays-p1", "pays-r1", "ref-1", "ann"}) {
    CAPTURE(id);
    std::vector<std::string> found;
    std::vector<std::string> all;
    CHECK(index.carts_of(id, found).message == "");
    CHECK(tools::carts_of_id(shop.client, id, all).ok());
    CHECK(found == all);
  }
  std::vector<std::string> found;
  CHECK(index.carts_of("nothing", found).message == "");
  CHECK(found.empty());
}

TEST_CASE("an index of another log is refused, and one of this log before it was replaced") {
  Shop shop;
  tools::busy_day(shop);
  Index index(shop, "index");
  REQUIRE(index.update().message == "");
  Shop longer;
  longer.send("pays", "cart.create", R"({"currency":"GBP"})");
  tools::busy_day(longer);
  Shop shorter;
  shorter.send("pays", "cart.create", R"({"currency":"GBP"})");
  shorter.serve();
  for (auto* other : {&longer, &shorter}) {
    tools::LogIndex of_other(other->client, *index.opened);
    const auto status = of_other.check();
    CHECK(status.error == LogError::invalid);
    CHECK(status.message.find("of another log") != std::string::npos);
  }
}

TEST_CASE("what an index says and the log does not is noticed") {
  struct Row {
    const char* lie;
    const char* cart;
  };
  const Row rows[] = {
      {"UPDATE carts SET records = x'00'", "pays"},
      {"UPDATE carts SET records = CAST(substr(records, 1, 3) || x'7f' || substr(records, 5) AS BLOB)", "pays"},
      {"UPDATE carts SET records = (SELECT min(c.records) FROM carts c WHERE c.cart != carts.cart)", "pays"},
      {"DELETE FROM carts", "pays"},
      {"DELETE FROM ticks", "silent"},
      {"UPDATE ticks SET time_ms = 0", "silent"},
      {"UPDATE ticks SET through = 0", "silent"},
      {"UPDATE ticks SET offset = offset - 1 WHERE offset = (SELECT min(offset) FROM ticks)", "silent"},
  };
  Shop shop;
  tools::busy_day(shop);
  for (const auto& row : rows) {
    CAPTURE(std::string(row.lie));
    Index index(shop, "index");
    REQUIRE(index.update().message == "");
    index.change(row.lie);
    REQUIRE(index.opened);
    tools::Timeline timeline;
    CHECK(index.timeline(row.cart, timeline).error == LogError::corrupt);
  }
  Index index(shop, "index");
  REQUIRE(index.update().message == "");
  index.change("UPDATE ids SET offset = offset + 1");
  std::vector<std::string> found;
  CHECK(index.carts_of("ref-1", found).error == LogError::corrupt);
}

TEST_CASE("what is no index is refused and not touched") {
  Shop shop;
  Index index(shop, "index");
  const std::string text =
      "not a database, and longer than the header of one, which has a hundred bytes of its own: "
      "so that it is looked at";
  std::ofstream(index.file) << text;
  CHECK(index.update().error == LogError::invalid);
  std::ifstream in(index.file);
  CHECK(std::string(std::istreambuf_iterator<char>(in), {}) == text);
  Index table(shop, "table");
  table.change("CREATE TABLE meta (key, value)");
  CHECK(table.update().error == LogError::invalid);
}
