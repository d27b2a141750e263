// One command on its way through a batch: what was read, who decides it, and what came of it. It belongs to whoever
// was last sent a message about it: supervisor, cart actor, session actor, and back. No CAF here.
#pragma once

#include "events/log/record.h"
#include "events/rules/decide.h"
#include "events/wire/cloudevent.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace mayfly::actors {

class CartEntry;
struct Segment;

/// An event that was said: its JSON data is bytes [begin, end) of the outcome's data.
struct SaidEvent {
  events::EventType type{};
  std::uint64_t sequence = 0;  // 0: none
  std::uint32_t begin = 0;
  std::uint32_t end = 0;
  std::optional<events::Code> code{};  // command.rejected
};

/// What a command came to: events in order, and a new snapshot or a death.
struct Outcome {
  std::string data;  // the events' JSON, one after the other
  std::vector<SaidEvent> events;
  std::string sent;     // data of a command to another cart, of a merge
  std::string sent_to;  // its key; empty: there is none
  events::CommandType sent_type{};
  events::WaitChange wait;
  events::Concern concern = events::Concern::none;
  bool changed = false;  // the cart's or the session's state is not what it was
  std::string cart;      // encoded state after the last task of its cart in a segment
  std::string session;   // the open session's, where it was written
  enum class SessionPart : std::uint8_t { kept, written, closed } session_part = SessionPart::kept;
  events::Timestamp session_opened_at{};  // where it was written
  events::Millis session_longest_life{};  // the same
  std::optional<events::CartEnd> end;
  int newest_session = 0;  // for the epitaph
  int newest_reservation = 0;
  events::Position created{};

  void clear();
  /// The answer of the cart `cart_id` to an offer of lines, if the command is one.
  void answer(std::string_view cart_id, const events::Command&, const events::Decision&);
  [[nodiscard]] std::int64_t buffer_bytes() const;
  /// Whether clear() would give back more than it keeps.
  [[nodiscard]] bool is_large() const;
};

struct Task {
  const events::Record* record = nullptr;  // the tick's, for a deadline
  events::ReadCommand read;
  const events::Settings* settings = nullptr;
  CartEntry* cart = nullptr;  // null: decided without a cart
  Segment* segment = nullptr;
  Task* next = nullptr;                     // of the same cart in this segment
  std::optional<events::Decision> decided;  // cart.create: the partition has decided it already
  events::SessionDecision by_session;       // the open session's decision, while the cart encodes it
  Outcome outcome;
  int attempts = 0;  // times that it was begun and its actor died
  bool done = false;
  std::optional<events::DeadLetterReason> dead_letter;
  std::string_view dead_letter_about;
  std::optional<events::CommandType> dead_letter_type;  // where it was readable

  [[nodiscard]] events::Context context() const { return {record->at, record->append_time, *settings}; }
  /// True for a deadline that a tick fired: it has no command of its own.
  [[nodiscard]] bool is_deadline() const { return std::holds_alternative<events::DeadlineReached>(read.command.data); }
  /// True if supervision made a dead letter of it: it was readable and is not decided.
  [[nodiscard]] bool withheld() const {
    return dead_letter == events::DeadLetterReason::keeps_failing ||
           dead_letter == events::DeadLetterReason::quarantined ||
           dead_letter == events::DeadLetterReason::state_unreadable;
  }
  /// Of the task and of what it keeps for its next use.
  [[nodiscard]] std::int64_t bytes() const;
  std::int64_t stock_bytes = 0;  // bytes() when it was last asked for
  void reset();
};

}  // namespace mayfly::actors
