// What money is at risk, from payment events alone: authorized, captured or asked for, and its cart is over or its
// answer is missing. Keeps open positions only. Knows no log and no JSON (docs/payments.md).
#pragma once

#include "events/log/types.h"
#include "events/rules/money.h"
#include "events/rules/settings.h"
#include "events/rules/words.h"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace mayfly::tools {

enum class RiskState : std::uint8_t {
  authorization_asked,       // no answer yet: may or may not be authorized
  authorized_without_order,  // held at the provider, no order, no cancel asked for
  capture_asked,             // the order is placed, the money not yet ours
  captured_unpaid,           // taken, and the checkout is not completed
  cancel_asked,
  refund_asked,
  in_doubt,         // the answer is overdue, the provider is asked what became of it
  unresolved,       // the engine has done what it can: a person must look
  abandoned,        // unresolved because the shopper went back: what comes late is given back by itself
  refund_pending,   // unresolved because the provider says that its refund is under way
  settling,         // the buyer has time, days, to pay; the order is pending
  capture_awaited,  // the order is placed, the shop has not asked for the money yet, or for a part of it
  unmatched,  // told of a cart that the engine does not know any more, and its events do not say that it is settled
};
[[nodiscard]] std::string_view name(RiskState);

/// An event as the book needs it. Members that its type does not have stay empty.
struct FundsEvent {
  events::EventType type{};
  std::string cart;
  std::string session;
  std::string order;
  events::Minor amount_minor = 0;
  std::string currency;
  bool cart_lives = true;         // it has a ce_sequence
  bool on_command = false;        // authorization_requested: the shop says when to capture
  bool final = false;             // capture_requested: what is not asked for is released
  events::Minor extra_minor = 0;  // authorization_requested: so much more may be kept
  events::Cause cause = events::Cause::none;
  events::Timestamp time{};
  events::Position at{};
};

struct Risk {
  std::string cart;
  std::string session;
  std::string order;  // empty: none is placed
  RiskState state{};
  events::Minor amount_minor = 0;
  std::string currency;
  bool cart_over = false;
  events::Timestamp since{};
  events::Position at{};  // of the event that put it into this state
};

/// What is abandoned or whose refund is pending for longer than this is unresolved.
inline constexpr events::Millis settles_by_itself = events::limits::epitaph_age;
void leave_to_a_person(std::vector<Risk>&, events::Timestamp now);

class FundsBook {
 public:
  /// Events of one cart in their order; carts in any order.
  void apply(const FundsEvent&);
  /// True if amounts are unmatched: look_back then drops those that the same events, taken once more, say are settled.
  [[nodiscard]] bool has_unmatched() const { return !unmatched_.empty(); }
  void look_back(const FundsEvent&);
  /// Rows by cart and session. A session has one, or one per currency where a reply named another.
  [[nodiscard]] std::vector<Risk> risks() const;
  /// Sessions that are kept.
  [[nodiscard]] std::size_t size() const { return sessions_.size() + unmatched_.size(); }

 private:
  struct Position {
    RiskState state{};
    events::Minor amount_minor = 0;
    events::Timestamp since{};
    events::Position at{};
  };
  struct Unresolved {
    events::Minor amount_minor = 0;
    events::Minor refunded_before = 0;
    events::Cause cause = events::Cause::none;
    events::Timestamp since{};
    events::Position at{};
  };
  struct Unmatched {
    events::Minor amount_minor = 0;
    std::string currency;
    events::Timestamp since{};
    events::Position at{};
    events::Minor captured_minor = 0;  // by the events of the session
    bool ended = false;
  };
  struct Session {
    bool open = false;  // session_opened was said, session_ended not yet
    bool on_command = false;
    bool final_asked = false;  // by a capture that says so
    bool last_asked = false;   // the last capture was asked for: such a one, or one of all that is left
    bool releasing = false;    // of a placed order: what is not captured shall be released
    bool cart_over = false;
    std::string order;
    std::string currency;
    events::Minor amount_minor = 0;  // A, or with `final` all that was asked for; 0: not known
    events::Minor extra_minor = 0;   // so much more an order may keep
    events::Minor authorized_minor = 0;
    events::Minor captured_minor = 0;
    events::Minor captured_before_last = 0;  // when it was asked for
    events::Minor refunded_minor = 0;
    events::Minor asked_back_minor = 0;            // by all refund requests of an open session, or by the last late one
    events::Minor back_before_minor = 0;           // refunded before the first of them
    std::optional<Position> asked;                 // what runs
    std::map<std::string, Unresolved> unresolved;  // by currency
  };
  using Key = std::pair<std::string, std::string>;  // cart, session

  void apply_payment(Session&, const FundsEvent&);
  [[nodiscard]] static events::Minor still_held(const Session&);
  [[nodiscard]] static events::Minor beyond_the_order(const Session&);
  [[nodiscard]] static events::Minor not_given_back(const Session&, const Unresolved&);
  static void close_captured(Session&, const std::string& currency);
  void order_of_several(const FundsEvent&);
  void cart_is_over(const std::string& cart);
  /// An event of a session of which an amount is unmatched. True if it is about that and no more.
  bool apply_unmatched(const FundsEvent&);

  std::map<Key, Session> sessions_;
  std::map<Key, Unmatched> unmatched_;
};

}  // namespace mayfly::tools
