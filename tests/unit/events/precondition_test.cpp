// What functions of events/ rely on is checked in every build, and the message names what broke.
#include "events/text/precondition.h"
#include "events/rules/cart.h"
#include "events/rules/decide.h"
#include "events/rules/identity.h"
#include "events/state/bytes.h"
#include "events/state/epitaphs.h"
#include "events/state/snapshot.h"
#include "events/text/eight_bytes.h"
#include "events/wire/event_json.h"

#include <doctest/doctest.h>

#include <functional>
#include <string>

using namespace mayfly::events;

namespace {

const Settings settings;
const Context context{{0, 1}, {0}, settings};

struct Breach {
  const char* names;
  std::function<void(Cart&)> call;
};

std::string what_broke(const Breach& breach) {
  Cart cart(std::pmr::get_default_resource());
  try {
    breach.call(cart);
  } catch (const BrokenPrecondition& broken) {
    return broken.what();
  }
  return "nothing";
}

}  // namespace

TEST_CASE("each broken precondition is named") {
  std::string bytes;
  const Adjustment bound{AdjustmentKind::discount, "off", 1, false, "A"};
  const Breach breaches[] = {
      {"evolve: the line that is removed",
       [](Cart& c) {
         evolve(c, CartLineRemoved{"A", 0}, context);
       }},
      {"evolve: the line that is adjusted",
       [&](Cart& c) {
         evolve(c, CartAdjusted{{&bound, 1}, 0}, context);
       }},
      {"evolve: the cart is not over",
       [](Cart& c) { evolve(c, CartExpired{}, context), evolve(c, CartExpired{}, context); }},
      {"partition_of: there are partitions", [](Cart&) { (void)partition_of("c1", 0); }},
      {"DerivedId: it fits", [](Cart&) { (void)order_id(std::string(200, 'x')); }},
      {"ByteWriter::fixed: the value fits", [&](Cart&) { ByteWriter(bytes).fixed(256, 1); }},
      {"EightBytes: the text has eight bytes", [](Cart&) { (void)EightBytes("12345678", 1); }},
      {"put_wait: there is a snapshot", [](Cart&) { put_wait({}, {}); }},
      {"EpitaphRing::pop: the ring is not empty",
       [](Cart&) { EpitaphRing(EpitaphRing::per_page, std::pmr::get_default_resource()).pop(); }},
      {"Epitaphs::add: the cart has no epitaph yet",
       [](Cart&) {
         Epitaphs epitaphs;
         for (int i = 0; i < 2; ++i) epitaphs.add(hash_of("c1"), {0, CartOutcome::canceled, 0, 0, 0}, {0});
       }},
  };
  for (const auto& breach : breaches) {
    CAPTURE(std::string(breach.names));
    CHECK(what_broke(breach).find(breach.names) != std::string::npos);
  }
}
