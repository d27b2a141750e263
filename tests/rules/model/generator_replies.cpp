// What inventory and the provider say: mostly an answer to what they were asked, often enough something else.
#include "rules/model/generator.h"

#include <algorithm>

namespace mayfly::model {

std::string Generator::currency(const LiveCart* cart) {
  const std::string own = cart != nullptr ? cart->currency : "EUR";
  return chance(92) ? own : one_of<std::string>({"", "USD", "KWD", "XXX", "zzz"});
}

std::int64_t Generator::amount(std::int64_t of) {
  if (chance(60)) return of;
  return std::max<std::int64_t>(
      0, one_of<std::int64_t>({of - 1, of + 1, of / 2, of / 3, 0, of + of / 2, 7, of * 10, of * 10 - 1, 999, 1000}));
}

std::string Generator::session_id(const std::string& cart, std::int64_t newest) {
  if (chance(85)) return cart + "-p" + std::to_string(newest);
  if (chance(60) && newest > 1) return cart + "-p" + std::to_string(1 + below(newest));
  return one_of<std::string>({cart + "-p0", cart + "-p01", cart + "-p", cart + "-px", cart + "-p1x",
                              cart + "-p99999999999", cart + "-p" + std::to_string(newest + 1), "other-p1",
                              cart + "-r1", ""});
}

std::string Generator::reservation_id(const std::string& cart, std::int64_t newest) {
  if (chance(85)) return cart + "-r" + std::to_string(newest);
  if (chance(60) && newest > 1) return cart + "-r" + std::to_string(1 + below(newest));
  return one_of<std::string>(
      {cart + "-r0", cart + "-r", cart + "-r" + std::to_string(newest + 1), "other-r1", cart + "-p1", cart + "-r1 "});
}

Step Generator::inventory(const std::string& name, const LiveCart* cart, const Model& model) {
  std::int64_t newest = cart != nullptr ? cart->reservations : 1;
  for (const auto& grave : model.graves()) {
    if (grave.cart == name) newest = grave.reservations;
  }
  const bool reserving = cart != nullptr && cart->frozen && !cart->session;
  Step s;
  s.type = chance(reserving ? 80 : 50) ? "inventory.reserved" : "inventory.rejected";
  s.reservation_id = reservation_id(name, newest);
  if (s.type == "inventory.rejected") {
    s.reason = "sold out";
    if (chance(60)) s.skus = {"A", "B"};
  }
  return s;
}

Step Generator::payment(const std::string& name, const LiveCart* cart, const Model& model) {
  std::int64_t newest = cart != nullptr ? cart->sessions : 1;
  for (const auto& grave : model.graves()) {
    if (grave.cart == name) newest = grave.sessions;
  }
  std::int64_t A = 1999;
  std::int64_t asked = A;
  std::string state = "none";
  if (cart != nullptr && cart->session) {
    A = cart->session->A;
    state = cart->session->state;
    asked = cart->session->ca - (cart->session->why == "paid" ? A : 0);
    if (cart->session->why == "released") asked = cart->session->ca - cart->session->T;
    if (state == "capturing" && chance(70)) A = cart->session->T;
    if (state == "holding" && chance(30)) A = cart->session->ca;
    if (cart->session->terms.extra > 0 && chance(20)) A += cart->session->terms.extra + below(2);
  }
  // What the provider would say to what it was asked, mostly.
  std::string says;
  const std::int64_t kind = below(100);
  if (kind < 45) {
    says = state == "authorizing"
               ? one_of<std::string>({"authorized", "authorized", "declined", "requires_action", "pending"})
           : state == "settling"  ? one_of<std::string>({"authorized", "captured", "declined", "requires_action"})
           : state == "holding"   ? one_of<std::string>({"captured", "authorized", "canceled"})
           : state == "canceling" ? one_of<std::string>({"canceled", "canceled", "authorized", "captured"})
           : state == "capturing" ? one_of<std::string>({"captured", "captured", "capture_failed"})
           : state == "refunding" ? one_of<std::string>({"refunded", "refunded", "captured", "refund_failed"})
                                  : one_of<std::string>({"authorized", "captured", "canceled", "refunded"});
  } else if (kind < 70) {
    says = "status";
  } else {
    says = one_of<std::string>({"authorized", "captured", "declined", "canceled", "refunded", "capture_failed",
                                "requires_action", "refund_failed", "disputed", "attempt_failed", "pending"});
  }
  Step s;
  s.cart = name;
  s.type = "payment." + says;
  s.session_id = session_id(name, newest);
  s.amount_minor = amount(says == "refunded" && asked > 0 ? asked : A);
  if (says == "canceled" && cart != nullptr && cart->session)
    s.amount_minor = amount(cart->session->au - (cart->session->why == "released" ? cart->session->ca : 0));
  if (says == "requires_action") {
    s.url = one_of<std::string>({"https://a", "https://b"});
    if (chance(50)) s.expires_after_s = one_of<std::int64_t>({0, 1, 60, 900, 3600, 4000, 1'000'000'000});
    s.amount_minor = 0;
    return s;
  }
  if (says == "pending") {
    s.amount_minor = 0;
    if (chance(50)) s.reference = "pi";
    if (chance(40)) s.expires_after_s = one_of<std::int64_t>({1, 60, 5000, 7'776'000});
    return s;
  }
  if (says == "attempt_failed") {
    s.amount_minor = 0;
    s.reason = "no";
    if (chance(60)) s.attempt = one_of<std::int64_t>({1, 1, 2, 3, 5, 1'000'000});
    if (chance(50)) s.reference = "pi";
    return s;
  }
  if (says == "refund_failed" || says == "disputed") {
    s.reason = "closed";
    s.retryable = chance(70);
    s.currency = currency(cart);
    if (s.currency.empty()) s.currency = "EUR";
    if (chance(50)) s.reference = "pi";
    if (says == "disputed") s.state = one_of<std::string>({"opened", "won", "lost"});
    return s;
  }
  if (says == "declined" || says == "capture_failed") {
    s.amount_minor = 0;
    s.reason = "no";
    s.retryable = chance(70);
    if (chance(50)) s.reference = "pi";
    if (says == "capture_failed" && chance(50)) s.currency = currency(cart);
    return s;
  }
  s.reference = one_of<std::string>({"pi", "pi", "pi2"});
  s.currency = currency(cart);
  if (says == "authorized" && chance(30)) s.expires_after_s = one_of<std::int64_t>({1, 60, 5000, 7'776'000});
  if (says == "captured" && chance(10)) s.final = true;
  if (says != "status") return s;
  s.state = one_of<std::string>({"pending", "pending", "requires_action", "authorized", "authorized", "captured",
                                 "refunded", "declined", "canceled", "not_found", "refund_pending", "captured"});
  s.amount_minor = 0;
  if (s.state == "authorized" || s.state == "captured" || s.state == "refunded" || chance(15)) {
    s.authorized_minor = amount(A);
  }
  if (s.state == "captured" || s.state == "refunded" || s.state == "refund_pending" || chance(6))
    s.captured_minor = amount(A);
  if (s.state == "refunded" || chance(4)) s.refunded_minor = amount(asked > 0 ? asked : A);
  if (chance(30)) s.reference.clear();
  if (chance(40)) s.currency.clear();
  return s;
}

}  // namespace mayfly::model
