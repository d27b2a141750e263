// Which guard decided (tools/replay/replay_guards.h), held against docs/decisions.md and against what was said.
#include "tools/replay/replay_guards.h"

#include "unit/tools/replay_shop.h"

#include <doctest/doctest.h>

#include <fstream>
#include <map>
#include <random>
#include <set>
#include <sstream>

namespace mayfly {

using namespace events;
using tools::Shop;

namespace {

struct Row {
  std::string name;  // "other total"
  std::string then;  // the last cell
};

/// The rows of docs/decisions.md by their numbers.
std::map<std::string, Row> page() {
  std::ifstream file(std::string(MAYFLY_DOCS) + "/decisions.md");
  std::map<std::string, Row> rows;
  for (std::string line; std::getline(file, line);) {
    const auto name = line.find("| **");
    if (!line.starts_with("| ") || name == std::string::npos) continue;
    const auto number = line.substr(2, line.find(' ', 2) - 2);
    const auto end = line.find("**", name + 4);
    rows[number] = {line.substr(name + 4, end - name - 4), line.substr(line.rfind(" | ", line.size() - 3) + 3)};
  }
  return rows;
}

/// The events that a row's last cell names before it goes on elsewhere.
std::vector<std::string> events_named(const std::string& then) {
  std::vector<std::string> names;
  const auto cell = then.substr(0, std::min(then.find("⟶"), then.find(", if ")));
  for (auto at = cell.find('`'); at != std::string::npos; at = cell.find('`', at + 1)) {
    const auto end = cell.find('`', at + 1);
    const auto name = cell.substr(at + 1, end - at - 1);
    if (event_type_from_ce_type("dev.mayfly." + name + ".v1")) names.push_back(name);
    at = end;
  }
  return names;
}

/// An empty text, or what of the row is not what was said.
std::string unlike(const Row& row, const tools::Replayed& told) {
  const auto refused = std::string("refused `");
  if (row.then.starts_with("nothing") || row.then.starts_with("no event")) {
    return told.events.empty() ? "" : "something is said";
  }
  if (row.then.starts_with(refused)) {
    const auto code = row.then.substr(refused.size(), row.then.find('`', refused.size()) - refused.size());
    if (told.events.empty() || !told.events[0].code || name(*told.events[0].code) != code) return "not refused " + code;
    return "";
  }
  const auto named = events_named(row.then);
  for (std::size_t i = 0; i < named.size(); ++i) {
    if (i >= told.events.size() || name(told.events[i].type) != named[i]) return "event " + named[i] + " is not said";
  }
  const bool goes_on = row.then.find("⟶") != std::string::npos || row.then.starts_with("as ");
  if (!goes_on && !told.events.empty() && told.events[0].code) return "it is refused";
  return "";
}

class Checking final : public tools::ReplayedPartition::Watcher {
 public:
  bool watches(std::string_view) override { return true; }
  void decided(const tools::Replayed& told) override {
    const auto tried = tools::guards_of(told);
    const auto where = "record " + std::to_string(told.record.at.offset);
    REQUIRE_MESSAGE(!tried.empty(), where);
    for (const auto& guard : tried) {
      const auto row = rows.find(guard.number);
      REQUIRE_MESSAGE(row != rows.end(), guard.number);
      CHECK(row->second.name == guard.name);
    }
    const auto& last = tried.back();
    CHECK_MESSAGE(last.held, where << " " << last.number);
    CHECK_MESSAGE(unlike(rows[last.number], told) == "", where << " " << last.number << " " << last.name);
    ++decided_by[last.number];
  }
  std::map<std::string, Row> rows = page();
  std::map<std::string, int> decided_by;
};

/// Commands that may meet any guard: few carts, few amounts, ids that fit and ids that do not.
class Chance {
 public:
  Chance(Shop& shop, unsigned seed) : shop_(shop), random_(seed) {}

  void send_one() {
    if (upto(8) == 0) begin();
    const auto cart = newest_ > 0 && upto(20) > 0
                          ? "c" + std::to_string(newest_ - upto(std::min<std::size_t>(newest_, 3)))
                          : std::string("nobody");
    switch (upto(30)) {
      case 0:
        return shop_.send(cart, "cart.create",
                          one({R"({"currency":"GBP"})", R"({"currency":"GBP"})", R"({"currency":"ZZZ"})",
                               R"({"currency":"GBP","expires_after_s":5})"}));
      case 1:
        return shop_.send(cart, "cart.add_line",
                          R"({"sku":")" + one({"TEA", "CUP"}) + R"(","quantity":)" + one({"1", "1", "0", "1000000"}) +
                              R"(,"unit_price_minor":)" + one({"500", "500", "500", "1000000000"}) + "}");
      case 2:
        return shop_.send(cart, "cart.change_quantity",
                          R"({"sku":"TEA","quantity":)" + one({"1", "0", "-1", "2000000"}) + "}");
      case 3: return shop_.send(cart, "cart.remove_line", R"({"sku":"CUP"})");
      case 4:
        return shop_.send(
            cart, "cart.adjust",
            one({R"({"adjustments":[]})", R"({"adjustments":[{"kind":"discount","label":"x","amount_minor":500}]})",
                 R"({"adjustments":[{"kind":"discount","label":"x","amount_minor":900000000000000000}]})"}));
      case 5:
        return shop_.send_as(cart, one({"cart.cancel", "checkout.abandon", "cart.merge"}),
                             R"({"into":")" + one({"c1", cart, R"(\t)"}) + R"("})",
                             one({"same", "other", std::to_string(++ids_)}));
      case 6: return shop_.send(cart, "checkout.complete", R"({"expected_total_minor":500})");
      case 7:
      case 8:
      case 9:
      case 10: return checkout(cart);
      case 11: return shop_.send(cart, one({"cart.cancel", "checkout.abandon"}), "{}");
      case 12:
      case 13:
        return shop_.send(cart, one({"inventory.reserved", "inventory.rejected"}),
                          R"({"skus":[],"reservation_id":")" + cart + "-r" + one({"1", "1", "2", "9"}) + R"("})");
      case 14: return merge(cart);
      case 15:
        return shop_.send_own(cart, "cart.merge_offered",
                              R"({"from":"other","merge":1,"currency":")" + one({"GBP", "GBP", "GBP", "EUR"}) +
                                  R"(","lines":[{"sku":"TEA","quantity":)" + one({"1", "1", "1000000"}) +
                                  R"(,"unit_price_minor":500}]})");
      default: return reply(cart);
    }
  }

 private:
  /// Answered at once, late, as another merge's, or never.
  void merge(const std::string& cart) {
    shop_.send(cart, "cart.merge", R"({"into":"other"})");
    const auto offset = shop_.store.ends(Stream::commands, 0).end - 1;
    const auto n = std::to_string(upto(5) == 0 ? offset - 1 : offset);
    if (upto(3) == 0) shop_.tick_after(901_s);
    if (upto(3) == 0) {  // and now it is due
      shop_.tick_after(1_s);
      shop_.tick_after(901_s);
    }
    if (upto(5) == 0) shop_.send(cart, "cart.add_line", R"({"sku":"CUP","quantity":1,"unit_price_minor":5})");
    if (upto(6) == 0) return;
    shop_.send_own(cart, "cart.merge_answered",
                   R"({"from":"other","merge":)" + n + one({"", "", R"(,"code":"cart_full")"}) + "}");
  }
  /// A cart that waits for the warehouse, or whose session is open and perhaps authorized.
  void begin() {
    const auto cart = "c" + std::to_string(++newest_);
    shop_.send(cart, "cart.create", R"({"currency":"GBP"})");
    shop_.send(cart, "cart.add_line", R"({"sku":"TEA","quantity":1,"unit_price_minor":500})");
    if (upto(6) == 0) return;
    shop_.send(cart, "checkout.complete", R"({"expected_total_minor":500,"payment":{"provider":"pay","token":"tok"}})");
    if (upto(5) == 0) return;
    shop_.send(cart, "inventory.reserved", R"({"reservation_id":")" + cart + R"(-r1"})");
    if (upto(2) == 0) return;
    shop_.send(cart, "payment.authorized",
               R"({"session_id":")" + cart + R"(-p1","reference":"pay_1","currency":"GBP","amount_minor":)" +
                   one({"500", "200"}) + "}");
  }
  void checkout(const std::string& cart) {
    shop_.send(cart, "checkout.complete",
               R"({"expected_total_minor":)" + one({"500", "500", "500", "1000", "0"}) +
                   R"(,"payment":{"provider":"pay","token":")" + one({"tok", "tok", "tok", "4242424242424242"}) +
                   R"("}})");
    if (upto(3) == 0) return;
    for (int r = 1; r <= 4; ++r)
      shop_.send(cart, one({"inventory.reserved", "inventory.reserved", "inventory.rejected"}),
                 R"({"reservation_id":")" + cart + "-r" + std::to_string(r) + R"(","skus":[]})");
  }
  void reply(const std::string& cart) {
    const auto session = R"("session_id":")" + cart + "-p" + one({"1", "1", "1", "1", "1", "1", "2", "0"}) + R"(",)";
    const auto amount = [&](const char* member) {
      return std::string(R"(")") + member + R"(":)" + one({"0", "200", "500", "500", "600", "9000"});
    };
    const auto rest = R"(,"currency":")" + one({"GBP", "GBP", "GBP", "EUR"}) +
                      R"(","reference":"pay_1","reason":"no","url":"https://)" + one({"a", "b"}) +
                      R"(.example","retryable":)" + one({"true", "false"}) + "}";
    if (upto(2) == 0) {
      return shop_.send(cart, "payment.status",
                        "{" + session + R"("state":")" +
                            one({"pending", "authorized", "captured", "refunded", "declined", "canceled", "not_found",
                                 "refund_pending"}) +
                            R"(",)" + amount("authorized_minor") + "," + amount("captured_minor") + "," +
                            amount("refunded_minor") + rest);
    }
    const auto type = one({"authorized", "authorized", "captured", "refunded", "canceled", "declined",
                           "requires_action", "capture_failed", "refund_failed", "attempt_failed", "disputed"});
    const auto state = type == "disputed" ? std::string(R"(,"state":"opened")") : std::string{};
    shop_.send(cart, "payment." + type, "{" + session + amount("amount_minor") + state + rest);
  }
  std::size_t upto(std::size_t n) { return random_() % n; }
  std::string one(const std::vector<std::string>& of) { return of[upto(of.size())]; }

  Shop& shop_;
  std::mt19937 random_;
  int ids_ = 0;
  std::size_t newest_ = 0;
};

}  // namespace

TEST_CASE("the guard that is said to have decided is one of decisions.md and leads to what was said") {
  std::map<std::string, int> decided_by;
  std::map<std::string, Row> rows;
  for (const unsigned seed : {1U, 2U, 3U, 4U}) {
    CAPTURE(seed);
    Shop shop;
    Chance chance(shop, seed);
    for (int i = 0; i < 1'500; ++i) {
      chance.send_one();
      if (i % 4 == 0) shop.tick_after(i % 60 == 0 ? 130_s : i % 20 == 0 ? 31_s : 1_s);
      if (i % 400 == 399) shop.tick_after(25_h);
    }
    tools::ReplayedPartition partition("mayfly", 0, 1);
    Checking checking;
    for (const auto& record : shop.store.records(Stream::commands, 0)) partition.take(record, &checking);
    for (const auto& [number, times] : checking.decided_by) decided_by[number] += times;
    rows = checking.rows;
  }
  std::ostringstream never;
  for (const auto& [number, row] : rows) {
    if (!decided_by.contains(number)) never << " " << number;
  }
  MESSAGE(decided_by.size() << " of " << rows.size() << " guards decided; not:" << never.str());
  CHECK(decided_by.size() > 120);
  for (const std::string merging : {"2.9.3", "7.1.1", "7.1.2", "7.1.3", "7.1.4", "7.1.5", "7.1.6", "7.1.7", "7.2.1",
                                    "7.2.3", "7.2.4", "7.2.5", "7.3.1", "7.3.2", "7.3.3"}) {
    CAPTURE(merging);
    CHECK(decided_by.contains(merging));
  }
}

}  // namespace mayfly
