// What the ladders of replay_guards.h share: each guard is noted when it is tried.
#pragma once

#include "events/rules/decide.h"
#include "events/rules/identity.h"
#include "events/rules/replies.h"
#include "tools/replay/replay_guards.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

namespace mayfly::tools {

class GuardLadder {
 public:
  explicit GuardLadder(const Replayed& told) : told_(told) {}
  std::vector<GuardTried> tried;

 protected:
  /// Notes the guard and gives back whether it held: the ladder ends there.
  bool guard(const char* number, const char* name, bool held, OrderedJson saw = OrderedJson::object()) {
    tried.push_back({number, name, held, std::move(saw)});
    return held;
  }
  /// The last guard of a ladder: it always holds.
  void otherwise(const char* number, const char* name, OrderedJson saw = OrderedJson::object()) {
    guard(number, name, true, std::move(saw));
  }
  [[nodiscard]] bool is(events::CommandType type) const { return command().type == type; }
  [[nodiscard]] const events::Command& command() const { return told_.read->command; }
  template <class Data>
  [[nodiscard]] const Data& data() const {
    return std::get<Data>(command().data);
  }

  const Replayed& told_;
};

/// A reply of the payment service to a cart that lives or has ended (decisions.md 5 and 6.1).
class PaymentGuards : public GuardLadder {
 public:
  explicit PaymentGuards(const Replayed& told) : GuardLadder(told), says_(events::reported(command())) {}

 protected:
  void reply();               // 5.2, and on
  void late(int n);           // 6.1 of a session of the cart's; W and how it ended as the epitaph says
  void late_ended();          // 6.1 of an ended cart
  void wait_ended();          // 5.8
  void cancel_cart();         // 2.12.3 to 2.12.5
  void abandon_cart();        // 2.12.7 to 2.12.10
  void capture_of_session();  // 2.15.2 on

 private:
  void authorizing();
  void settling();
  bool decided();
  bool attempts();
  void holding();
  bool captured_in_full();
  void canceling();
  void capturing();
  void refunding();
  void raise();
  void other_tender(const events::Tender&);
  [[nodiscard]] bool is_status(events::StatusState state) const { return says_.status == state; }
  [[nodiscard]] bool declined() const {
    return is(events::CommandType::payment_declined) || is_status(events::StatusState::declined);
  }
  [[nodiscard]] bool canceled() const {
    return is(events::CommandType::payment_canceled) || is_status(events::StatusState::canceled);
  }
  [[nodiscard]] const events::Session& session() const { return *told_.before->session; }
  [[nodiscard]] const events::SessionLedger& ledger() const { return session().ledger; }
  [[nodiscard]] events::Minor owed() const {
    if (ledger().why == events::Why::paid) return ca_ - re_ - due() - session().terms.extra_up_to_minor;
    return ca_ - re_ - (ledger().why == events::Why::released ? asked() : 0);
  }
  [[nodiscard]] events::Minor due() const;
  [[nodiscard]] events::Minor asked() const;  // T
  [[nodiscard]] OrderedJson totals() const {
    return {{"A", session().amount_minor}, {"au", au_}, {"ca", ca_}, {"re", re_}};
  }

  events::Reported says_;
  events::Minor au_ = 0;  // after this reply
  events::Minor ca_ = 0;
  events::Minor re_ = 0;
};

}  // namespace mayfly::tools
