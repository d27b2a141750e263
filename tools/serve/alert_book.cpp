#include "tools/serve/alert_book.h"

#include "events/text/time_text.h"
#include "tools/console/parsed_json.h"
#include "tools/console/printable.h"
#include "tools/records/record_text.h"

#include <algorithm>
#include <array>
#include <utility>

namespace mayfly::tools {

namespace {

/// An alert that lasts, and the one that ends it.
struct Pair {
  std::string_view begin, end;
  bool of_partition;  // one of each partition may be open
  bool in_process;    // a new process says it anew if it lasts
};
constexpr std::array pairs = {Pair{"leak", "leak_ended", false, true},
                              Pair{"memory_pressure", "memory_pressure_ended", false, true},
                              Pair{"transaction_hanging", "transaction_ended", true, true},
                              Pair{"record_too_large", "record_taken", true, true},
                              Pair{"clocks_apart", "clocks_agree", false, true},
                              Pair{"log_over_limit", "log_within_limit", false, true},
                              Pair{"cart_quarantined", "cart_released", false, false}};

struct Runbook {
  std::string_view alert, page;
};
constexpr std::array runbooks = {Runbook{"payment_unresolved", "MayflyPaymentUnresolved"},
                                 Runbook{"payment_unmatched", "MayflyPaymentUnresolved"},
                                 Runbook{"reservation_rejected_after_order", "MayflyPaymentUnresolved"},
                                 Runbook{"cart_restarted", "MayflyActorRestarts"},
                                 Runbook{"cart_quarantined", "MayflyCartsQuarantined"},
                                 Runbook{"state_unreadable", "MayflyCartsQuarantined"},
                                 Runbook{"partition_rebuilt", "MayflyPartitionRebuilt"},
                                 Runbook{"log_gap", "MayflyPartitionStopped"},
                                 Runbook{"log_cut", "MayflyPartitionStopped"},
                                 Runbook{"log_over_limit", "MayflyLogOverLimit"},
                                 Runbook{"leak", "MayflyLeak"},
                                 Runbook{"transaction_hanging", "MayflyTransactionHanging"},
                                 Runbook{"record_too_large", "MayflyNotReady"},
                                 Runbook{"commands_skipped", "MayflyDeadLetters"},
                                 Runbook{"clocks_apart", "MayflyClocksApart"},
                                 Runbook{"memory_pressure", "MayflyMemoryPressure"},
                                 Runbook{"renewal_difference", "MayflyRenewalDifference"},
                                 Runbook{"partition_over_budget", "MayflyPartitionOverBudget"},
                                 Runbook{"merge_over", "MayflyMergeOver"},
                                 Runbook{"delivery_parked", "MayflyDeliveriesParked"}};

bool same(const Pair& pair, const Alert& a, const Alert& b) {
  return a.name == pair.begin && a.what == b.what && a.cart == b.cart &&
         (!pair.of_partition || a.partition == b.partition);
}

/// "The log's wal_bytes is 5, over ..." is about wal_bytes.
std::string figure_in(std::string_view message) {
  constexpr std::string_view before = "The log's ";
  if (!message.starts_with(before)) return {};
  message.remove_prefix(before.size());
  return std::string(message.substr(0, message.find(' ')));
}

}  // namespace

std::optional<Alert> read_alert(const events::Record& record) {
  const auto data = parsed_json(record.value.value_or(""));
  if (!data.is_object() || !data.contains("alert") || !data["alert"].is_string()) return std::nullopt;
  Alert alert;
  alert.name = printable(data["alert"].get<std::string>());
  if (data.contains("message") && data["message"].is_string()) {
    alert.message = printable(data["message"].get<std::string>());
  }
  alert.cart = printable(header(record, "ce_subject"));
  alert.partition = record.at.partition;
  alert.at = record.append_time;
  if (data.contains("leak") && data["leak"].is_object()) {
    const auto& leak = data["leak"];
    alert.what = printable(leak.value("purpose", "") + " " + leak.value("kind", ""));
  } else {
    alert.what = figure_in(alert.message);
  }
  return alert;
}

std::string_view name(AlertState state) {
  switch (state) {
    case AlertState::open: return "open";
    case AlertState::ended: return "ended";
    case AlertState::once: return "once";
    case AlertState::superseded: return "superseded";
  }
  return {};
}

void AlertBook::add(Alert alert) {
  const auto begins = std::find_if(pairs.begin(), pairs.end(), [&](const Pair& p) { return p.begin == alert.name; });
  const auto ends = std::find_if(pairs.begin(), pairs.end(), [&](const Pair& p) { return p.end == alert.name; });
  const auto& pair = begins != pairs.end() ? *begins : ends != pairs.end() ? *ends : pairs.front();
  const auto before = std::find_if(rows_.rbegin(), rows_.rend(), [&](const AlertRow& row) {
    return row.state == AlertState::open && same(pair, row.alert, alert);
  });
  if (ends != pairs.end()) {
    if (before == rows_.rend()) return;  // what it ends is older than what is kept
    before->state = AlertState::ended;
    before->ended = alert.at;
    return;
  }
  if (begins == pairs.end()) {
    rows_.push_back({std::move(alert), AlertState::once, {}});
  } else if (before != rows_.rend() && (!pair.in_process || before->alert.at >= begun_)) {
    before->alert.message = std::move(alert.message);  // it goes on, and is worse or better
  } else {
    if (before != rows_.rend()) before->state = AlertState::superseded;
    rows_.push_back({std::move(alert), AlertState::open, {}});
  }
  make_room();
}

void AlertBook::make_room() {
  if (rows_.size() <= most_rows) return;
  const auto idle =
      std::find_if(rows_.begin(), rows_.end(), [](const AlertRow& row) { return row.state != AlertState::open; });
  rows_.erase(idle == rows_.end() ? rows_.begin() : idle);
}

std::vector<AlertRow> AlertBook::rows() const {
  std::vector<AlertRow> rows(rows_.rbegin(), rows_.rend());
  for (auto& row : rows) {
    const auto pair =
        std::find_if(pairs.begin(), pairs.end(), [&](const Pair& p) { return p.begin == row.alert.name; });
    const bool dead = pair != pairs.end() && pair->in_process && row.alert.at < begun_;
    if (row.state == AlertState::open && dead) row.state = AlertState::superseded;
  }
  std::stable_partition(rows.begin(), rows.end(), [](const AlertRow& row) { return row.state == AlertState::open; });
  return rows;
}

std::string_view runbook_of(std::string_view alert) {
  const auto found = std::find_if(runbooks.begin(), runbooks.end(), [&](const Runbook& r) { return r.alert == alert; });
  return found == runbooks.end() ? std::string_view{} : found->page;
}

}  // namespace mayfly::tools
