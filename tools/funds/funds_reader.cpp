#include "tools/funds/funds_reader.h"

#include "events/rules/identity.h"
#include "events/wire/json_writer.h"
#include "tools/console/prometheus_text.h"
#include "tools/console/text.h"
#include "tools/records/each_record.h"
#include "tools/records/record_text.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <limits>
#include <optional>

namespace mayfly::tools {

namespace {

using events::EventType;

/// Only these say something about money; the others are not parsed.
bool concerns_funds(EventType t) {
  return events::is_payment_event(t) || t == EventType::order_placed || t == EventType::cart_expired ||
         t == EventType::cart_canceled || t == EventType::cart_merged || t == EventType::cart_converted;
}

}  // namespace

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
  e.cause = events::cause_from_name(data.value("cause", ""));
  e.on_command = data.value("capture", "") == "on_command";
  e.extra_minor = data.value("extra_up_to_minor", std::int64_t{0});
  e.final = data.value("final", false);
  e.cart_lives = !header(record, "ce_sequence").empty();
  e.time = record.append_time;
  e.at = record.at;
  return e;
}

events::LogStatus read_risks(events::LogClient& log, const std::string& cart, std::vector<Risk>& risks,
                             std::vector<events::Position>& cut) {
  events::LogStatus status;
  for (events::Partition p = 0; p < log.partitions() && status.ok(); ++p) {
    if (!cart.empty() && events::partition_of(cart, log.partitions()) != p) continue;
    const auto ends = log.ends(events::Stream::events, p);
    if (!ends.status.ok()) return ends.status;
    if (ends.first > 0) cut.push_back({p, ends.first});
    FundsBook book;  // a cart's events lie in one partition
    status = each_record(log, events::Stream::events, p, [&](const events::Record& record) {
      if (!cart.empty() && record.key != cart) return true;
      if (const auto event = funds_event(record)) book.apply(*event);
      return true;
    });
    if (status.ok() && book.has_unmatched()) {
      status = each_record(log, events::Stream::events, p, [&](const events::Record& record) {
        if (const auto event = funds_event(record)) book.look_back(*event);
        return true;
      });
    }
    for (auto& risk : book.risks()) risks.push_back(std::move(risk));
  }
  std::stable_sort(risks.begin(), risks.end(), [](const Risk& a, const Risk& b) { return a.since < b.since; });
  return status;
}

std::map<std::pair<std::string, RiskState>, RiskTotal> totals_of(const std::vector<Risk>& risks) {
  std::map<std::pair<std::string, RiskState>, RiskTotal> totals;
  for (const auto& r : risks) {
    auto& t = totals[{r.currency, r.state}];
    t.oldest = t.rows++ == 0 ? r.since : std::min(t.oldest, r.since);
    t.amount_minor = events::add(t.amount_minor, r.amount_minor).value_or(std::numeric_limits<events::Minor>::max());
  }
  return totals;
}

std::int64_t age_s(const Risk& r, events::Timestamp now) {
  return std::max<std::int64_t>(0, (now - r.since).count / 1000);
}

std::string risks_as_metrics(const std::vector<Risk>& risks, events::Timestamp now) {
  const auto totals = totals_of(risks);
  std::string out;
  const auto family = [&](std::string_view name, std::string_view help, auto value) {
    out.append("# HELP ").append(name).append(" ").append(help).append("\n# TYPE ").append(name).append(" gauge\n");
    for (const auto& [of, total] : totals) {
      out.append(name)
          .append("{currency=\"")
          .append(label_value(of.first))
          .append("\",state=\"")
          .append(tools::name(of.second));
      out.append("\"} ").append(std::to_string(value(total))).append("\n");
    }
  };
  family("mayfly_funds_rows", "Amounts at risk, by what became of them.", [](const RiskTotal& t) { return t.rows; });
  family("mayfly_funds_minor", "The same in minor units of the currency.",
         [](const RiskTotal& t) { return t.amount_minor; });
  family("mayfly_funds_oldest_seconds", "Since when the oldest of them is at risk.",
         [now](const RiskTotal& t) { return std::max<std::int64_t>(0, (now - t.oldest).count / 1000); });
  PrometheusText read;
  read.one("mayfly_funds_read_timestamp_seconds", "gauge", "When the log was read for this, seconds since 1970.",
           now.ms / 1000);
  return out + read.out;
}

std::string risks_as_ndjson(const std::vector<Risk>& risks, const std::vector<events::Position>& cut,
                            events::Timestamp now) {
  std::string out;
  for (const auto& r : risks) {
    events::JsonObject json(out);
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
    out += '\n';
  }
  for (const auto& [of, total] : totals_of(risks)) {
    events::JsonObject json(out);
    json.text("row", "total");
    json.text("currency", of.first);
    json.text("state", name(of.second));
    json.number("rows", total.rows);
    json.number("amount_minor", total.amount_minor);
    json.close();
    out += '\n';
  }
  for (const auto& first : cut) {
    events::JsonObject json(out);
    json.text("row", "cut");
    json.number("partition", first.partition);
    json.number("first_offset", first.offset);
    json.close();
    out += '\n';
  }
  return out;
}

}  // namespace mayfly::tools
