// Each cart's first difference from what is recorded, or from what another program decides, is found; the rest goes on.
#include "tools/replay/replay_compare.h"

#include "unit/tools/replay_shop.h"

#include <functional>

using namespace mayfly;
using namespace mayfly::events;
using mayfly::tools::Shop;

namespace {

void live(Shop& shop) {
  for (const std::string cart : {"a", "b", "c"}) {
    shop.send(cart, "cart.create", R"({"currency":"GBP"})");
    shop.send(cart, "cart.add_line", R"({"sku":"TEA","quantity":2,"unit_price_minor":250})");
    shop.send(cart, "cart.add_line", R"({"sku":"CUP","quantity":0,"unit_price_minor":250})");
    shop.send(cart, "cart.add_line", "no json");
  }
  shop.send("a", "cart.cancel", "{}");
  shop.tick_after(1_s);
  shop.tick_after(25_h);
  shop.serve();
}

std::vector<std::string> decisions_of(Shop& shop) {
  tools::Recorded recorded;
  CHECK(tools::read_recorded(shop.client, recorded).ok());
  std::vector<std::string> lines;
  const auto status = tools::each_decision(shop.client, recorded,
                                           [&](const auto& event) { lines.push_back(tools::decision_line(event)); });
  CHECK(status.ok());
  return lines;
}

tools::Comparison compared(Shop& shop, tools::OtherSide& other) {
  tools::Recorded recorded;
  CHECK(tools::read_recorded(shop.client, recorded).ok());
  tools::Comparison result;
  const auto status = tools::compare_with(shop.client, recorded, other, result);
  CHECK(status.message == "");
  return result;
}

tools::Comparison compared_with_lines(Shop& shop, const std::vector<std::string>& lines) {
  std::size_t at = 0;
  tools::ProgramSide other([&](std::string& line) {
    if (at == lines.size()) return false;
    line = lines[at++];
    return true;
  });
  return compared(shop, other);
}

void replace(std::string& text, const std::string& what, const std::string& by) {
  if (const auto at = text.find(what); at != std::string::npos) text.replace(at, what.size(), by);
}

}  // namespace

TEST_CASE("a log and a program that decide the same have no cart that differs") {
  Shop shop;
  live(shop);
  adapters::MemoryClient results(shop.store);
  tools::RecordedSide recorded(results);
  const auto result = compared(shop, recorded);
  CHECK(result.carts.empty());
  CHECK(result.events == std::ssize(shop.store.records(Stream::events, 0)));
  CHECK(compared_with_lines(shop, decisions_of(shop)).carts.empty());
}

TEST_CASE("each cart's first difference is named with its command, the state before and both sides") {
  Shop shop;
  live(shop);
  auto lines = decisions_of(shop);
  for (auto& line : lines) {
    if (line.find(R"("cart":"c")") != std::string::npos) continue;
    replace(line, "total_minor", "total_dearer");
    replace(line, "cart.expired", "cart.canceled");
  }
  const auto result = compared_with_lines(shop, lines);
  CHECK(result.carts.size() == 2);
  const auto& a = result.carts.at("a");
  CHECK(a.command == "cart.add_line");
  CHECK(a.at.offset == 1);
  CHECK(a.before["phase"] == "active");
  CHECK(a.before["lines"].empty());
  CHECK(a.other.front().find("total_dearer") != std::string::npos);
  CHECK(a.again.front().find("total_minor") != std::string::npos);
}

TEST_CASE("what each side came to is summed, whichever cart it is of") {
  Shop shop;
  live(shop);
  const auto whole = decisions_of(shop);
  CHECK(compared_with_lines(shop, whole).other == compared_with_lines(shop, whole).again);
  auto lines = whole;
  for (auto& line : lines) replace(line, "cart.expired", "cart.canceled");
  lines.erase(lines.begin());  // a cart.created
  std::vector<std::string> said;
  const auto result = compared_with_lines(shop, lines);
  tools::each_differing_sum(result.other, result.again,
                            [&](const std::string& sum, std::int64_t one, std::int64_t two) {
                              said.push_back(sum + " " + std::to_string(one) + " " + std::to_string(two));
                            });
  CHECK(said == std::vector<std::string>{"cart.canceled 3 1", "cart.created 2 3", "cart.expired 0 2"});
  CHECK(result.again.at("command.rejected") > 0);
}

TEST_CASE("money is summed by currency, of totals what was added") {
  tools::ReplaySums sums;
  tools::SummedEvents summed(sums);
  summed.count("order.placed", R"({"order_id":"o-a","total_minor":500,"currency":"GBP"})");
  summed.count("payment.captured", R"({"session_id":"a-p1","amount_minor":200,"currency":"GBP"})");
  summed.count("payment.captured", R"({"session_id":"a-p1","amount_minor":500,"currency":"GBP"})");
  summed.count("payment.refunded", R"({"session_id":"a-p1","amount_minor":120,"currency":"GBP"})");
  summed.count("command.rejected", R"({"code":"cart_full"})");
  summed.count("payment.captured", "no json");
  CHECK(sums["money ordered GBP"] == 500);
  CHECK(sums["money captured GBP"] == 500);
  CHECK(sums["money refunded GBP"] == 120);
  CHECK(sums["command.rejected cart_full"] == 1);
  CHECK(sums["payment.captured"] == 3);
}

TEST_CASE("an event that only one side has is a difference of its cart") {
  Shop shop;
  live(shop);
  const auto whole = decisions_of(shop);
  for (std::size_t left_out = 0; left_out < whole.size(); ++left_out) {
    CAPTURE(whole[left_out]);
    auto lines = whole;
    lines.erase(lines.begin() + static_cast<std::ptrdiff_t>(left_out));
    CHECK(compared_with_lines(shop, lines).carts.size() == 1);
    lines = whole;
    lines.insert(lines.begin() + static_cast<std::ptrdiff_t>(left_out), whole[left_out]);
    CHECK(compared_with_lines(shop, lines).carts.size() == 1);
  }
}

TEST_CASE("a program that says something else is not compared with") {
  Shop shop;
  live(shop);
  tools::Recorded recorded;
  CHECK(tools::read_recorded(shop.client, recorded).ok());
  tools::ProgramSide other([](std::string& line) {
    line = "usage: something";
    return true;
  });
  tools::Comparison result;
  const auto status = tools::compare_with(shop.client, recorded, other, result);
  CHECK(status.message.find("usage: something") != std::string::npos);
}
