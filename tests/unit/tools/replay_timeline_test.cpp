// Timelines of many carts cost as many passes over the log as one.
#include "tools/replay/replay_timeline.h"

#include "unit/tools/replay_shop.h"

#include <string>
#include <vector>

using namespace mayfly;
using namespace mayfly::events;
using mayfly::tools::Shop;

namespace {

/// Counts how often it is read.
class CountingClient final : public LogClient {
 public:
  explicit CountingClient(LogClient& log) : log_(log) {}
  int reads = 0;
  [[nodiscard]] std::int32_t partitions() const override { return log_.partitions(); }
  Appended append(std::span<const NewRecord> records) override { return log_.append(records); }
  Fetched read(Stream stream, Partition p, Offset from, const PollLimits& limits) override {
    ++reads;
    return log_.read(stream, p, from, limits);
  }
  StreamEnds ends(Stream stream, Partition p) override { return log_.ends(stream, p); }

 private:
  LogClient& log_;
};

}  // namespace

TEST_CASE("the log is read as often for an id of 200 carts as for one, whatever is asked about them") {
  Shop shop;
  constexpr int carts = 200;
  for (int i = 0; i < carts; ++i) {
    shop.send("c" + std::to_string(i), "cart.create", R"({"currency":"GBP","customer_id":"ann"})");
  }
  shop.tick_after(1_s);
  shop.tick_after(Settings{}.cart_idle);  // ends the wait of each
  shop.serve();
  tools::Recorded recorded;
  CHECK(tools::read_recorded(shop.client, recorded).ok());
  CountingClient client(shop.client);
  const auto reads_for = [&](const std::vector<std::string>& of) {
    client.reads = 0;
    std::int64_t all = 0;
    CHECK(tools::records_to_read(client, of, all).ok());
    std::vector<tools::Timeline> timelines;
    CHECK(tools::read_timelines(client, recorded, of, timelines, [&] { --all; }).ok());
    CHECK(all == 0);
    CHECK(timelines.size() == of.size());
    for (std::size_t i = 0; i < of.size(); ++i) {
      CHECK(timelines[i].cart == of[i]);
      CHECK(timelines[i].steps.size() == 3);  // created, its wait started, its wait over
      CHECK(timelines[i].phase == "expired");
    }
    return client.reads;
  };
  std::vector<std::string> ann;
  CHECK(tools::carts_of_id(client, "ann", ann).ok());
  CHECK(ann.size() == carts);
  const auto for_one = reads_for({"c7"});
  CHECK(reads_for(ann) == for_one);

  client.reads = 0;
  std::vector<tools::Timeline> why;
  CHECK(tools::read_why(client, recorded, {0, 0}, why).ok());
  CHECK(why.size() == 1);
  const auto why_one = client.reads;
  client.reads = 0;
  CHECK(tools::read_why(client, recorded, {0, carts + 1}, why).ok());  // the tick
  CHECK(why.size() == carts);
  CHECK(client.reads == why_one);
}
