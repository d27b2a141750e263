#include "tools/funds/funds_book.h"

#include <algorithm>
#include <utility>

namespace mayfly::tools {

using events::EventType;
using events::Minor;

namespace {

constexpr std::string_view no_currency = "XXX";

/// XXX: the reply named none and the cart was over, so that nobody knows.
bool same_currency(std::string_view a, std::string_view b) { return a == b || a == no_currency || b == no_currency; }

RiskState state_of(events::Cause cause) {
  switch (cause) {
    case events::Cause::abandoned: return RiskState::abandoned;
    case events::Cause::refund_pending: return RiskState::refund_pending;
    case events::Cause::none:
    case events::Cause::refund_failed: break;
  }
  return RiskState::unresolved;
}

}  // namespace

std::string_view name(RiskState state) {
  switch (state) {
    case RiskState::authorization_asked: return "authorization_asked";
    case RiskState::authorized_without_order: return "authorized_without_order";
    case RiskState::capture_asked: return "capture_asked";
    case RiskState::captured_unpaid: return "captured_unpaid";
    case RiskState::cancel_asked: return "cancel_asked";
    case RiskState::refund_asked: return "refund_asked";
    case RiskState::in_doubt: return "in_doubt";
    case RiskState::unresolved: return "unresolved";
    case RiskState::abandoned: return "abandoned";
    case RiskState::refund_pending: return "refund_pending";
    case RiskState::unmatched: return "unmatched";
    case RiskState::settling: return "settling";
    case RiskState::capture_awaited: return "capture_awaited";
  }
  return {};
}

void leave_to_a_person(std::vector<Risk>& risks, events::Timestamp now) {
  for (auto& r : risks) {
    const bool waits = r.state == RiskState::abandoned || r.state == RiskState::refund_pending;
    if (waits && settles_by_itself < now - r.since) r.state = RiskState::unresolved;
  }
}

void FundsBook::apply(const FundsEvent& e) {
  switch (e.type) {
    case EventType::cart_expired:
    case EventType::cart_canceled:
    case EventType::cart_merged:
    case EventType::cart_converted: return cart_is_over(e.cart);
    case EventType::order_placed: {
      if (e.session.empty()) return order_of_several(e);
      const auto found = sessions_.find({e.cart, e.session});
      if (found == sessions_.end()) return;
      auto& s = found->second;
      s.order = e.order;
      if (s.on_command && s.asked) {
        s.asked = {RiskState::capture_awaited, s.amount_minor - s.captured_minor, e.time, e.at};
      }
      return;
    }
    default: break;
  }
  if (!is_payment_event(e.type) || e.type == EventType::payment_disputed || apply_unmatched(e)) return;
  const auto at = sessions_.try_emplace({e.cart, e.session}).first;
  auto& session = at->second;
  if (!e.cart_lives) session.cart_over = true;
  apply_payment(session, e);
  if (!session.open && !session.asked && session.unresolved.empty()) sessions_.erase(at);
}

/// Of several tenders: each session that is open is authorized, and will be captured in its turn.
void FundsBook::order_of_several(const FundsEvent& e) {
  for (auto at = sessions_.lower_bound({e.cart, {}}); at != sessions_.end() && at->first.first == e.cart; ++at) {
    auto& s = at->second;
    if (!s.open) continue;
    s.order = e.order;
    s.asked = {RiskState::capture_awaited, s.amount_minor - s.captured_minor, e.time, e.at};
  }
}

bool FundsBook::apply_unmatched(const FundsEvent& e) {
  const Key key{e.cart, e.session};
  if (e.type == EventType::payment_unmatched) {
    auto& u = unmatched_[key];
    if (u.amount_minor >= e.amount_minor) return true;
    u.amount_minor = e.amount_minor;
    u.currency = e.currency;
    u.since = e.time;
    u.at = e.at;
    return true;
  }
  const auto found = unmatched_.find(key);
  if (found == unmatched_.end() || e.cart_lives) return false;
  const bool refunded = e.type == EventType::payment_refunded && e.amount_minor >= found->second.amount_minor;
  if (refunded || e.type == EventType::payment_canceled) unmatched_.erase(found);
  return true;
}

void FundsBook::look_back(const FundsEvent& e) {
  const auto found = unmatched_.find({e.cart, e.session});
  if (found == unmatched_.end()) return;
  auto& u = found->second;
  if (e.type == EventType::payment_captured) u.captured_minor = std::max(u.captured_minor, e.amount_minor);
  if (e.type == EventType::payment_session_ended) u.ended = true;
  if (u.ended && u.captured_minor >= u.amount_minor) unmatched_.erase(found);
}

void FundsBook::cart_is_over(const std::string& cart) {
  for (auto s = sessions_.lower_bound({cart, {}}); s != sessions_.end() && s->first.first == cart; ++s) {
    s->second.cart_over = true;
  }
}

/// Of an unpaid order all that is authorized and not captured is held, be it more than the order's. What is captured of
/// the last that was asked for lets go of what is beyond that, and so does a capture of the whole.
Minor FundsBook::still_held(const Session& s) {
  const bool of_last = s.last_asked ? s.captured_minor > s.captured_before_last : !s.on_command && s.captured_minor > 0;
  const bool let_go = of_last || s.captured_minor >= s.amount_minor;
  return std::max<Minor>(0, (let_go ? s.amount_minor : s.authorized_minor) - s.captured_minor);
}

/// Taken for an order that was left unpaid, and more than it may keep: nobody asks it back.
Minor FundsBook::beyond_the_order(const Session& s) {
  if (s.open || s.order.empty() || s.amount_minor == 0) return 0;
  return std::max<Minor>(0, s.captured_minor - s.refunded_minor - s.amount_minor - s.extra_minor);
}

/// What refunds leave of an unresolved row. Of an unpaid order they let go of nothing that is held.
Minor FundsBook::not_given_back(const Session& s, const Unresolved& row) {
  const Minor held = s.open || s.order.empty() ? 0 : std::min(row.amount_minor, still_held(s));
  return std::max(row.amount_minor - (s.refunded_minor - row.refunded_before), held);
}

/// A capture of the whole closes what is unresolved, but for what is beyond the order, which is listed once. Of an
/// order that is not paid the rest stays.
void FundsBook::close_captured(Session& s, const std::string& currency) {
  Minor beyond = beyond_the_order(s);
  for (auto u = s.unresolved.begin(); u != s.unresolved.end();) {
    auto& row = u->second;
    const Minor whole = s.amount_minor > 0 ? s.amount_minor : row.amount_minor;
    const bool covered = s.captured_minor >= whole;
    if (same_currency(u->first, currency) && covered && beyond == 0) {
      u = s.unresolved.erase(u);
      continue;
    }
    if (same_currency(u->first, currency) && covered) {
      row.amount_minor = std::exchange(beyond, 0);
      row.refunded_before = s.refunded_minor;
    } else if (same_currency(u->first, currency) && !s.order.empty()) {
      row.amount_minor = std::min(row.amount_minor, std::max(still_held(s), whole - s.captured_minor));
    }
    ++u;
  }
}

void FundsBook::apply_payment(Session& s, const FundsEvent& e) {
  const auto put = [&](RiskState state, Minor amount) { s.asked = {state, amount, e.time, e.at}; };
  const auto rise = [](Minor& total, Minor to) {
    const Minor before = total;
    total = std::max(total, to);
    return total - before;
  };
  if (s.currency.empty()) s.currency = e.currency;
  switch (e.type) {
    case EventType::payment_session_opened:
      s.open = true;
      s.amount_minor = e.amount_minor;
      s.currency = e.currency;
      return put(RiskState::authorization_asked, e.amount_minor);
    case EventType::payment_authorization_requested:
      s.on_command = e.on_command;
      s.extra_minor = e.extra_minor;
      return put(RiskState::authorization_asked, e.amount_minor);
    case EventType::payment_authorized:
      rise(s.authorized_minor, e.amount_minor);
      return put(RiskState::authorized_without_order, s.authorized_minor);
    case EventType::payment_pending: return put(RiskState::settling, e.amount_minor);
    case EventType::payment_capture_requested:
      if (!s.last_asked && (e.final || s.captured_minor + e.amount_minor >= s.amount_minor)) {
        s.last_asked = true;
        s.captured_before_last = s.captured_minor;
      }
      if (e.final && !s.final_asked) {  // no more than this will be asked for; asked again, it is the same
        s.final_asked = true;
        s.amount_minor = s.captured_minor + e.amount_minor;
      }
      return put(RiskState::capture_asked,
                 std::max<Minor>(0, (s.amount_minor > 0 ? s.amount_minor : e.amount_minor) - s.captured_minor));
    case EventType::payment_captured:
      rise(s.captured_minor, e.amount_minor);
      if (s.open && s.asked && s.releasing) {
        s.asked->amount_minor = std::max<Minor>(0, s.authorized_minor - s.captured_minor);
      } else if (s.open && s.asked && !s.order.empty() && s.captured_minor < s.amount_minor) {
        s.asked->amount_minor = s.amount_minor - s.captured_minor;  // the rest is still asked for, or will be
        if (s.on_command) s.asked->state = RiskState::capture_awaited;
      } else if (s.open) {
        put(RiskState::captured_unpaid, s.captured_minor - s.refunded_minor);
      }
      close_captured(s, e.currency);
      return;
    case EventType::payment_cancel_requested:
      s.releasing = s.open && !s.order.empty();
      rise(s.authorized_minor, e.amount_minor);
      return put(RiskState::cancel_asked,
                 s.authorized_minor > 0 ? s.authorized_minor - (s.on_command ? s.captured_minor : 0) : s.amount_minor);
    case EventType::payment_canceled:
      if (s.open && !s.order.empty()) s.authorized_minor = s.captured_minor;  // the rest of the hold is released
      if (s.captured_minor > s.refunded_minor) return;  // what was taken is not given back by a cancel
      if (!s.open && e.amount_minor == 0 && s.authorized_minor > 0)
        return;  // the provider does not know it: it is held
      if (!s.open) s.asked.reset();
      std::erase_if(s.unresolved, [&](const auto& u) { return same_currency(u.first, e.currency); });
      return;
    case EventType::payment_refund_requested:
      if (!s.open || s.asked_back_minor == 0) {  // a late request stands for all that is held
        s.asked_back_minor = 0;
        s.back_before_minor = s.refunded_minor;
      }
      s.asked_back_minor += e.amount_minor;
      rise(s.captured_minor, s.refunded_minor + e.amount_minor);
      return put(RiskState::refund_asked, s.asked_back_minor - (s.refunded_minor - s.back_before_minor));
    case EventType::payment_refunded:
      if (const auto back = rise(s.refunded_minor, e.amount_minor);
          s.asked && s.asked->state == RiskState::refund_asked) {
        s.asked->amount_minor = std::max<Minor>(0, s.asked->amount_minor - back);
        if (s.asked->amount_minor == 0 && !s.open) s.asked.reset();
      }
      rise(s.captured_minor, s.refunded_minor);
      std::erase_if(s.unresolved, [&](const auto& u) {
        return same_currency(u.first, e.currency) && not_given_back(s, u.second) <= 0;
      });
      return;
    case EventType::payment_in_doubt:
      if (s.asked) put(RiskState::in_doubt, s.asked->amount_minor);
      return;
    case EventType::payment_unresolved: {
      const bool unpaid = s.open && !s.order.empty() && e.currency == s.currency;
      const Minor held = unpaid ? still_held(s) : 0;
      s.unresolved[e.currency] = {std::max(e.amount_minor, held), s.refunded_minor, e.cause, e.time, e.at};
      return;
    }
    case EventType::payment_declined:  // of a session that is over it closes what is not known to be held
      if (s.open || s.captured_minor > s.refunded_minor || s.authorized_minor > 0) return;
      s.asked.reset();
      std::erase_if(s.unresolved, [&](const auto& u) { return same_currency(u.first, e.currency); });
      return;
    case EventType::payment_session_ended:
      s.open = false;
      s.asked.reset();
      return;
    default: return;  // status_requested, action_required, attempt_failed: no money moves
  }
}

std::vector<Risk> FundsBook::risks() const {
  std::vector<Risk> rows;
  for (const auto& kept : sessions_) {
    const auto& s = kept.second;
    const auto row = [&](RiskState state, Minor amount, const std::string& currency, events::Timestamp since,
                         events::Position at) {
      rows.push_back({kept.first.first, kept.first.second, s.order, state, amount, currency, s.cart_over, since, at});
    };
    for (const auto& [currency, u] : s.unresolved) {
      // What is asked for still may be more than what a reply that could not be used told of.
      const Minor asked = s.asked && currency == s.currency ? s.asked->amount_minor : 0;
      row(state_of(u.cause), std::max(not_given_back(s, u), asked), currency, u.since, u.at);
    }
    if (s.asked && !s.unresolved.contains(s.currency)) {
      row(s.asked->state, s.asked->amount_minor, s.currency, s.asked->since, s.asked->at);
    }
  }
  for (const auto& [key, u] : unmatched_) {
    rows.push_back({key.first, key.second, {}, RiskState::unmatched, u.amount_minor, u.currency, true, u.since, u.at});
  }
  return rows;
}

}  // namespace mayfly::tools
