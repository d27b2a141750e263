// What the engine itself writes of a cart that is as large as the limits let it be: every record of it fits into the
// smallest log that is served (docs/kafka.md, largest record), so that none can stop a partition.
#include "actors/engine/engine.h"
#include "adapters/record_limits.h"
#include "unit/actors/commands.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <map>
#include <string>

using namespace mayfly;

namespace {

constexpr std::size_t least_a_topic_takes = 1'000'000;

std::string repeated(std::string_view text, int times) {
  std::string all;
  for (int i = 0; i < times; ++i) all += text;
  return all;
}

/// 2,000 lines of the longest numbers whose texts are 256 KiB escaped, and as many adjustments of the first as fit into
/// a command, which name it by its line id alone: its sku is the longest there is, written out.
class LargestCart {
 public:
  LargestCart(testing::Shop& shop, std::string cart) : shop_(shop), cart_(std::move(cart)) {}

  void fill() {
    send("cart.create", R"({"currency":"GBP","customer_id":")" + repeated(R"(\")", 128) + R"("})");
    for (int i = 0; i < 2'000; ++i) {
      const auto number = std::to_string(10'000 + i);
      // Of the first 64 quotation marks; of all 130 bytes of text each, a little less than 256 KiB.
      const auto sku = i == 0 ? repeated(R"(\")", 64) : "s" + number + repeated(R"(\")", 20);
      send("cart.add_line", R"({"sku":")" + sku + R"(","quantity":1000000,"unit_price_minor":400000000000,"name":")" +
                                std::string(i == 0 ? 1 : 69, 'n') + R"(","line_id":"l)" + number +
                                R"(","per_quantity":999999,"attributes":{"a":"b"}})");
    }
  }
  void adjust() {
    std::string adjustments;
    for (int i = 0; i < 512; ++i) {
      adjustments += i > 0 ? "," : "";
      adjustments += R"({"kind":"discount","label":"labels-of-36-bytes-----------------","amount_minor":1000000000,)"
                     R"("line_id":"l10000"})";
    }
    send("cart.adjust", R"({"adjustments":[)" + adjustments + "]}");
  }
  void send(std::string_view type, const std::string& data) {
    auto id = std::to_string(++sent_);
    id.resize(1'024, 'i');
    shop_.send(cart_, type, data, id);
  }

 private:
  testing::Shop& shop_;
  std::string cart_;
  int sent_ = 0;
};

}  // namespace

TEST_CASE("no record of the largest cart, of its merge or of its checkout is larger than the smallest log takes") {
  testing::SetClock clock;
  adapters::MemoryStore store{1, clock};
  testing::Shop shop{store};
  const auto serve = [&] {
    adapters::MemoryLog log(store);
    actors::Engine engine(log, clock, {}, nullptr);
    CHECK(engine.run_until_caught_up().end == actors::RunEnd::caught_up);
  };
  LargestCart cart(shop, std::string(128, 'c'));
  LargestCart into(shop, std::string(128, 'd'));
  cart.fill();
  into.send("cart.create", R"({"currency":"GBP"})");
  cart.send("cart.merge", R"({"into":")" + std::string(128, 'd') + R"("})");
  serve();
  for (int i = 0; i < 3; ++i) serve();  // the offer, the answer
  const auto total = [&] {
    std::string text;
    for (const auto& record : store.records(events::Stream::events, 0)) {
      if (record.key != std::string(128, 'd')) continue;
      const auto at = record.value->rfind(R"("total_minor":)");
      if (at != std::string::npos)
        text = record.value->substr(at + 14, record.value->find_first_of(",}", at + 14) - at - 14);
    }
    return text;
  };
  into.adjust();
  serve();
  into.send("checkout.complete", R"({"expected_total_minor":)" + total() + R"(,"payment":{"provider":")" +
                                     repeated(R"(\")", 64) + R"(","token":")" + repeated(R"(\")", 512) + R"("}})");
  shop.reserved(std::string(128, 'd'));
  serve();
  shop.send(std::string(128, 'd'), "payment.authorized",
            R"({"session_id":")" + std::string(128, 'd') + R"(-p1","reference":"r","amount_minor":)" + total() +
                R"(,"currency":"GBP"})");
  serve();

  std::array<std::size_t, events::stream_count> largest{};
  for (std::size_t s = 0; s < largest.size(); ++s) {
    for (const auto& record : store.records(static_cast<events::Stream>(s), 0)) {
      std::vector<events::Header> headers;
      for (const auto& h : record.headers) headers.push_back({h.name, h.value});
      events::NewRecord written{static_cast<events::Stream>(s), 0, std::nullopt, std::nullopt, headers};
      if (record.key) written.key = *record.key;
      if (record.value) written.value = *record.value;
      largest[s] = std::max(largest[s], adapters::bytes_to_write(written));
    }
  }
  const auto of = [&](events::Stream s) { return largest[static_cast<std::size_t>(s)]; };
  MESSAGE("commands ", of(events::Stream::commands), ", events ", of(events::Stream::events), ", state ",
          of(events::Stream::state));
  // They were made, so that the bound says something: an offer, order.placed, and a state record.
  CHECK(of(events::Stream::commands) > 500'000);
  CHECK(of(events::Stream::events) > 600'000);
  CHECK(of(events::Stream::state) > 250'000);
  for (const auto bytes : largest) CHECK(bytes <= least_a_topic_takes);
  CHECK(testing::said(store, std::string(128, 'd')).back() == "inventory.commit_requested");
}
