#include "actors/partition/partition_state.h"

#include "events/rules/identity.h"

#include <limits>
#include <optional>

namespace mayfly::actors {

PartitionState::PartitionState(Ledger& ledger, const events::HashKey& table_key)
    : memory(ledger, Purpose::partition_entries, std::numeric_limits<std::int64_t>::max()),
      carts({memory.of(0), memory.of(1), memory.of(2)}, events::KeyedHash(table_key)),
      by_actor(memory.of(2)),
      deadlines(memory.of(3)),
      troubles(table_key),
      epitaphs(events::limits::epitaphs_with_session, events::limits::epitaphs_without_session, memory.of(4)) {}

void PartitionState::post_memory() {
  // A node: the next, the id, the pointer. One bucket lies in the map itself.
  const auto buckets = by_actor.bucket_count() > 1 ? by_actor.bucket_count() * sizeof(void*) : 0;
  const auto awake_bytes = carts.awake_count() * static_cast<std::int64_t>(sizeof(Awake)) +
                           static_cast<std::int64_t>(by_actor.size() * 3 * sizeof(void*) + buckets);
  memory.post({carts.entry_bytes(), carts.route_bytes(), awake_bytes, deadlines.bytes(), epitaphs.bytes()}, [this] {
    return Holder{partition, 0};
  });
}

void PartitionState::note_session_age(CartEntry& entry, bool too_old) {
  sessions_too_old += (too_old ? 1 : 0) - (entry.session_too_old ? 1 : 0);
  entry.session_too_old = too_old;
}

PartitionStatus PartitionState::status() const {
  PartitionStatus s;
  s.unstarted_waits = deadlines.any_unstarted();
  s.next_due = deadlines.next_due();
  s.due_now = due_now;
  s.ticked = position.ticked;
  s.clock_skew = clock_skew;
  s.settings = position.settings;
  s.carts_open = carts.size();
  s.carts_awake = awake.size();
  s.carts_quarantined = troubles.quarantined_carts();
  s.carts_unreadable = static_cast<std::int64_t>(unreadable.size());
  s.carts_waiting = static_cast<std::int64_t>(deadlines.size()) + troubles.quarantined_carts();
  s.sessions_open = sessions_open;
  s.sessions_awake = sessions_awake;
  s.sessions_too_old = sessions_too_old;
  s.memory_bytes = memory.bytes();
  s.epitaphs = epitaphs.size();
  return s;
}

namespace {

std::string key_for_people(std::string_view key) {
  return key.starts_with('\x01') ? "engine record " + std::string(key.substr(1)) : "cart " + std::string(key);
}

/// A cart's record that is damaged costs that cart. A sentence where there are too many of them.
std::optional<std::string> note_unreadable(PartitionState& state, std::string_view key, const std::string& why) {
  state.unreadable.emplace(key, why);
  if (state.unreadable.size() <= most_unreadable_carts) return std::nullopt;
  return why + " It is one of more than " + std::to_string(most_unreadable_carts) + " such records in the partition.";
}

/// Reads one state record into the partition; a sentence if it cannot.
std::optional<std::string> read_state(PartitionState& state, std::optional<events::PositionRecord>& position,
                                      std::string_view key, std::string_view value) {
  if (key == events::position_key) {
    auto record = events::decode_position(value);
    if (auto* unsupported = std::get_if<events::Unsupported>(&record)) return unsupported->message;
    position = std::get<events::PositionRecord>(record);
    return std::nullopt;
  }
  if (events::Epitaphs::is_page_key(key)) {
    if (auto unsupported = state.epitaphs.restore_page(key, value)) return unsupported->message;
    return std::nullopt;
  }
  if (key.starts_with('\x01')) return "this program knows no such engine record";
  if (!events::is_cart_id(key)) return note_unreadable(state, key, "its key is no cart id");
  auto parts = events::split_snapshot(value);
  if (auto* unsupported = std::get_if<events::Unsupported>(&parts)) {
    return unsupported->newer ? unsupported->message : note_unreadable(state, key, unsupported->message);
  }
  const auto& found = std::get<events::SnapshotParts>(parts);
  auto& added = state.carts.add(key);
  auto& entry = found.trouble.none() ? state.carts.keep(added, value)
                                     : state.carts.keep(added, found.wait, found.cart, found.session);
  state.troubles.restore(entry, found.trouble);
  state.list_wait(entry);
  if (!found.session.empty()) ++state.sessions_open;
  return std::nullopt;
}

struct Reading {
  std::unique_ptr<PartitionState> state;
  std::optional<events::PositionRecord> position;
  events::Restored restored;
  std::string unreadable;
};

Reading read(events::Log& log, events::Partition partition, Ledger& ledger, const SeenState& seen,
             const events::HashKey& table_key) {
  Reading r;
  r.state = std::make_unique<PartitionState>(ledger, table_key);
  r.state->partition = partition;
  r.restored = log.restore(partition, [&](events::Bytes key, events::Bytes value) {
    if (!r.unreadable.empty()) return;
    if (auto why = read_state(*r.state, r.position, key, value)) {
      r.unreadable = "state of " + key_for_people(key) + ": " + *why;
    } else if (seen && !r.state->unreadable.contains(key)) {
      seen(*r.state, key, value);
    }
  });
  return r;
}

bool state_is_ahead(const Reading& r) {
  return r.restored.status.ok() && r.unreadable.empty() && r.position && r.position->next > r.restored.next;
}

events::Offset next_of(const Reading& r) {
  return r.position && !r.restored.has_committed ? r.position->next : r.restored.next;
}

/// State that another engine wrote, or this one for another partition count.
std::optional<CannotServe> misfit(const Reading& r, std::int32_t partitions, std::string_view engine) {
  if (!r.position) return std::nullopt;
  if (r.position->partitions != partitions) {
    return CannotServe{"the state was written with " + std::to_string(r.position->partitions) +
                       " partitions, the log has " + std::to_string(partitions) +
                       ". Carts would be looked for in the wrong place; partition counts cannot be changed."};
  }
  if (r.position->engine != engine) {
    return CannotServe{"the state belongs to the engine named '" + r.position->engine + "', this one is '" +
                       std::string(engine) + "'. Give that name: it is part of every idempotency key."};
  }
  return std::nullopt;
}

/// Commands that were deleted before they were decided, or that are not there any more though they were.
std::optional<CannotServe> broken_commands(const Reading& r, events::Partition partition) {
  const auto next = next_of(r);
  const auto [first, end] = std::pair(r.restored.first, r.restored.end);
  if (first <= next && next <= end) return std::nullopt;
  const auto here = "partition " + std::to_string(partition) + " is not served: its position is " +
                    std::to_string(next) + ", but its commands begin at offset " + std::to_string(first) +
                    " and end before " + std::to_string(end) + ". ";
  if (first > next) {
    return CannotServe{here + "Those from " + std::to_string(next) + " to " + std::to_string(first - 1) +
                           " were deleted before they were decided, by retention or by hand. Stop the engine; then "
                           "either bring all streams back as of one moment, or begin with new ones and send again "
                           "what was not decided. Keep commands longer than the engine is ever away.",
                       events::LogError::corrupt, "log_gap"};
  }
  return CannotServe{here +
                         "Commands that were decided are gone from its end: it was made anew, restored from an "
                         "older copy, or lost them with a broker. Stop the engine; then either bring all streams "
                         "back as of one moment, or begin with new ones.",
                     events::LogError::corrupt, "log_cut"};
}

}  // namespace

std::variant<std::unique_ptr<PartitionState>, CannotServe> restore(events::Log& log, events::Partition partition,
                                                                   std::string_view engine, Ledger& ledger,
                                                                   const SeenState& seen,
                                                                   const events::HashKey& table_key) {
  auto reading = read(log, partition, ledger, seen, table_key);
  const std::string where = "partition " + std::to_string(partition) + ": ";
  if (state_is_ahead(reading) && !seen) {
    // A transaction of the owner before us may have ended between the reading of the position and that of the state.
    const auto before = reading.restored.next;
    reading = read(log, partition, ledger, seen, table_key);
    if (state_is_ahead(reading) && reading.restored.next != before) {
      return CannotServe{where + "another engine commits to it while its state is read.",
                         events::LogError::unavailable};
    }
  }
  auto& [state, position, restored, unreadable] = reading;
  if (!restored.status.ok()) return CannotServe{where + restored.status.message, restored.status.error};
  if (!unreadable.empty()) return CannotServe{where + unreadable, events::LogError::corrupt};
  if (auto cannot = misfit(reading, log.partitions(), engine)) return CannotServe{where + cannot->message};
  if (!position && (restored.next != 0 || state->live_carts() != 0)) {
    return CannotServe{
        where + "commands are committed up to offset " + std::to_string(restored.next) +
        " but the state stream holds no position record; it is incomplete. Restore it, or begin with new topics."};
  }
  if (position && restored.has_committed && position->next != restored.next) {
    return CannotServe{where + "the committed position is " + std::to_string(restored.next) +
                       " but its state is that of " + std::to_string(position->next) +
                       ". Serving would lose or repeat events; restore both together."};
  }
  if (auto broken = broken_commands(reading, partition)) return std::move(*broken);
  if (position) {
    state->position = *position;
    state->position_forgotten = !restored.has_committed;
  }
  state->position.next = next_of(reading);
  state->position.partitions = log.partitions();
  state->position.engine = engine;
  if (auto incomplete = state->epitaphs.restored(state->position.ticked))
    return CannotServe{where + incomplete->message};
  for (const auto& [cart, why] : state->unreadable) {
    state->alerts.push_back({"state_unreadable", events::is_cart_id(cart) ? cart : std::string(),
                             "A cart's state record cannot be read: " + why +
                                 " The cart is quarantined until the record is repaired (docs/deadletters.md)."});
  }
  state->post_memory();
  return std::move(state);
}

}  // namespace mayfly::actors
