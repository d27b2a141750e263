// What must hold after every step whatever the rules say (money and order, seen from the events that went out and the
// state that stays). Knows neither the ladders nor the model.
#pragma once

#include "events/rules/cart.h"
#include "events/rules/event.h"
#include "events/rules/session.h"
#include "events/state/snapshot.h"
#include "rules/model/step.h"

#include <map>
#include <optional>
#include <string>

namespace mayfly::model {

class Invariants {
 public:
  void heard(const Step&);  // before it is decided
  void created(const std::string& cart);
  /// An event of a cart with state, after it was applied.
  void said(const events::Cart&, const events::Event&);
  void said_without_state(const std::string& cart, const events::Event&);
  void ended(const std::string& cart, bool session_open);
  /// A cart that lives on after a step.
  void look(const events::Cart&, const std::optional<events::Session>&, const events::Wait&);

  [[nodiscard]] const std::string& broken() const { return broken_; }

 private:
  struct Book {
    int reservation = 0;
    std::uint64_t sequence = 0;
    bool frozen = false;
    bool reserved = false;  // inventory said yes to the newest reservation
    int orders = 0;
    int sessions_opened = 0;
    int sessions_ended = 0;
    std::int64_t authorized = 0;  // of the open session, as payment.authorized and payment.captured told
    std::int64_t captured = 0;
    std::int64_t ledger[3] = {0, 0, 0};
    int ledger_of = 0;
    std::map<std::string, std::int64_t> amount_by_key;
  };
  void check(const std::string& cart, bool holds, const char* what);
  void money(Book&, const events::Cart&, const events::PaymentEvent&);

  std::map<std::string, Book> books_;
  std::string broken_;
};

}  // namespace mayfly::model
