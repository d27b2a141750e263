// The rules of carts, checkouts and payment sessions as flat ladders in the order of decisions.md:
// functions of (state, command, record time) and nothing else. No clock, no randomness, no hash order, no locale.
#pragma once

#include "events/rules/cart.h"
#include "events/rules/command.h"
#include "events/rules/event.h"
#include "events/rules/session.h"

#include <forward_list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace mayfly::events {

/// What becomes of the cart's one wait. A new wait replaces the old; it starts at a tick (decisions.md 3).
struct WaitChange {
  enum class Kind : std::uint8_t { keep, clear, set } change = Kind::keep;
  WaitKind kind = WaitKind::none;
  Millis length{};
};

/// Supervision and operators must hear of it (alerts topic); not an event.
enum class Concern : std::uint8_t { none, rejected_after_order, payment_unresolved, payment_unmatched, merge_over };

struct Decision {
  std::vector<Event> events;  // in order; empty: nothing to say
  WaitChange wait;
  Concern concern = Concern::none;
  /// Texts of the cart that later events view: where several lines change, it is another one by then. Null: none.
  std::shared_ptr<std::forward_list<std::string>> texts{};
};

struct SessionDecision : Decision {
  SessionLedger next;              // the session's numbers afterwards, also where nothing is said
  Text reference;                  // to keep, if the session has none yet
  std::optional<Text> action_url;  // to keep
  // Of several tenders: all of them afterwards (null: there are none), the number of the one that moves, and when its
  // session opened, if it did now.
  std::shared_ptr<Tenders> tenders{};
  int moving = 0;
  Timestamp opened_at{};
};

/// A command to a live cart (decisions.md 2, 4, 6). Precondition: not concerns_session(cart, command).
/// Repeats are not recognised here (see recognise).
[[nodiscard]] Decision decide(const Cart&, const Command&, const Context&);

/// The cart's idle wait from a record of that time on (decisions.md 3): its own length, at most what is left of its
/// life. A session that reopens the checkout leaves this length to be filled in.
[[nodiscard]] Millis idle_length(const Cart&, const Context&);

/// True where the open session decides: its replies and waits, cart.cancel, checkout.abandon, payment.capture of it,
/// and inventory's word on the newest reservation while it is open (decisions.md 2, 4, 5).
[[nodiscard]] bool concerns_session(const Cart&, const Command&);

/// A command that concerns the open session (decisions.md 2, 4, 5). Its events are the cart's too, in one order.
[[nodiscard]] SessionDecision decide(const Session&, const Command&, const Context&);

/// Applies a decision to the session.
void evolve(Session&, const SessionDecision&);

/// The session that payment.session_opened among `events` opens, if any.
[[nodiscard]] std::optional<Session> opened_session(const std::vector<Event>& events, const Context&,
                                                    std::pmr::memory_resource*);

/// Has this shop command been decided among the last 32? (decisions.md 1)
enum class Seen : std::uint8_t { no, same, other_body };
[[nodiscard]] Seen recognise(const Cart&, const Command&);
/// Is this command, decided so, to be remembered? Shop commands are, refused ones too, but not data_invalid.
[[nodiscard]] bool is_remembered(const Command&, const Decision&);

/// What an ended cart left behind (decisions.md 6); 32 bytes when stored, see epitaphs.h.
struct Ended {
  Offset created;  // offset of the record that created it, in this partition
  CartOutcome outcome;
  int order_session;  // W
  int newest_session;
  int newest_reservation;
  int further = 0;  // sessions of the order behind W
};

/// A command whose cart does not live (decisions.md 2 none and ended, 6). `ended`: null if never heard of.
/// `live_carts`: in the partition, without this one.
[[nodiscard]] Decision decide_without_cart(const Ended* ended, Text cart_id, const Command&, const Context&,
                                           std::int64_t live_carts);

/// The cart that cart.created among `events` makes, or nothing.
[[nodiscard]] bool creates_cart(const std::vector<Event>& events);

}  // namespace mayfly::events
