#include "actors/partition/state_comparison.h"

#include "events/text/precondition.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

namespace mayfly::actors {

namespace {

std::string of(std::int64_t value) { return std::to_string(value); }
std::string of(const std::optional<events::Timestamp>& time) { return time ? of(time->ms) : "nothing"; }
std::string of(bool yes) { return yes ? "yes" : "no"; }

}  // namespace

StateComparison::StateComparison(PartitionState& in_memory, Findings& findings)
    : in_memory_(in_memory), findings_(findings), status_(in_memory.status()) {}

void StateComparison::committed(const PartitionState& woken, std::string_view key, std::string_view value) {
  if (key.starts_with('\x01')) return;  // the engine's records: complete()
  ++carts_;
  auto* old = in_memory_.carts.find(key);
  if (in_memory_.unreadable.contains(key)) return;  // it was mended meanwhile
  if (old == nullptr) return findings_.differs(key, {"cart", "nothing", "open"});
  events::precondition(!old->has_actor(), "StateComparison: no cart has an actor");
  const auto trouble = in_memory_.troubles.kept(*old);
  if (!trouble.none() || old->snapshot() != value) {
    const events::SnapshotParts parts{old->wait(), trouble, old->cart(), old->session()};
    if (auto field = events::first_difference(key, parts, events::parts_of(value))) {
      findings_.differs(key, std::move(*field));
    }
  }
  const bool listed = old->place_in_waits != not_listed;
  const bool to_list = woken.carts.find(key)->place_in_waits != not_listed;
  if (listed != to_list) findings_.differs(key, {"wait.listed", of(listed), of(to_list)});
  in_memory_.carts.remove(*old);
}

void StateComparison::complete(const PartitionState& woken) {
  std::vector<std::string_view> left;
  in_memory_.carts.for_each([&left](const CartEntry& entry) { left.push_back(entry.id()); });
  std::sort(left.begin(), left.end());
  for (const auto id : left) {
    ++carts_;
    findings_.differs(id, {"cart", "open", "nothing"});
  }
  const auto now = woken.status();
  const auto differ = [this](const char* field, const auto& one, const auto& other) {
    if (!(one == other)) findings_.differs({}, {field, of(one), of(other)});
  };
  if (auto field = events::first_difference(in_memory_.position, woken.position)) {
    field->field.insert(0, "position.");
    findings_.differs({}, std::move(*field));
  }
  differ("next_due_ms", status_.next_due, now.next_due);
  differ("unstarted_waits", status_.unstarted_waits, now.unstarted_waits);
  differ("sessions_open", status_.sessions_open, now.sessions_open);
  differ("carts_quarantined", status_.carts_quarantined, now.carts_quarantined);
  differ("epitaphs", status_.epitaphs, now.epitaphs);
}

}  // namespace mayfly::actors
