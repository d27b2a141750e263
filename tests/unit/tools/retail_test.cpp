#include "tools/feed/retail.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

using namespace mayfly::tools;

namespace {

constexpr const char* header = "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country\n";

/// "type data" of each command that the rows become, or "wrong: ..." for a row that cannot be read.
std::vector<std::string> commands(const std::string& rows) {
  std::vector<std::string> all;
  RetailShop shop([&](const OutgoingCommand& c) { all.push_back(c.type + " " + c.data); });
  CsvReader csv([&](std::int64_t line, const CsvReader::Fields& fields) {
    if (const auto wrong = shop.row(fields); !wrong.empty())
      all.push_back("line " + std::to_string(line) + ": " + wrong);
  });
  const std::string text = header + rows;
  for (const char c : text) csv.read({&c, 1});  // in the smallest pieces
  csv.end();
  shop.end();
  return all;
}

}  // namespace

TEST_CASE("prices become pence from their decimal text, half away from zero") {
  const struct {
    const char* text;
    std::int64_t pence;
  } rows[] = {{"2.55", 255},           {"0.001", 0},  {"0.005", 1}, {"-0.005", -1}, {"15.0", 1500}, {"7", 700},
              {"-11062.06", -1106206}, {"4.994", 499}};
  for (const auto& row : rows) CHECK(pence(row.text) == row.pence);
  for (const auto* text : {"", "x", "1,5", "1.2x", "--1", "."}) CHECK(!pence(text));
}

TEST_CASE("an invoice becomes a cart with its checkout and the replies to it") {
  CHECK(commands("1,A,\" Tea, \"\"best\"\" \",2,d,1.50,17850.0,UK\n1,A,Tea,1,d,1.50,17850.0,UK\n") ==
        std::vector<std::string>{
            R"(cart.create {"currency":"GBP","customer_id":"17850"})",
            R"(cart.add_line {"sku":"A","quantity":2,"unit_price_minor":150,"name":"Tea, \"best\""})",
            R"(cart.add_line {"sku":"A","quantity":1,"unit_price_minor":150,"name":"Tea"})",
            R"(checkout.complete {"expected_total_minor":450,"payment":{"provider":"sim","token":"tok_1"}})",
            R"(inventory.reserved {"reservation_id":"retail-1-r1"})",
            R"(payment.authorized {"session_id":"retail-1-p1","reference":"pi_1","amount_minor":450,"currency":"GBP"})",
            R"(payment.captured {"session_id":"retail-1-p1","reference":"pi_1","amount_minor":450,"currency":"GBP"})"});
}

TEST_CASE("one article at two prices becomes two lines, and the total is that of the rows") {
  const auto all = commands(
      "5,A,Tea,-1,d,9.00,,UK\n"  // refused: it sets no price
      "5,A,Tea,2,d,1.50,,UK\n5,A,Tea,3,d,1.00,,UK\n5,A,Tea,1,d,1.50,,UK\n5,A,Tea,4,d,1.00,,UK\n");
  CHECK(std::vector<std::string>(all.begin() + 1, all.begin() + 7) ==
        std::vector<std::string>{
            R"(cart.add_line {"sku":"A","quantity":-1,"unit_price_minor":900,"name":"Tea"})",
            R"(cart.add_line {"sku":"A","quantity":2,"unit_price_minor":150,"name":"Tea"})",
            R"(cart.add_line {"sku":"A","quantity":3,"unit_price_minor":100,"name":"Tea","line_id":"A@100"})",
            R"(cart.add_line {"sku":"A","quantity":1,"unit_price_minor":150,"name":"Tea"})",
            R"(cart.add_line {"sku":"A","quantity":4,"unit_price_minor":100,"name":"Tea","line_id":"A@100"})",
            R"(checkout.complete {"expected_total_minor":1150,"payment":{"provider":"sim","token":"tok_5"}})"});
}

TEST_CASE("an invoice of which nothing is accepted is canceled, a free one is not paid") {
  CHECK(commands("C2,A,Tea,-2,d,1.50,,UK\n").back() == R"(cart.cancel {"reason":"empty"})");
  CHECK(commands("3,A,,2,d,0.0,,UK\n").back() == R"(inventory.reserved {"reservation_id":"retail-3-r1"})");
}

TEST_CASE("a row that cannot be read is named by its line and left out") {
  const auto all = commands("4,A,Tea,two,d,1.50,,UK\n4,A,Tea,1,d,free,,UK\n4,A\n4,B,Tea,1,d,1.00,,UK\n");
  CHECK(all[0] == "line 2: Quantity is no integer");
  CHECK(all[1] == "line 3: UnitPrice is no decimal number");
  CHECK(all[2] == "line 4: 2 fields where the header has 8");
  CHECK(all[3].starts_with("cart.create"));
}
