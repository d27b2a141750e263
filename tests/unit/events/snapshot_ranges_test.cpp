// State that no decision can have left behind is refused on reading: numbers that would overflow or contradict each
// other, each beside the nearest that is read.
#include "events/state/snapshot.h"

#include <doctest/doctest.h>

#include <functional>
#include <limits>
#include <memory_resource>
#include <string>

namespace mayfly::events {
namespace {

constexpr std::int64_t most = std::numeric_limits<std::int64_t>::max();
constexpr std::int64_t end_of_9999_ms = 253'402'300'799'999;

std::pmr::memory_resource* heap() { return std::pmr::get_default_resource(); }

Session a_session() {
  Session session(heap());
  session.number = 1;
  session.amount_minor = 1'000;
  session.currency = {{'G', 'B', 'P'}};
  session.opened_at = {1'795'521'600'000};
  session.ledger.state = SessionState::capturing;
  return session;
}

Cart a_cart() {
  Cart cart(heap());
  cart.id = "c1";
  cart.created = {3, 7};
  cart.created_at = {1'795'521'600'000};
  cart.sequence = 1;
  cart.currency = {{'G', 'B', 'P'}};
  auto& line = cart.lines.emplace_back();
  line.sku = "A";
  line.quantity = 1;
  line.unit_price_minor = 5;
  return cart;
}

bool is_read(const Session& session) {
  std::string bytes;
  append_session(bytes, session);
  return std::holds_alternative<Session>(decode_session(bytes, heap()));
}
bool is_read(const Cart& cart) {
  std::string bytes;
  append_cart(bytes, cart);
  return std::holds_alternative<Cart>(decode_cart("c1", bytes, heap()));
}
bool is_read(const PositionRecord& record) {
  std::string bytes;
  append_position(bytes, record);
  return std::holds_alternative<PositionRecord>(decode_position(bytes));
}
bool is_read(const Trouble& trouble) {
  std::string cart;
  std::string bytes;
  append_cart(cart, a_cart());
  append_snapshot(bytes, {}, cart, {}, trouble);
  return std::holds_alternative<SnapshotParts>(split_snapshot(bytes));
}

/// One number of a state: the range of what is read.
template <class State>
struct Range {
  const char* name;
  std::int64_t least;
  std::int64_t last;
  std::function<void(State&, std::int64_t)> set;
};

template <class State>
void check(const State& state, std::initializer_list<Range<State>> ranges) {
  CHECK(is_read(state));
  for (const auto& range : ranges) {
    CAPTURE(range.name);
    const auto with = [&](std::int64_t value) {
      State changed = state;
      range.set(changed, value);
      return is_read(changed);
    };
    CHECK(with(range.least));
    CHECK(with(range.last));
    CHECK_FALSE(with(range.least - 1));
    if (range.last < most) CHECK_FALSE(with(range.last + 1));
    CHECK_FALSE(with(std::numeric_limits<std::int64_t>::min()));
  }
}

}  // namespace

TEST_CASE("a payment session whose numbers no decision can have left is refused") {
  check<Session>(a_session(),
                 {
                     {"number", 1, 128, [](auto& s, auto v) { s.number = static_cast<int>(v); }},
                     {"amount_minor", 1, max_amount_minor, [](auto& s, auto v) { s.amount_minor = v; }},
                     {"opened_at", 0, end_of_9999_ms, [](auto& s, auto v) { s.opened_at = {v}; }},
                     {"authorized_minor", 0, most, [](auto& s, auto v) { s.ledger.authorized_minor = v; }},
                     {"captured_minor", 0, most, [](auto& s, auto v) { s.ledger.captured_minor = v; }},
                     {"refunded_minor", 0, 600,
                      [](auto& s, auto v) { s.ledger.captured_minor = 600, s.ledger.refunded_minor = v; }},
                     {"refund_asked_minor", 0, most, [](auto& s, auto v) { s.ledger.refund_asked_minor = v; }},
                 });
  auto on_command = a_session();
  on_command.terms = {true, 60, 0, 0};
  on_command.ledger.order_placed = true;
  check<Session>(on_command,
                 {{"capture_total_minor", 0, 1'000, [](auto& s, auto v) { s.ledger.capture_total_minor = v; }}});
  for (const int tries : {-1, 1'000'001, std::numeric_limits<int>::max(), std::numeric_limits<int>::min()}) {
    CAPTURE(tries);
    auto status = a_session();
    status.ledger.status_tries = tries;
    CHECK_FALSE(is_read(status));
    auto failures = a_session();
    failures.ledger.capture_failures = tries;
    CHECK_FALSE(is_read(failures));
  }
  auto placed = a_session();
  placed.ledger.order_placed = true;
  CHECK(is_read(placed));
  placed.ledger.state = SessionState::authorizing;
  CHECK_FALSE(is_read(placed));
}

TEST_CASE("a cart whose numbers no decision can have left is refused") {
  check<Cart>(
      a_cart(),
      {
          {"created.offset", 0, most, [](auto& c, auto v) { c.created.offset = v; }},
          {"created_at", 0, end_of_9999_ms, [](auto& c, auto v) { c.created_at = {v}; }},
          {"sequence", 1, most, [](auto& c, auto v) { c.sequence = static_cast<std::uint64_t>(v); }},
          {"expires_after_s", 0, 3'155'760'000, [](auto& c, auto v) { c.expires_after_s = v; }},
          {"quantity", 1, 1'000'000, [](auto& c, auto v) { c.lines[0].quantity = static_cast<std::int32_t>(v); }},
          {"unit_price_minor", 0, max_amount_minor, [](auto& c, auto v) { c.lines[0].unit_price_minor = v; }},
      });
  const struct {
    Phase phase;
    int reservations;
    int sessions;
    bool read;
  } checkouts[] = {
      {Phase::active, 32, 32, true},  {Phase::active, 33, 0, false},   {Phase::active, 1, 5, false},
      {Phase::active, -1, -1, false}, {Phase::reserving, 1, 0, true},  {Phase::reserving, 0, 0, false},
      {Phase::reserving, 2, 1, true}, {Phase::reserving, 1, 1, false}, {Phase::paying, 1, 1, true},
      {Phase::paying, 1, 0, false},
  };
  for (const auto& row : checkouts) {
    CAPTURE(row.reservations);
    auto cart = a_cart();
    cart.phase = row.phase;
    cart.reservations = row.reservations;
    cart.sessions = row.sessions;
    CHECK(is_read(cart) == row.read);
  }
}

TEST_CASE("a position record and what supervision remembers are refused with numbers that nothing can have left") {
  constexpr std::int64_t hundred_years_ms = 3'155'760'000'000;
  check<PositionRecord>(
      {7, {8}, 4, "shop", {}},
      {
          {"next", 0, most, [](auto& r, auto v) { r.next = v; }},
          {"ticked", 0, end_of_9999_ms, [](auto& r, auto v) { r.ticked = {v}; }},
          {"cart_life", 0, hundred_years_ms, [](auto& r, auto v) { r.settings.cart_life = {v}; }},
          {"status_try", 0, hundred_years_ms, [](auto& r, auto v) { r.settings.status_try[3] = {v}; }},
          {"live_carts", 0, most, [](auto& r, auto v) { r.settings.live_carts = v; }},
      });
  Trouble trouble;
  trouble.add_failure({5});
  trouble.add_quarantined(7);
  check<Trouble>(trouble, {
                              {"failed", 0, end_of_9999_ms, [](auto& t, auto v) { t.failed[0] = {v}; }},
                              {"quarantined_by", 0, most,
                               [](auto& t, auto v) { t.quarantined_by = v == no_offset ? no_offset - 1 : v; }},
                          });
}

}  // namespace mayfly::events
