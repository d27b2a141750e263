// Alerts as the page lists them: what opens one, what ends it, what is kept.
#include "tools/serve/alert_book.h"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

using namespace mayfly;
using tools::Alert;
using tools::AlertBook;

namespace {

constexpr std::int64_t begun = 1'000;

Alert said(const std::string& name, std::int64_t at, const std::string& what = {}, const std::string& cart = {},
           events::Partition partition = 0) {
  return {name, what, cart, "message", partition, {at}};
}

/// "name state[ ended]" of each row.
std::string rows(const std::vector<Alert>& alerts) {
  AlertBook book({begun});
  for (const auto& alert : alerts) book.add(alert);
  std::string out;
  for (const auto& row : book.rows()) {
    out += (out.empty() ? "" : "; ") + row.alert.name + " " + std::string(name(row.state));
    if (row.state == tools::AlertState::ended) out += " " + std::to_string(row.ended.ms);
  }
  return out;
}

std::optional<Alert> read(const std::string& value, const std::string& subject = {}) {
  events::Record record;
  const std::vector<events::Header> headers = {{"ce_subject", subject}};
  record.at = {3, 7};
  record.append_time = {2'000};
  record.value = value;
  if (!subject.empty()) record.headers = headers;
  return tools::read_alert(record);
}

}  // namespace

TEST_CASE("an alert is open until its own end, and not ended by another's") {
  struct Row {
    std::vector<Alert> alerts;
    std::string rows;
  };
  const std::vector<Row> cases = {
      {{}, ""},
      {{said("payment_unresolved", 2'000)}, "payment_unresolved once"},
      {{said("leak", 2'000, "cart.lines growth")}, "leak open"},
      {{said("leak", 2'000, "a"), said("leak_ended", 3'000, "a")}, "leak ended 3000"},
      {{said("leak", 2'000, "a"), said("leak_ended", 3'000, "b")}, "leak open"},
      {{said("leak", 2'000, "a"), said("leak", 2'100, "b"), said("leak_ended", 3'000, "a")},
       "leak open; leak ended 3000"},
      {{said("leak_ended", 3'000, "a")}, ""},
      {{said("cart_quarantined", 2'000, "", "c1"), said("cart_released", 3'000, "", "c2")}, "cart_quarantined open"},
      {{said("cart_quarantined", 2'000, "", "c1"), said("cart_released", 3'000, "", "c1")},
       "cart_quarantined ended 3000"},
      // Memory's pressure is said at each level: one alert that goes on.
      {{said("memory_pressure", 2'000), said("memory_pressure", 2'100)}, "memory_pressure open"},
      // Its end may be said by another partition.
      {{said("memory_pressure", 2'000, "", "", 0), said("memory_pressure_ended", 2'100, "", "", 5)},
       "memory_pressure ended 2100"},
      {{said("transaction_hanging", 2'000, "", "", 0), said("transaction_ended", 2'100, "", "", 5)},
       "transaction_hanging open"},
      {{said("log_over_limit", 2'000, "bytes"), said("log_within_limit", 2'100, "wal_bytes")}, "log_over_limit open"},
      // What a process knew is over with it; a quarantine is not.
      {{said("leak", 500, "a")}, "leak superseded"},
      {{said("leak", 500, "a"), said("leak", 2'000, "a")}, "leak open; leak superseded"},
      {{said("cart_quarantined", 500, "", "c1")}, "cart_quarantined open"},
      // Open ones first.
      {{said("leak", 2'000, "a"), said("log_gap", 2'100)}, "leak open; log_gap once"},
  };
  for (const auto& row : cases) {
    CAPTURE(row.rows);
    CHECK(rows(row.alerts) == row.rows);
  }
}

TEST_CASE("of more alerts than are kept the oldest go, and open ones stay") {
  AlertBook book({begun});
  book.add(said("leak", 2'000, "a"));
  for (std::int64_t i = 0; i < 1'000; ++i) book.add(said("payment_unresolved", 3'000 + i));
  const auto kept = book.rows();
  CHECK(kept.size() == AlertBook::most_rows);
  CHECK(kept.front().alert.name == "leak");
  CHECK(kept[1].alert.at.ms == 3'999);
}

TEST_CASE("an alert's record says what it is about") {
  const auto leak = read(
      R"({"alert":"leak","partition":3,"offset":7,"message":"m","leak":{"purpose":"cart.lines","kind":"growth_per_actor"}})");
  REQUIRE(leak);
  CHECK(leak->what == "cart.lines growth_per_actor");
  CHECK(leak->partition == 3);
  CHECK(leak->at.ms == 2'000);
  const auto wal =
      read(R"({"alert":"log_over_limit","message":"The log's wal_bytes is 5, over its limit of 3. Close it."})");
  REQUIRE(wal);
  CHECK(wal->what == "wal_bytes");
  CHECK(read(R"({"alert":"cart_quarantined","message":"m"})", "c1")->cart == "c1");
  for (const auto* no_alert : {"", "[]", "{", "{}", R"({"alert":3})"}) CHECK_FALSE(read(no_alert));
}

TEST_CASE("every alert that the contract has is known, and every runbook named is there") {
  const std::filesystem::path docs = MAYFLY_DOCS;
  std::stringstream contract;
  contract << std::ifstream(docs / "asyncapi.yaml").rdbuf();
  const auto text = contract.str();
  const auto from = text.find("enum: [payment_unresolved,");
  REQUIRE(from != std::string::npos);
  auto names = text.substr(from + 7, text.find(']', from) - from - 7);
  std::replace(names.begin(), names.end(), ',', ' ');
  std::istringstream words(names);
  std::size_t count = 0;
  for (std::string name; words >> name; ++count) {
    CAPTURE(name);
    const auto page = std::string(tools::runbook_of(name));
    const bool ends_another = name.ends_with("_ended") || name == "log_within_limit" || name == "clocks_agree" ||
                              name == "record_taken" || name == "cart_released" || name == "tick_ignored" ||
                              name == "timestamp_type";
    CHECK(page.empty() == ends_another);
    if (!page.empty()) CHECK(std::filesystem::exists(docs / "runbooks" / (page + ".md")));
  }
  CHECK(count == 29);
}
