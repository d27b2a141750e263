// What each thing that is kept costs, exactly: the table of docs/memory.md is read and compared with what is measured.
#include "events/state/footprint.h"

#include "actors/cart/cart_actor.h"
#include "actors/cart/session_actor.h"
#include "actors/memory/actor_memory.h"
#include "actors/memory/size_class.h"
#include "actors/partition/cart_table.h"
#include "actors/partition/deadlines.h"
#include "events/state/epitaphs.h"
#include "unit/actors/cost_table.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstddef>
#include <limits>
#include <map>
#include <memory>
#include <string>
#include <vector>

using namespace mayfly;
using namespace mayfly::actors;

namespace {

constexpr auto no_limit = std::numeric_limits<std::int64_t>::max();
const std::string uuid = "018f0000-7c00-7000-8000-000000000001";
const std::string name_of_34 = "WHITE HANGING HEART T-LIGHT HOLDER";

events::Cart ordinary_cart(int lines, int remembered) {
  events::Cart cart(std::pmr::get_default_resource());
  cart.id = uuid;
  cart.created = {3, 70'000};
  cart.created_at = {1'795'521'600'000};
  cart.sequence = static_cast<std::uint64_t>(lines) + 1;
  cart.currency = {{'G', 'B', 'P'}};
  cart.expires_after_s = 86'400;
  for (int i = 0; i < lines; ++i) {
    auto& line = cart.lines.emplace_back();
    line.sku = "SKU-" + std::to_string(1000 + i);
    line.name = name_of_34;
    line.quantity = 2;
    line.unit_price_minor = 1999;
  }
  for (int i = 0; i < remembered; ++i) events::remember(cart, {std::uint64_t{1} << 40U, 7});
  return cart;
}

/// A cart in memory of its own, woken from its snapshot as an actor does.
struct Live {
  explicit Live(const events::Cart& asleep, std::int64_t budget_bytes = no_limit)
      : memory(ledger, Purpose::cart_id, budget_bytes), cart(of(memory)) {
    std::string bytes;
    append_cart(bytes, asleep);
    cart = std::get<events::Cart>(events::decode_cart(asleep.id, bytes, of(memory)));
  }
  static events::CartMemory of(ActorMemory<5>& memory) {
    events::CartMemory m(memory.of(0));
    m.lines = memory.of(1);
    m.adjustments = memory.of(2);
    m.payment = memory.of(3);
    m.dedupe = memory.of(4);
    return m;
  }
  std::int64_t taken(std::size_t purpose) { return memory.of(purpose)->bytes(); }
  Ledger ledger;
  ActorMemory<5> memory;
  events::Cart cart;
};

events::Wait idle() { return {events::WaitKind::idle, {86'400'000}, 70'000, std::nullopt}; }

/// All in, at the worst moment: just after the tables have grown, or just before.
std::int64_t most_asleep(int remembered) {
  std::string bytes;
  append_cart(bytes, ordinary_cart(5, remembered));
  std::int64_t most = 0;
  for (const int carts : {16'385, 20'000, 32'768}) {
    CartTable table;
    Deadlines deadlines;
    for (int i = 0; i < carts; ++i) {
      const auto id = uuid.substr(0, 28) + std::to_string(10'000'000 + i);
      deadlines.list(table.keep(table.add(id), idle(), bytes, {}));
    }
    const auto& one = *table.find(uuid.substr(0, 28) + "10000000");
    const auto beside = (table.route_bytes() + deadlines.bytes() + carts - 1) / carts;
    most = std::max(most, size_class(static_cast<std::int64_t>(one.bytes())) + beside);
  }
  return most;
}

std::int64_t most_each_deadline() {
  CartTable table;
  Deadlines deadlines;
  std::int64_t most = 0;
  for (int i = 0; i < 100'000; ++i) {
    deadlines.list(table.keep(table.add("cart-" + std::to_string(i)), idle(), "c", {}));
    if (i >= 1000) most = std::max(most, (deadlines.bytes() + i) / (i + 1));
  }
  return most;
}

std::int64_t most_each_epitaph() {
  events::Epitaphs epitaphs;
  std::int64_t most = 0;
  for (int i = 0; i < 300'000; ++i) {
    epitaphs.add(events::hash_of("cart-" + std::to_string(i)), {i, events::CartOutcome::converted_paid, 1, 1, 1}, {});
    if (i % 10'000 != 9'999) continue;
    const auto size = static_cast<std::int64_t>(epitaphs.size());
    most = std::max(most, (static_cast<std::int64_t>(epitaphs.bytes()) + size - 1) / size);
  }
  return most;
}

/// 2,000 lines, all with extras, 256 KiB of text, 512 adjustments and all that can be remembered.
std::int64_t at_every_limit() {
  const events::Settings settings;
  const events::Context context{{3, 70'001}, {1'795'521'600'000}, settings};
  Live live(ordinary_cart(0, 0));
  live.cart.customer_id = std::string(128, 'c');
  const std::string name(83, 'n');
  for (int i = 0; i < 2000; ++i) {
    // 131 characters of text a line: 256 KiB in all. Texts of 16 are the worst: a string grows to 30.
    const auto sku = "sku-" + std::to_string(100'000'000'000 + i);
    const auto line_id = "id--" + std::to_string(100'000'000'000 + i);
    events::LineChanged line{events::EventType::cart_line_added, sku, 1, 5, name, 0, line_id};
    line.attributes = R"({"a":"12345678"})";
    evolve(live.cart, line, context);
  }
  for (int i = 0; i < 512; ++i) live.cart.adjustments.emplace_back().label = std::string(64, 'l');
  for (int i = 0; i < 40; ++i) remember(live.cart, {static_cast<std::uint64_t>(i), 1});
  live.cart.provider = std::string(64, 'p');
  live.cart.token = std::string(512, 't');
  REQUIRE(live.cart.text_bytes == 2000 * 131);
  return live.memory.bytes();
}

}  // namespace

TEST_CASE("what each thing costs is what docs/memory.md says, row by row") {
  const auto beside_actor = [](int lines) { return Live(ordinary_cart(lines, 6)).memory.bytes(); };
  const auto record_bytes = [](int remembered) {
    std::string bytes;
    append_cart(bytes, ordinary_cart(5, remembered));
    CartTable table;
    return std::ssize(table.keep(table.add(uuid), idle(), bytes, {}).snapshot());
  };
  const auto size = [](std::size_t bytes) { return static_cast<std::int64_t>(bytes); };
  const auto live_line = (beside_actor(50) - beside_actor(5)) / 45;
  const std::map<std::string, std::int64_t> measured = {
      {"cart's actor: its block", CartActor::block_bytes()},
      {"of it the cart's members", size(sizeof(events::Cart))},
      {"live cart without a line, beside its actor's block", beside_actor(0)},
      {"live cart with 5 lines", beside_actor(5)},
      {"live cart with 50 lines", beside_actor(50)},
      {"line with a name of 34 bytes", live_line},
      {"line without long texts", size(sizeof(events::Line))},
      {"of a line with line_id, attributes or per_quantity, besides", size(sizeof(events::LineExtras))},
      {"adjustment without a long label", size(sizeof(events::KeptAdjustment))},
      {"remembered command, awake", size(sizeof(events::Fingerprint))},
      {"remembered command, asleep", (record_bytes(32) - record_bytes(6)) / 26},
      {"session's actor: its block", SessionActor::block_bytes()},
      {"of it the session's members", size(sizeof(events::Session))},
      {"cart's place among those awake", size(sizeof(Awake))},
      {"sleeping cart: header", size(sizeof(CartEntry))},
      {"sleeping cart: state record, 6 remembered", record_bytes(6)},
      {"sleeping cart: state record, 32 remembered", record_bytes(32)},
      {"sleeping cart with 6 remembered, all in", most_asleep(6)},
      {"sleeping cart with 32 remembered, all in", most_asleep(32)},
      {"deadline", most_each_deadline()},
      {"epitaph", size(sizeof(events::Epitaph))},
      {"epitaph with its index", most_each_epitaph()},
      {"cart at every limit", at_every_limit()},
  };
  const auto documented = testing::cost_table();
  CHECK(documented.size() == measured.size());
  for (const auto& row : measured) {
    const auto& what = row.first;
    const auto bytes = row.second;
    INFO(what);
    REQUIRE(documented.contains(what));
    const auto& promised = documented.at(what);
    CHECK(bytes == promised.bytes.value_or(-1));
    CHECK(bytes <= promised.most_bytes.value_or(bytes));
  }
}

TEST_CASE("a live cart takes its id, 96 bytes and the texts of each line, 16 a remembered command") {
  for (const int lines : {0, 5, 50}) {
    Live live(ordinary_cart(lines, 6));
    CHECK(live.taken(0) == 37);
    CHECK(live.taken(1) == lines * (96 + 35));
    CHECK(live.taken(2) == 0);
    CHECK(live.taken(3) == 0);
    CHECK(live.taken(4) == 6 * 16);
  }
}

TEST_CASE("the owner's account of a cart is what its memory gave out, whatever has happened to it") {
  const events::Settings settings;
  const events::Context context{{3, 70'001}, {1'795'521'600'000}, settings};
  Live live(ordinary_cart(5, 6));
  const auto agree = [&live] {
    const auto f = events::footprint(live.cart);
    CHECK(live.taken(0) == f.id);
    CHECK(live.taken(1) == f.lines);
    CHECK(live.taken(2) == f.adjustments);
    CHECK(live.taken(3) == f.payment);
    CHECK(live.taken(4) == f.dedupe);
  };
  agree();
  for (int i = 0; i < 40; ++i) {
    const std::string sku = "another-sku-that-is-long-" + std::to_string(i);
    evolve(live.cart, events::LineChanged{events::EventType::cart_line_added, sku, 1, 5, name_of_34, 0}, context);
    remember(live.cart, {static_cast<std::uint64_t>(i), 1});
    agree();
  }
  for (int i = 0; i < 40; i += 2) {
    evolve(live.cart, events::CartLineRemoved{"another-sku-that-is-long-" + std::to_string(i), 0}, context);
    agree();
  }
  for (int i = 0; i < 20; ++i) {
    const auto id = "the id of a line, and not a short one " + std::to_string(i);
    events::LineChanged line{events::EventType::cart_line_added, "GIFT", 1, 5, "", 0, id, 2};
    line.attributes = R"({"to":"somebody whose name is long"})";
    evolve(live.cart, line, context);
    agree();
  }
  for (int i = 0; i < 20; i += 3) {
    evolve(live.cart, events::CartLineRemoved{"GIFT", 0, "the id of a line, and not a short one " + std::to_string(i)},
           context);
    agree();
  }
  evolve(live.cart, events::CartAssigned{"another customer whose id is not short"}, context);
  agree();
  live.cart.customer_id = "a customer whose id is not short";
  live.cart.token = std::string(512, 't');
  live.cart.adjustments.emplace_back().label = std::string(200, 'l');
  agree();
}

TEST_CASE("a session takes what its provider, reference and url take") {
  Ledger ledger;
  ActorMemory<1> memory(ledger, Purpose::session_texts, no_limit);
  events::Session session(memory.of(0));
  CHECK(memory.bytes() == 0);
  session.provider = "stripe";
  session.reference = "pi_3NxYzExample0001";
  session.action_url = "https://bank.example/3ds?session=0123456789";
  CHECK(memory.bytes() == events::footprint(session));
  CHECK(memory.bytes() == 31 + 44);  // 19 characters grow to twice the 15 that a short text has
}

TEST_CASE("after a peak of deadlines the memory is given back") {
  CartTable table;
  Deadlines deadlines;
  std::vector<CartEntry*> entries;
  for (int i = 0; i < 100'000; ++i) {
    auto& entry = table.keep(table.add("cart-" + std::to_string(i)), idle(), "c", {});
    deadlines.list(entry);
    entries.push_back(&entry);
  }
  const auto route = table.route_bytes();
  for (std::size_t i = 100; i < entries.size(); ++i) {
    deadlines.remove(*entries[i]);
    table.remove(*entries[i]);
  }
  CHECK(deadlines.bytes() <= 32 * 300);
  CHECK(table.route_bytes() <= route / 256);
}

TEST_CASE("what would go beyond the budget is refused, and what was there stays") {
  Ledger ledger;
  ActorMemory<1> memory(ledger, Purpose::session_texts, 100);
  std::pmr::string text(memory.of(0));
  text.assign(80, 'x');
  CHECK_THROWS_AS(text.append(80, 'y'), OverBudget);
  CHECK(std::string(text) == std::string(80, 'x'));
  CHECK(memory.bytes() == 81);
}

TEST_CASE("what an ended actor has not given back is posted as orphaned") {
  Ledger ledger;
  void* leaked = nullptr;
  {
    ActorMemory<1> memory(ledger, Purpose::session_texts, no_limit);
    leaked = memory.of(0)->allocate(100);
    memory.post({0}, [] { return Holder{1, 2}; });
    CHECK(ledger.of(Purpose::session_texts).taken_bytes == 100);
    CHECK(ledger.of(Purpose::session_texts).orphaned_blocks == 0);
  }
  const auto after = ledger.of(Purpose::session_texts);
  CHECK(after.taken_bytes == 100);
  CHECK(after.held_bytes == 0);
  CHECK(after.orphaned_bytes == 100);
  CHECK(after.orphaned_blocks == 1);
  std::allocator<std::byte>().deallocate(static_cast<std::byte*>(leaked), 100);  // as PurposeMemory takes it
}
