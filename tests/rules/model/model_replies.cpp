// Section 4 of decisions.md, reservation replies, and section 6, late replies.
#include "rules/model/model.h"

#include <algorithm>

namespace mayfly::model {

Reported reported(const Step& step) {
  if (step.type == "payment.authorized") return {step.amount_minor, 0, 0};
  if (step.type == "payment.captured") return {0, step.amount_minor, 0};
  if (step.type == "payment.refunded") return {0, 0, step.amount_minor};
  if (step.type != "payment.status") return {};
  const bool no_authorization = step.state == "declined" || step.state == "canceled" || step.state == "not_found";
  return {no_authorization ? 0 : step.authorized_minor, step.captured_minor, step.refunded_minor};
}

std::int64_t money(const Step& step) {
  // What it says, whatever its state: better a person looks in vain.
  if (step.type == "payment.status") return std::max(step.authorized_minor, step.captured_minor);
  return std::max(reported(step).au, reported(step).ca);
}

std::int64_t number_of(const std::string& id, const std::string& cart, const char* mark) {
  const std::string prefix = cart + mark;
  if (id.rfind(prefix, 0) != 0) return 0;
  const std::string digits = id.substr(prefix.size());
  if (digits.empty() || digits[0] == '0') return 0;
  for (const char c : digits) {
    if (c < '0' || c > '9') return 0;
  }
  return digits.size() > 9 ? 1'000'000'000 : std::stoll(digits);
}

void Model::inventory(LiveCart& cart, const Step& step) {
  const std::int64_t r = number_of(step.reservation_id, cart.id, "-r");
  const bool reserved = step.type == "inventory.reserved";
  const bool newest = r == cart.reservations;
  const bool reserving = cart.frozen && !cart.session;
  const bool authorizing = cart.session && cart.session->state == "authorizing";
  const bool settling = cart.session && cart.session->state == "settling";
  const bool order_placed = cart.session && cart.session->order_placed();

  if (guard("4 malformed or 0", r == 0)) return refuse(&cart, step, "reservation_unknown");
  if (guard("4 beyond R", r > cart.reservations)) return refuse(&cart, step, "reservation_unknown");
  if (guard("4 reserved R, reserving", reserved && newest && reserving)) {
    const std::int64_t due = total(cart.lines, cart.adjustments);
    if (guard("4 reserved R, reserving: total 0", due == 0)) {
      place_order(cart, step);
      stock(&cart, step, "inventory.commit_requested", cart.reservations, numbers_["request_answer"]);
      say(&cart, step, "checkout.completed").number("total", due);
      say(&cart, step, "cart.converted").text("as", "converted paid").number("w", 0);
      return end(cart, step, "converted paid", 0);
    }
    return open_session(cart, step);
  }
  if (guard("4 rejected R, reserving", !reserved && newest && reserving)) {
    return reopen(cart, step, "out_of_stock", step.skus);
  }
  if (guard("4 rejected R, authorizing", !reserved && newest && authorizing) ||
      guard("4 rejected R, settling", !reserved && newest && settling)) {
    return void_session(cart, step, "out_of_stock");
  }
  if (guard("4 rejected R, order placed", !reserved && newest && order_placed)) {
    refuse_with_order(&cart, step, "order_placed");
    return alert("rejected after the order");
  }
  if (guard("4 reserved R, authorizing", reserved && newest && authorizing)) return;
  if (guard("4 reserved R, settling", reserved && newest && settling)) return;
  if (guard("4 reserved R, order placed", reserved && newest && order_placed)) return;
  if (guard("4 reserved", reserved)) {
    stock(&cart, step, "inventory.release_requested", static_cast<int>(r), numbers_["request_answer"]);
  }
}

void Model::reservation_deadline(LiveCart& cart, const Step& step) {
  stock(&cart, step, "inventory.release_requested", cart.reservations, numbers_["request_answer"]);
  reopen(cart, step, "reservation_timeout", {});
}

void Model::reopen(LiveCart& cart, const Step& step, const std::string& why, const std::vector<std::string>& skus) {
  coverage_.produced("why", why);
  std::string list;
  for (const auto& sku : skus) list += "[" + sku + "]";
  say(&cart, step, "checkout.reopened").text("why", why).text("skus", list);
  cart.frozen = false;
  cart.session.reset();
  set_idle_wait(cart, step);
}

void Model::stranger_unresolved(LiveCart* cart, const Step& step, const std::string& known_currency,
                                const std::string& type) {
  std::string currency = known_currency;
  if (guard("6 currency of an unknown session is given", !step.currency.empty())) {
    currency = guard("6 that currency is in force", in_force(step.currency)) ? step.currency : "XXX";
  }
  say(cart, step, type)
      .text("session", step.session_id)
      .number("amount", money(step))
      .text("currency", currency)
      .text("ref", step.unreadable ? "" : step.reference);  // nobody knows which member was wrong
  alert("unresolved");
}

void Model::late_payment(LiveCart* cart, const Step& step, const Grave* grave) {
  const std::string id = cart != nullptr ? cart->id : grave->cart;
  const std::int64_t n = number_of(step.session_id, id, "-p");
  const int newest = cart != nullptr ? cart->sessions : grave->sessions;
  const std::string known_currency = cart != nullptr ? cart->currency : "XXX";
  const Reported r = reported(step);
  const bool status = step.type == "payment.status";

  if (guard("6 disputed", step.type == "payment.disputed")) return disputed(cart, step, known_currency);
  if (guard("6 payment: malformed or 0", n == 0)) {
    refuse(cart, step, "session_unknown");
    if (guard("5 session unknown: reports money", money(step) > 0)) stranger_unresolved(cart, step, known_currency);
    return;
  }
  if (guard("6 payment: beyond the newest", n > newest)) {
    refuse(cart, step, "session_unknown");
    if (guard("5 session unknown: reports money", money(step) > 0)) stranger_unresolved(cart, step, known_currency);
    return;
  }
  std::string currency = known_currency;
  if (!step.currency.empty()) currency = in_force(step.currency) ? step.currency : "XXX";
  const auto tell = [&](const char* type, std::int64_t amount) {
    return say(cart, step, type)
        .number("n", n)
        .number("amount", amount)
        .text("currency", currency)
        .text("ref", step.reference);
  };
  const auto ask = [&](const char* type, std::int64_t amount) {
    const bool refund = std::string(type) == "payment.refund_requested";
    tell(type, amount).number("within", numbers_["request_answer"]).number("key", amount).flag("late", refund);
  };
  const bool of_order = grave != nullptr && grave->outcome.rfind("converted", 0) == 0;
  const auto listed = [&](std::int64_t amount, const char* cause) {
    coverage_.produced("cause", cause);
    tell("payment.unresolved", amount).flag("order", of_order).text("cause", cause);
  };
  if (guard("6 refund_failed", step.type == "payment.refund_failed")) {
    listed(step.amount_minor, "refund_failed");
    return alert("unresolved");
  }
  const bool says_declined = step.type == "payment.declined" || (status && step.state == "declined");
  const auto tell_declined = [&] {
    tell("payment.declined", status ? step.authorized_minor : 0).text("reason", status ? "declined" : step.reason);
  };
  if (grave != nullptr && n == grave->W) {
    if (guard("6 W: refunded > 0", r.re > 0)) {
      tell("payment.refunded", r.re);
      return;
    }
    if (guard("6 W: paid", grave->outcome == "converted paid")) return;
    if (guard("6 W, unpaid: captured > 0", r.ca > 0)) {
      tell("payment.captured", r.ca);
      return;
    }
    if (guard("6 W, unpaid: canceled", step.type == "payment.canceled" || (status && step.state == "canceled"))) {
      tell("payment.canceled", status ? step.authorized_minor : step.amount_minor);
      return;
    }
    if (guard("6 W, unpaid: declined", says_declined)) return tell_declined();
    if (guard("6 W, unpaid: not_found", status && step.state == "not_found")) {
      tell("payment.canceled", step.authorized_minor);
    }
    return;
  }
  const bool captured = step.type == "payment.captured";
  if (guard("6 captured - refunded > 0, refund_pending", status && step.state == "refund_pending" && r.ca - r.re > 0)) {
    return listed(r.ca - r.re, "refund_pending");
  }
  if (guard("6 captured - refunded > 0", (captured || status) && r.ca - r.re > 0)) {
    ask("payment.refund_requested", r.ca - r.re);
    tell("payment.unresolved", r.ca - r.re).flag("order", of_order);
    return alert("unresolved");
  }
  if (guard("6 authorized", step.type == "payment.authorized" || (status && step.state == "authorized"))) {
    ask("payment.cancel_requested", r.au);
    tell("payment.unresolved", r.au).flag("order", of_order);
    return alert("unresolved");
  }
  if (guard("6 declined", says_declined)) return tell_declined();
  if (guard("6 not_found", status && step.state == "not_found")) {
    tell("payment.canceled", step.authorized_minor);
    return;
  }
  if (guard("6 canceled", step.type == "payment.canceled" || (status && step.state == "canceled"))) {
    tell("payment.canceled", status ? step.authorized_minor : step.amount_minor);
    return;
  }
  if (guard("6 refunded", step.type == "payment.refunded" || (status && step.state == "refunded"))) {
    tell("payment.refunded", r.re);
  }
}

void Model::late_inventory(const Step& step, const Grave& grave) {
  const std::int64_t r = number_of(step.reservation_id, grave.cart, "-r");
  const bool converted = grave.outcome.rfind("converted", 0) == 0;
  if (guard("6 inventory: malformed or 0", r == 0)) return refuse(nullptr, step, "reservation_unknown");
  if (guard("6 inventory: beyond R", r > grave.reservations)) return refuse(nullptr, step, "reservation_unknown");
  if (step.type == "inventory.reserved") {
    if (guard("6 reserved: converted", converted)) {
      if (guard("6 reserved: converted and R", r == grave.reservations)) return;
    }
    stock(nullptr, step, "inventory.release_requested", static_cast<int>(r), numbers_["request_answer"]);
    return;
  }
  if (guard("6 rejected: converted", converted)) {
    if (guard("6 rejected: converted and R", r == grave.reservations)) {
      refuse_with_order(nullptr, step, "order_placed");
      alert("rejected after the order");
    }
  }
}

}  // namespace mayfly::model
