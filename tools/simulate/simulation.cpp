#include "tools/simulate/simulation.h"

#include "tools/console/text.h"
#include "tools/records/each_record.h"
#include "tools/records/record_text.h"

#include <algorithm>

namespace mayfly::tools {

using events::LogStatus;

namespace {

constexpr events::Millis keep_interval{200};  // between two writes of the position

}  // namespace

Simulation::Simulation(events::LogClient& log, Wanted wanted)
    : log_(log),
      wanted_(wanted),
      group_(std::string("simulate") + (wanted.provider ? ".provider" : "") + (wanted.warehouse ? ".warehouse" : "")),
      out_(log),
      chance_(wanted_.seed, wanted_.faster),
      stock_(out_, "/simulate/warehouse"),
      money_(out_, "/simulate/provider"),
      warehouse_(stock_, wanted_.rates, chance_),
      provider_(money_, wanted_.rates, chance_) {}

LogStatus Simulation::begin() {
  auto kept = log_.group_positions(group_, events::Stream::events);
  if (!kept.status.ok()) return std::move(kept.status);
  for (events::Partition p = 0; p < log_.partitions(); ++p) {
    auto ends = log_.ends(events::Stream::events, p);
    if (!ends.status.ok()) return std::move(ends.status);
    events::Position next{p, ends.first};
    const auto known = std::find_if(kept.next.begin(), kept.next.end(), [p](auto& at) { return at.partition == p; });
    if (known != kept.next.end() && known->offset > ends.end)
      return {events::LogError::corrupt, "The simulation was at " + position_text(*known) +
                                             ", beyond the end of the events at " + std::to_string(ends.end) +
                                             ": the log is older than that, as after a restore. Take another log."};
    const auto answered = known != kept.next.end() ? known->offset : ends.first;
    if (auto status = read_from_the_begin(next, answered); !status.ok()) return status;
    next_.push_back(next);
  }
  kept_ = std::move(kept.next);
  return {};
}

LogStatus Simulation::read_from_the_begin(events::Position& next, events::Offset answered) {
  const auto answer = [&](bool from_here_on) {
    if (from_here_on) provider_.settle_all(next.partition);
    stock_.keep_silent(!from_here_on);
    money_.keep_silent(!from_here_on);
  };
  bool silent = true;
  answer(false);
  auto status = each_record(log_, events::Stream::events, next.partition, [&](const events::Record& record) {
    if (silent && record.at.offset >= answered) {
      silent = false;
      answer(true);
    }
    take(record);
    next.offset = record.at.offset + 1;
    return true;
  });
  if (silent) answer(true);
  return status;
}

/// Time is the event's own, so that it is the same when the event is read again.
void Simulation::take(const events::Record& record) {
  const auto type = short_type(record);
  if (type.starts_with("order.")) return note_order(type, record);
  const bool of_money = type.starts_with("payment.");
  if (of_money ? !wanted_.provider : !wanted_.warehouse) return;
  const auto request = request_of(record);
  if (!request) return;
  ++taken_;
  if (of_money) return provider_.take(record.append_time, *request);
  warehouse_.take(record.append_time, *request);
}

void Simulation::note_order(std::string_view type, const events::Record& record) {
  const std::string cart(record.key.value_or(events::Bytes{}));
  const auto data = nlohmann::json::parse(record.value.value_or("{}"), nullptr, false);
  if (type == "order.placed" && data.contains("session_id")) {
    const std::string session = data["session_id"];
    const auto account = provider_.accounts().find(session);
    const auto extra = account == provider_.accounts().end() ? 0 : account->second.extra;
    orders_[session] = data.value("total_minor", std::int64_t{0}) + extra;
    session_of_[cart] = session;
  } else if (type == "order.canceled") {
    orders_.erase(session_of_[cart]);
    session_of_.erase(cart);
  }
}

LogStatus Simulation::step(events::Timestamp now, bool& found) {
  found = false;
  for (auto& next : next_) {
    const auto fetched = log_.read(events::Stream::events, next.partition, next.offset, read_at_once);
    if (!fetched.status.ok()) return fetched.status;
    for (const auto& record : fetched.batch.records) take(record);
    next.offset = fetched.next;
    found = found || !fetched.batch.records.empty();
  }
  const auto before = sent();
  provider_.settle_pending(now);
  auto status = stock_.send_due(now);
  if (status.ok()) status = money_.send_due(now);
  if (status.ok()) status = out_.flush();
  found = found || sent() != before;
  if (!status.ok() || !events::has_passed(keep_interval, looked_at_, now)) return status;
  looked_at_ = now;
  return keep();
}

LogStatus Simulation::read_orders_to_the_end() {
  LogStatus status;
  for (auto next = next_.begin(); next != next_.end() && status.ok(); ++next) {
    status = each_record(log_, events::Stream::events, next->partition, [&](const events::Record& record) {
      const auto type = short_type(record);
      if (record.at.offset >= next->offset && type.starts_with("order.")) note_order(type, record);
      return true;
    });
  }
  return status;
}

LogStatus Simulation::keep() {
  auto positions = next_;
  stock_.hold_back(positions);
  money_.hold_back(positions);
  provider_.hold_back(positions);
  if (positions == kept_) return {};
  auto status = log_.keep_group_positions(group_, events::Stream::events, positions);
  if (status.ok()) kept_ = std::move(positions);
  return status;
}

}  // namespace mayfly::tools
