// One partition's recorded commands decided once more, one by one and without actors: the rules of events/ and what
// surrounds them in the engine (repeats, waits, ticks, epitaphs, quarantine). Keeps what is open now and nothing else.
// Knows no log and writes nothing. That it decides as the engine does is compared by tests, byte for byte.
#pragma once

#include "events/rules/decide.h"
#include "events/state/epitaphs.h"
#include "events/state/snapshot.h"
#include "events/wire/cloudevent.h"

#include <cstdint>
#include <functional>
#include <memory_resource>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace mayfly::tools {

/// All that an open cart is, as its state record keeps it.
struct ReplayedCart {
  explicit ReplayedCart(std::string_view id) : cart(std::pmr::get_default_resource()) { cart.id = id; }
  events::Cart cart;
  std::optional<events::Session> session;
  events::Wait wait;
  events::Trouble trouble;
};
/// Its state record's bytes (docs/state-format.md).
[[nodiscard]] std::string snapshot_of(const ReplayedCart&);
/// The way back, into a cart that has its id and nothing else. A sentence if the bytes cannot be read.
[[nodiscard]] std::string read_snapshot(std::string_view bytes, ReplayedCart&);

/// An event as it goes out: its data, and what its headers say besides the command's.
struct ReplayedEvent {
  events::EventType type{};
  std::uint64_t sequence = 0;  // 0: none
  int index = 0;               // of ce_id
  std::optional<events::Code> code;
  std::string data;  // JSON
};

/// What a command came to, or a deadline that a tick fired. Views end with the call.
struct Replayed {
  const events::Record& record;                    // the tick's, for a deadline
  const events::ReadCommand* read = nullptr;       // null: a dead letter that could not be read
  const events::Unreadable* unreadable = nullptr;  // then
  std::string_view cart_id;                        // or the key, of what could not be read
  const ReplayedCart* before = nullptr;            // null: the cart had no state
  const ReplayedCart* after = nullptr;             // null: it has none
  std::optional<events::Ended> ended;              // before, of a cart that had ended and is remembered
  std::optional<events::CartOutcome> over;         // the cart ended by this
  bool repeated = false;                           // it had been decided before: nothing is said
  bool asked_session = false;                      // the open payment session decided it
  std::span<const ReplayedEvent> events;           // in order
  std::string_view offered_to;                     // cart.merge: the cart that its lines were offered to
  std::optional<events::DeadLetterReason> dead_letter{};
  events::Concern concern = events::Concern::none;
  const events::Settings& settings;

  [[nodiscard]] bool is_deadline() const {
    return read != nullptr && std::holds_alternative<events::DeadlineReached>(read->command.data);
  }
};

class ReplayedPartition {
 public:
  struct Watcher {
    virtual ~Watcher() = default;
    Watcher() = default;
    Watcher(const Watcher&) = delete;
    Watcher& operator=(const Watcher&) = delete;
    /// Is `decided` to be called for what concerns this cart? What nobody watches costs least.
    virtual bool watches(std::string_view cart_id) = 0;
    virtual void decided(const Replayed&) = 0;
    /// Is the state before each command to be kept for `decided`? Else `before` is null.
    [[nodiscard]] virtual bool wants_before() const { return true; }
    /// A tick started the wait of a watched cart.
    virtual void wait_started(const events::Record& /*tick*/, const ReplayedCart&) {}
    /// A tick has been taken: T, settings, what was due; before the next record.
    virtual void ticked(const events::Record&) {}
  };
  /// Why a record is to be left out by word of the recorded log.
  using Withheld = std::function<std::optional<events::DeadLetterReason>(events::Position, std::string_view cart)>;

  /// `secrets`: those that are at hand of ticks; without the right one every proof is taken for a true one.
  ReplayedPartition(std::string_view engine, events::Partition, std::int32_t partitions,
                    events::TickSecrets secrets = {{}, true});

  void withhold_as(Withheld withheld) { withheld_ = std::move(withheld); }
  /// Changes what a tick's settings come to, and those that hold now (what-if).
  void change_settings(std::function<void(events::Settings&)> change);

  /// The next record of the partition's commands. `watcher` may be null.
  void take(const events::Record&, Watcher*);
  /// A what-if's tick: fires the first wait that is due by `until` and of such a cart, as if a tick had come then; what
  /// the cart waits for next begins at once. `tick` says where. Gives the time it was due; nothing if there is none.
  std::optional<events::Timestamp> fire_next(events::Record tick, events::Timestamp until,
                                             const std::function<bool(const ReplayedCart&)>& such, Watcher*);

  /// Null: it is not open.
  [[nodiscard]] const ReplayedCart* find(std::string_view cart_id) const;
  void each_cart(const std::function<void(const ReplayedCart&)>&) const;  // in the order of their ids
  [[nodiscard]] std::int64_t carts() const { return static_cast<std::int64_t>(carts_.size()); }
  [[nodiscard]] std::int64_t sessions() const { return sessions_; }
  [[nodiscard]] const events::PositionRecord& position() const { return position_; }
  [[nodiscard]] std::optional<events::Ended> epitaph(std::string_view cart_id) const;

  /// What the state stream would hold now, in any order; and the way back, into a partition that has taken nothing.
  void save(const std::function<void(std::string_view key, std::string_view value)>&);
  /// A sentence if a record cannot be read. restored() comes after the last.
  [[nodiscard]] std::string restore(std::string_view key, std::string_view value);
  [[nodiscard]] std::string restored();

 private:
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view id) const { return std::hash<std::string_view>{}(id); }
  };
  struct ByIdToo {
    bool operator()(const std::pair<std::int64_t, ReplayedCart*>& a,
                    const std::pair<std::int64_t, ReplayedCart*>& b) const {
      if (a.first != b.first) return a.first < b.first;
      return a.second->cart.id < b.second->cart.id;
    }
  };
  using Waits = std::set<std::pair<std::int64_t, ReplayedCart*>, ByIdToo>;

  struct Telling;  // what is gathered of one command while it is decided
  void tick(const events::Record&, const events::ClockTick&, const events::ReadCommand&, Watcher*);
  void fire(const events::Record&, const events::ReadCommand& tick, Watcher*);
  void fire_one(const events::Record&, const events::ReadCommand& tick, const std::string& cart_id, Watcher*);
  void release(const events::Record&, std::string_view cart_id);
  void command(Telling&);
  void decide_live(Telling&, ReplayedCart&);
  void decide_without_cart(Telling&);
  void dead_letter(Telling&, events::DeadLetterReason, std::string_view about);
  void withhold(Telling&, ReplayedCart*, events::DeadLetterReason);
  void conclude(Telling&, ReplayedCart&, const events::Decision&, bool remember_it);
  void say(Telling&, const ReplayedCart*, const events::Event&);
  void bury(Telling&, ReplayedCart&);
  void finish(Telling&);
  void list(ReplayedCart&);
  void unlist(ReplayedCart&);
  [[nodiscard]] events::Context context(const events::Record& r) const {
    return {r.at, r.append_time, position_.settings};
  }

  std::string engine_;
  events::Partition partition_;
  events::CommandReader reader_;
  events::PositionRecord position_;
  Withheld withheld_;
  std::function<void(events::Settings&)> change_settings_;
  std::unordered_map<std::string, ReplayedCart, Hash, std::equal_to<>> carts_;
  std::int64_t sessions_ = 0;
  events::Epitaphs epitaphs_;
  Waits unstarted_;  // by the offset that set them
  Waits started_;    // by the time they are due
  std::pmr::monotonic_buffer_resource arena_;
  int index_ = 0;  // of the next event that the record causes
};

}  // namespace mayfly::tools
