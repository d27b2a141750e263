#include "events/state/state_difference.h"

#include <doctest/doctest.h>

#include <functional>
#include <memory_resource>
#include <string>
#include <utility>
#include <vector>

namespace mayfly::events {
namespace {

Cart whole_cart() {
  Cart cart(std::pmr::get_default_resource());
  cart.id = "c1";
  cart.created = {0, 7};
  cart.currency = *currency_in_force("GBP");
  cart.customer_id = "someone";
  cart.sequence = 1;
  cart.provider = "sim";
  cart.token = "tok-1";
  for (const auto* sku : {"TEA", "CUP"}) {
    auto& line = cart.lines.emplace_back();
    line.sku = sku;
    line.name = "a name";
    line.quantity = 2;
    line.unit_price_minor = 250;
  }
  cart.lines_minor = 1000;
  auto& adjustment = cart.adjustments.emplace_back();
  adjustment.label = "tax";
  adjustment.amount_minor = 5;
  cart.adjustments_minor = 5;
  cart.text_bytes = 18;
  cart.remembered.push_back({1, 2});
  return cart;
}

Session open_session() {
  Session session(std::pmr::get_default_resource());
  session.number = 1;
  session.amount_minor = 1005;
  session.currency = *currency_in_force("GBP");
  session.provider = "sim";
  session.reference = "pi";
  return session;
}

std::string said(const std::optional<StateDifference>& found) {
  return found ? found->field + ": " + found->one + " | " + found->other : "";
}

std::string record(const Cart& cart, const Session* session, const Wait& wait, const Trouble& trouble = {}) {
  std::string c;
  append_cart(c, cart);
  std::string s;
  if (session != nullptr) append_session(s, *session);
  std::string out;
  append_snapshot(out, wait, c, s, trouble);
  return out;
}

}  // namespace

TEST_CASE("each member of a cart that differs is named, with both values") {
  CHECK(said(first_difference(whole_cart(), whole_cart())).empty());
  const std::vector<std::pair<std::string, std::function<void(Cart&)>>> table = {
      {"id: c1 | c2", [](Cart& c) { c.id = "c2"; }},
      {"created.partition: 0 | 1", [](Cart& c) { c.created.partition = 1; }},
      {"created.offset: 7 | 8", [](Cart& c) { c.created.offset = 8; }},
      {"created_at_ms: 0 | 1", [](Cart& c) { c.created_at.ms = 1; }},
      {"sequence: 1 | 3", [](Cart& c) { c.sequence = 3; }},
      {"currency: GBP | EUR", [](Cart& c) { c.currency = *currency_in_force("EUR"); }},
      {"customer_id: someone | else", [](Cart& c) { c.customer_id = "else"; }},
      {"expires_after_s: 0 | 60", [](Cart& c) { c.expires_after_s = 60; }},
      {"phase: 0 | 2", [](Cart& c) { c.phase = Phase::paying; }},
      {"reservations: 0 | 1", [](Cart& c) { c.reservations = 1; }},
      {"sessions: 0 | 1", [](Cart& c) { c.sessions = 1; }},
      {"provider: sim | ", [](Cart& c) { c.provider.clear(); }},
      {"token: a text of 5 bytes | a text of 3 bytes", [](Cart& c) { c.token = "tok"; }},
      {"lines.count: 2 | 1", [](Cart& c) { c.lines.pop_back(); }},
      {"lines[0].sku: TEA | TEE", [](Cart& c) { c.lines[0].sku = "TEE"; }},
      {"lines[1].name: a name | none", [](Cart& c) { c.lines[1].name = "none"; }},
      {"lines[1].quantity: 2 | 3", [](Cart& c) { c.lines[1].quantity = 3; }},
      {"lines[1].unit_price_minor: 250 | 251", [](Cart& c) { c.lines[1].unit_price_minor = 251; }},
      {"adjustments.count: 1 | 0", [](Cart& c) { c.adjustments.clear(); }},
      {"adjustments[0].kind: 0 | 1", [](Cart& c) { c.adjustments[0].kind = AdjustmentKind::tax; }},
      {"adjustments[0].label: tax | vat", [](Cart& c) { c.adjustments[0].label = "vat"; }},
      {"adjustments[0].amount_minor: 5 | 6", [](Cart& c) { c.adjustments[0].amount_minor = 6; }},
      {"lines_minor: 1000 | 999", [](Cart& c) { c.lines_minor = 999; }},
      {"adjustments_minor: 5 | 4", [](Cart& c) { c.adjustments_minor = 4; }},
      {"text_bytes: 18 | 17", [](Cart& c) { c.text_bytes = 17; }},
      {"remembered.count: 1 | 0", [](Cart& c) { c.remembered.clear(); }},
      {"remembered[0].id: 1 | 9", [](Cart& c) { c.remembered[0].id = 9; }},
      {"remembered[0].body: 2 | 9", [](Cart& c) { c.remembered[0].body = 9; }},
  };
  for (const auto& [expected, change] : table) {
    auto other = whole_cart();
    change(other);
    CHECK(said(first_difference(whole_cart(), other)) == expected);
  }
}

TEST_CASE("each member of a session that differs is named, with both values") {
  CHECK(said(first_difference(open_session(), open_session())).empty());
  const std::vector<std::pair<std::string, std::function<void(Session&)>>> table = {
      {"number: 1 | 2", [](Session& s) { s.number = 2; }},
      {"state: 0 | 2", [](Session& s) { s.ledger.state = SessionState::capturing; }},
      {"why: 8 | 1", [](Session& s) { s.ledger.why = static_cast<Why>(1); }},
      {"order_placed: 0 | 1", [](Session& s) { s.ledger.order_placed = true; }},
      {"in_doubt: 0 | 1", [](Session& s) { s.ledger.in_doubt = true; }},
      {"capture_retry_running: 0 | 1", [](Session& s) { s.ledger.capture_retry_running = true; }},
      {"amount_minor: 1005 | 1", [](Session& s) { s.amount_minor = 1; }},
      {"currency: GBP | EUR", [](Session& s) { s.currency = *currency_in_force("EUR"); }},
      {"opened_at_ms: 0 | 5", [](Session& s) { s.opened_at.ms = 5; }},
      {"provider: sim | ", [](Session& s) { s.provider.clear(); }},
      {"reference: pi | po", [](Session& s) { s.reference = "po"; }},
      {"authorized_minor: 0 | 1", [](Session& s) { s.ledger.authorized_minor = 1; }},
      {"captured_minor: 0 | 1", [](Session& s) { s.ledger.captured_minor = 1; }},
      {"refunded_minor: 0 | 1", [](Session& s) { s.ledger.refunded_minor = 1; }},
      {"refund_asked_minor: 0 | 1", [](Session& s) { s.ledger.refund_asked_minor = 1; }},
      {"status_tries: 0 | 1", [](Session& s) { s.ledger.status_tries = 1; }},
      {"capture_failures: 0 | 1", [](Session& s) { s.ledger.capture_failures = 1; }},
      {"refund_retry_running: 0 | 1", [](Session& s) { s.ledger.refund_retry_running = true; }},
      {"asked_since: 0 | 1", [](Session& s) { s.ledger.asked_since = true; }},
      {"refund_before_minor: 0 | 1", [](Session& s) { s.ledger.refund_before_minor = 1; }},
      {"refund_failures: 0 | 1", [](Session& s) { s.ledger.refund_failures = 1; }},
      {"attempts_told: 0 | 1", [](Session& s) { s.ledger.attempts_told = 1; }},
      {"last_attempt: 0 | 1", [](Session& s) { s.ledger.last_attempt = 1; }},
      {"action_url:  | u", [](Session& s) { s.action_url = "u"; }},
  };
  for (const auto& [expected, change] : table) {
    auto other = open_session();
    change(other);
    CHECK(said(first_difference(open_session(), other)) == expected);
  }
}

TEST_CASE("of state records the wait, the trouble, the cart and the session are compared") {
  const Wait wait{WaitKind::idle, {60'000}, 7, std::nullopt};
  Wait started = wait;
  started.set_at = no_offset;
  started.due = Timestamp{5};
  Trouble trouble;
  trouble.add_failure({4});
  const auto session = open_session();
  auto paid = open_session();
  paid.ledger.captured_minor = 1005;
  auto more = whole_cart();
  more.lines[0].quantity = 3;
  const auto base = record(whole_cart(), &session, wait);
  const std::vector<std::pair<std::string, std::string>> table = {
      {"", base},
      {"wait.set_at: 7 | -1", record(whole_cart(), &session, started)},
      {"trouble.failures: 0 | 1", record(whole_cart(), &session, wait, trouble)},
      {"lines[0].quantity: 2 | 3", record(more, &session, wait)},
      {"session: open | none", record(whole_cart(), nullptr, wait)},
      {"session.captured_minor: 0 | 1005", record(whole_cart(), &paid, wait)},
  };
  for (const auto& [expected, bytes] : table) {
    CHECK(said(first_difference("c1", parts_of(base), parts_of(bytes))) == expected);
  }
  auto parts = parts_of(base);
  parts.cart = parts.cart.substr(0, parts.cart.size() - 1);
  CHECK(said(first_difference("c1", parts_of(base), parts)).starts_with("bytes: "));
}

TEST_CASE("the same session in an older layout is no difference") {
  const auto session = open_session();
  const auto base = record(whole_cart(), &session, {});
  const auto parts = parts_of(base);
  std::string older(parts.session);
  older.front() = 1;  // the layout without action_url, which is empty here: its length goes
  older.pop_back();
  auto other = parts;
  other.session = older;
  CHECK(said(first_difference("c1", parts, other)).empty());
}

}  // namespace mayfly::events
