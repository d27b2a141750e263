// mayfly funds: every amount authorized, captured or asked for whose cart is over or whose answer is missing.
// Streams the events once; keeps open positions only.
#include "adapters/open_log.h"
#include "adapters/wall_clock.h"
#include "events/identity.h"
#include "events/json_writer.h"
#include "tools/each_record.h"
#include "tools/exit_codes.h"
#include "tools/funds_book.h"
#include "tools/record_text.h"
#include "tools/text.h"
#include "tools/verbs.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cstdio>
#include <limits>
#include <map>
#include <optional>

namespace mayfly::tools {

namespace {

using events::EventType;

/// Only these say something about money; the others are not parsed.
bool concerns_funds(EventType t) {
  return (t >= EventType::payment_session_opened && t <= EventType::payment_session_ended) ||
         t == EventType::order_placed || t == EventType::cart_expired || t == EventType::cart_canceled ||
         t == EventType::cart_merged || t == EventType::cart_converted;
}

std::optional<FundsEvent> funds_event(const events::Record& record) {
  const auto type = events::event_type_from_ce_type(header(record, "ce_type"));
  if (!type || !concerns_funds(*type)) return std::nullopt;
  const auto data = nlohmann::json::parse(record.value.value_or("{}"), nullptr, false);
  if (!data.is_object()) return std::nullopt;
  FundsEvent e;
  e.type = *type;
  e.cart = record.key.value_or("");
  e.session = data.value("session_id", "");
  e.order = data.value("order_id", "");
  e.amount_minor = data.value("amount_minor", std::int64_t{0});
  e.currency = data.value("currency", "");
  e.cart_lives = !header(record, "ce_sequence").empty();
  e.time = record.append_time;
  e.at = record.at;
  return e;
}

struct Total {
  std::int64_t rows = 0;
  events::Minor amount_minor = 0;
};
using Totals = std::map<std::pair<std::string, RiskState>, Total>;

Totals totals_of(const std::vector<Risk>& risks) {
  Totals totals;
  for (const auto& r : risks) {
    auto& t = totals[{r.currency, r.state}];
    ++t.rows;
    t.amount_minor = events::add(t.amount_minor, r.amount_minor).value_or(std::numeric_limits<events::Minor>::max());
  }
  return totals;
}

std::int64_t age_s(const Risk& r, events::Timestamp now) {
  return std::max<std::int64_t>(0, (now - r.since).count / 1000);
}

void print_json(const std::vector<Risk>& risks, events::Timestamp now) {
  for (const auto& r : risks) {
    std::string line;
    events::JsonObject json(line);
    json.text("row", "risk");
    json.text("cart", r.cart);
    json.text("session", r.session);
    json.text_if("order", r.order);
    json.text("state", name(r.state));
    json.number("amount_minor", r.amount_minor);
    json.text("currency", r.currency);
    json.boolean("cart_over", r.cart_over);
    json.text("since", time_text(r.since));
    json.number("age_s", age_s(r, now));
    json.number("partition", r.at.partition);
    json.number("offset", r.at.offset);
    json.close();
    std::puts(line.c_str());
  }
  for (const auto& [of, total] : totals_of(risks)) {
    std::string line;
    events::JsonObject json(line);
    json.text("row", "total");
    json.text("currency", of.first);
    json.text("state", name(of.second));
    json.number("rows", total.rows);
    json.number("amount_minor", total.amount_minor);
    json.close();
    std::puts(line.c_str());
  }
}

std::string amount_text(events::Minor amount, const std::string& code) {
  const auto currency = events::currency_in_force(code);
  return currency ? money(amount, *currency) : grouped(amount) + " minor units " + code;
}

std::string age_text(std::int64_t s) {
  if (s < 120) return std::to_string(s) + " s";
  if (s < 2 * 3600) return std::to_string(s / 60) + " min";
  return s < 2 * 86'400 ? std::to_string(s / 3600) + " h" : std::to_string(s / 86'400) + " d";
}

void print_table(const std::vector<Risk>& risks, events::Timestamp now) {
  if (risks.empty()) return void(std::puts("No money is at risk."));
  std::printf("%-24s %20s %8s %-9s %10s  %-40s %s\n", "state", "amount", "age", "cart is", "event", "session", "order");
  for (const auto& r : risks) {
    const auto where = std::to_string(r.at.partition) + ":" + std::to_string(r.at.offset);
    std::printf("%-24s %20s %8s %-9s %10s  %-40s %s\n", std::string(name(r.state)).c_str(),
                amount_text(r.amount_minor, r.currency).c_str(), age_text(age_s(r, now)).c_str(),
                r.cart_over ? "over" : "open", where.c_str(), r.session.c_str(), r.order.c_str());
  }
  std::puts("");
  for (const auto& [of, total] : totals_of(risks)) {
    std::printf("%-24s %20s %8s rows\n", std::string(name(of.second)).c_str(),
                amount_text(total.amount_minor, of.first).c_str(), grouped(total.rows).c_str());
  }
}

}  // namespace

int funds(const FundsOptions& options) {
  const adapters::WallClock clock;
  events::LogStatus status;
  const auto log = adapters::open_client(options.log, {}, false, clock, status);
  std::vector<Risk> risks;
  for (events::Partition p = 0; log && p < log->partitions() && status.ok(); ++p) {
    if (!options.cart.empty() && events::partition_of(options.cart, log->partitions()) != p) continue;
    FundsBook book;  // a cart's events lie in one partition
    status = each_record(*log, events::Stream::events, p, [&](const events::Record& record) {
      if (!options.cart.empty() && record.key != options.cart) return true;
      if (const auto event = funds_event(record)) book.apply(*event);
      return true;
    });
    for (auto& risk : book.risks()) risks.push_back(std::move(risk));
  }
  if (!status.ok()) {
    std::fprintf(stderr, "%s\n", status.message.c_str());
    return exit_code_of(status.error);
  }
  std::stable_sort(risks.begin(), risks.end(), [](const Risk& a, const Risk& b) { return a.since < b.since; });
  options.json ? print_json(risks, clock.now()) : print_table(risks, clock.now());
  return exit_ok;
}

}  // namespace mayfly::tools
