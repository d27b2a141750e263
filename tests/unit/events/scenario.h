// A cart and its payment session driven by commands, without actors: what they say as lines of text.
#pragma once

#include "events/rules/decide.h"
#include "events/rules/identity.h"
#include "events/rules/words.h"

#include <memory_resource>
#include <optional>
#include <string>
#include <vector>

namespace mayfly::testing {

using namespace mayfly::events;  // a scenario speaks the domain's words

class Scenario {
 public:
  /// What the command says, e.g. "payment.captured 1999", "!cart_empty"; then "wait capture 60" where one is set.
  std::vector<std::string> operator()(CommandType type, CommandData data) {
    Command command;
    command.type = type;
    command.data = data;
    command.id = "id";
    command.fingerprint = {++sent_, 1};
    const Context context{{0, ++offset_}, now, settings};
    if (!cart) {
      auto decision = decide_without_cart(ended ? &*ended : nullptr, "c", command, context, live_carts);
      if (creates_cart(decision.events)) {
        cart.emplace(std::pmr::get_default_resource());
        cart->id = "c";
      }
      return apply(decision, context);
    }
    if (concerns_session(*cart, command)) {
      const auto decision = decide(*session, command, context);
      auto said = apply(decision, context);
      if (session) evolve(*session, decision);
      if (session && session->ledger.ended) session.reset();
      return said;
    }
    return apply(decide(*cart, command, context), context);
  }

  /// The wait ends and is asked about until no try is left; what is said then.
  std::vector<std::string> silence(WaitKind kind) {
    auto said = wait_ends(kind);
    while (!said.empty() && said.back().starts_with("wait status_try")) said = wait_ends(WaitKind::status_try);
    return said;
  }

  /// An active cart with one line of that price, a checkout begun, reserved, ...
  Scenario& active(Minor price = 1999) {
    (*this)(CommandType::cart_create, CartCreate{"GBP", "", {}});
    (*this)(CommandType::cart_add_line, CartAddLine{"A", 1, price, "Tea", ""});
    return *this;
  }
  Scenario& reserving() {
    active();
    (*this)(CommandType::checkout_complete, CheckoutComplete{1999, true, "sim", "tok"});
    return *this;
  }
  Scenario& authorizing() {
    reserving();
    (*this)(CommandType::inventory_reserved, InventoryReserved{"c-r1"});
    return *this;
  }
  Scenario& capturing() {
    authorizing();
    authorized(1999);
    return *this;
  }
  std::vector<std::string> authorized(Minor amount, Text id = "c-p1", Text currency = "GBP") {
    return (*this)(CommandType::payment_authorized, PaymentAuthorized{id, "pi", amount, currency});
  }
  std::vector<std::string> captured(Minor amount, Text id = "c-p1", Text currency = "GBP") {
    return (*this)(CommandType::payment_captured, PaymentCaptured{id, "pi", amount, currency});
  }
  std::vector<std::string> canceled(Minor amount, Text id = "c-p1") {
    return (*this)(CommandType::payment_canceled, PaymentCanceled{id, "pi", amount, ""});
  }
  std::vector<std::string> refunded(Minor amount, Text id = "c-p1") {
    return (*this)(CommandType::payment_refunded, PaymentRefunded{id, "pi", amount, ""});
  }
  std::vector<std::string> declined(Text id = "c-p1") {
    return (*this)(CommandType::payment_declined, PaymentDeclined{id, "", "no funds", true});
  }
  std::vector<std::string> status(StatusState state, Minor au = 0, Minor ca = 0, Minor re = 0, Text id = "c-p1") {
    return (*this)(CommandType::payment_status, PaymentStatus{id, state, au, ca, re, "", ""});
  }
  std::vector<std::string> capture_failed(bool retryable) {
    return (*this)(CommandType::payment_capture_failed, PaymentCaptureFailed{"c-p1", "broken", retryable, "", ""});
  }
  std::vector<std::string> requires_action(Text url, std::optional<std::int64_t> expires_s = {}) {
    return (*this)(CommandType::payment_requires_action, PaymentRequiresAction{"c-p1", url, expires_s});
  }
  std::vector<std::string> refund_failed(bool retryable, Minor amount = 1999, Text id = "c-p1") {
    return (*this)(CommandType::payment_refund_failed, PaymentRefundFailed{id, amount, "GBP", "closed", retryable, ""});
  }
  std::vector<std::string> disputed(Minor amount = 1999, Text id = "c-p1") {
    return (*this)(CommandType::payment_disputed, PaymentDisputed{id, amount, "GBP", DisputeState::opened, "", ""});
  }
  std::vector<std::string> attempt_failed(std::optional<std::int64_t> attempt, Text id = "c-p1") {
    return (*this)(CommandType::payment_attempt_failed, PaymentAttemptFailed{id, "no funds", attempt, ""});
  }
  /// A session of 1000 on those terms.
  Scenario& on_terms(const Terms& terms) {
    active(1000);
    (*this)(CommandType::checkout_complete, CheckoutComplete{1000, true, "sim", "tok", terms});
    (*this)(CommandType::inventory_reserved, InventoryReserved{"c-r1"});
    return *this;
  }
  std::vector<std::string> pending(std::optional<std::int64_t> expires_s = {}) {
    return (*this)(CommandType::payment_pending, PaymentPending{"c-p1", "pi", expires_s});
  }
  std::vector<std::string> capture(std::optional<Minor> total, bool final = false, Text id = "") {
    return (*this)(CommandType::payment_capture, PaymentCapture{id, total, final});
  }
  std::vector<std::string> abandon() { return (*this)(CommandType::checkout_abandon, CheckoutAbandon{""}); }
  std::vector<std::string> complete(Minor expected, bool payment = true, Text token = "tok") {
    return (*this)(CommandType::checkout_complete, CheckoutComplete{expected, payment, "sim", token});
  }
  std::vector<std::string> reserved(Text id) { return (*this)(CommandType::inventory_reserved, InventoryReserved{id}); }
  std::vector<std::string> rejected(Text id) {
    return (*this)(CommandType::inventory_rejected, InventoryRejected{id, {}, "sold out"});
  }
  std::vector<std::string> wait_ends(WaitKind kind) { return (*this)(CommandType::clock_tick, DeadlineReached{kind}); }
  std::vector<std::string> cancel() { return (*this)(CommandType::cart_cancel, CartCancel{""}); }

  Timestamp now{1'000'000};
  Settings settings;
  std::optional<Cart> cart;
  std::optional<Session> session;
  std::optional<Ended> ended;
  std::int64_t live_carts = 0;  // others in the partition
  Millis last_wait{};           // to the millisecond
  std::vector<Event> events;    // of the last command; texts in them may be gone
  Concern concern = Concern::none;

 private:
  std::vector<std::string> apply(const Decision& decision, const Context& context) {
    events = decision.events;
    concern = decision.concern;
    std::vector<std::string> said;
    auto opened = opened_session(decision.events, context, std::pmr::get_default_resource());
    for (const auto& event : decision.events) said.push_back(line(event));
    if (decision.wait.change == WaitChange::Kind::set) {
      const auto length = decision.wait.length.count == 0 ? idle_length(*cart, context) : decision.wait.length;
      last_wait = length;
      said.push_back("wait " + std::string(name(decision.wait.kind)) + " " + std::to_string(length.count / 1000));
    }
    if (cart) {
      for (const auto& event : decision.events) evolve(*cart, event, context);
      if (cart->end) {
        ended = Ended{cart->created.offset, cart->end->outcome, cart->end->session,
                      cart->sessions,       cart->reservations, cart->end->further};
        session.reset();
        cart.reset();
      }
    }
    if (opened) session = std::move(opened);
    return said;
  }
  static std::string line(const Event& event) {
    if (const auto* r = std::get_if<CommandRejected>(&event)) return "!" + std::string(name(r->code));
    std::string text(name(type_of(event)));
    if (const auto* p = std::get_if<PaymentEvent>(&event)) {
      text += " " + std::to_string(p->amount_minor);
      if (p->type == EventType::payment_session_ended) text = "payment.session_ended " + std::string(name(p->outcome));
      if (p->with_order) text += " of the order";
      if (p->cause != Cause::none) text += ", " + std::string(name(p->cause));
      if (p->attempt != 0) text += " attempt " + std::to_string(p->attempt);
      if (p->late_key) text += " late";
      if (p->final) text += " final";
      if (p->key_amount_minor != p->amount_minor && p->key_amount_minor != 0) {
        text += " key " + std::to_string(p->key_amount_minor);
      }
    } else if (const auto* o = std::get_if<CheckoutReopened>(&event)) {
      text += " " + std::string(name(o->why));
    } else if (const auto* c = std::get_if<CartConverted>(&event)) {
      text += c->paid ? " paid" : " unpaid";
    } else if (const auto* completed = std::get_if<CheckoutCompleted>(&event)) {
      if (completed->captured_minor) text += " captured " + std::to_string(*completed->captured_minor);
    } else if (const auto* stays = std::get_if<CartMergeRefused>(&event)) {
      text += " " + std::string(name(stays->code));
    } else if (const auto* over = std::get_if<OrderCanceled>(&event)) {
      text += " " + std::string(name(over->why));
    }
    return text;
  }
  std::uint64_t sent_ = 0;
  Offset offset_ = 0;
};

using Said = std::vector<std::string>;

/// What an authorization of the whole 1999 says.
inline const Said order_of_1999 = {"payment.authorized 1999", "order.placed", "payment.capture_requested 1999",
                                   "inventory.commit_requested", "wait capture 60"};

/// A row of decisions.md, or a near miss of one: what was said, and what the page wants.
struct Row {
  const char* name;
  Said said;
  Said expected;
};

/// In one text, so that a failed check shows it.
inline std::string joined(const Said& said) {
  std::string text;
  for (const auto& line : said) text.append(text.empty() ? "" : "; ").append(line);
  return text;
}

}  // namespace mayfly::testing
