// What money is at risk, from payment events alone: authorized, captured or asked for, and its cart is over or its
// answer is missing. Keeps open positions only. Knows no log and no JSON (docs/payments.md).
#pragma once

#include "events/log/types.h"
#include "events/rules/money.h"
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
  in_doubt,    // the answer is overdue, the provider is asked what became of it
  unresolved,  // the engine has done what it can: a person must look
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
  bool cart_lives = true;  // it has a ce_sequence
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

class FundsBook {
 public:
  /// Events of one cart in their order; carts in any order.
  void apply(const FundsEvent&);
  /// Rows by cart and session. A session has one, or one per currency where a reply named another.
  [[nodiscard]] std::vector<Risk> risks() const;
  /// Sessions that are kept.
  [[nodiscard]] std::size_t size() const { return sessions_.size(); }

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
    events::Timestamp since{};
    events::Position at{};
  };
  struct Session {
    bool open = false;  // session_opened was said, session_ended not yet
    bool cart_over = false;
    std::string order;
    std::string currency;
    events::Minor amount_minor = 0;  // A; 0: not known
    events::Minor authorized_minor = 0;
    events::Minor captured_minor = 0;
    events::Minor refunded_minor = 0;
    events::Minor asked_back_minor = 0;            // by all refund requests of an open session, or by the last late one
    events::Minor back_before_minor = 0;           // refunded before the first of them
    std::optional<Position> asked;                 // what runs
    std::map<std::string, Unresolved> unresolved;  // by currency
  };
  using Key = std::pair<std::string, std::string>;  // cart, session

  void apply_payment(Session&, const FundsEvent&);
  void cart_is_over(const std::string& cart);

  std::map<Key, Session> sessions_;
};

}  // namespace mayfly::tools
