#include "system/hostile/provider.h"

#include <algorithm>

namespace mayfly::hostile {

using events::Timestamp;
using Json = nlohmann::json;

void Provider::take(Timestamp now, const std::string& cart, std::string_view type, const Json& data) {
  if (answers_.request_is_lost()) return;
  const std::string session = data.at("session_id");
  const std::string key = data.at("idempotency_key");
  const std::int64_t amount = data.at("amount_minor");
  auto& account = accounts_[session];
  account.cart = cart;
  if (account.currency.empty()) account.currency = data.at("currency");
  if (type == "payment.authorization_requested") {
    if (account.closed || account.pending_until || !account.done.insert(key).second)
      return status(now, session, account);
    account.asked = amount;
    if (chance_.percent(rates_.decline)) {
      account.closed = account.declined = true;
      return say(now, session, account, "payment.declined", 0);
    }
    if (!chance_.percent(rates_.pending)) return authorize(now, session, account);
    account.pending_until = now + chance_.between({1'000}, {1'200'000});
    account.needs_buyer = chance_.percent(50);
    pending_.emplace(*account.pending_until, session);
    if (account.needs_buyer) say(now, session, account, "payment.requires_action", 0);
  } else if (type == "payment.capture_requested") {
    capture(now, session, account, key, amount);
  } else if (type == "payment.cancel_requested") {
    cancel(now, session, account, key);
  } else if (type == "payment.refund_requested") {
    refund(now, session, account, key, amount);
  } else {
    status(now, session, account);
  }
}

std::int64_t Provider::perhaps_wrong(std::int64_t amount, bool may_be_more) {
  if (answers_.reliable() || !chance_.percent(rates_.wrong_amount)) return amount;
  switch (chance_.below(may_be_more ? 4 : 2)) {
    case 0: return std::max<std::int64_t>(1, amount - 1);
    case 1: return std::max<std::int64_t>(1, amount / 2);
    case 2: return amount + 1;
    default: return amount * 2;
  }
}

void Provider::settle_pending(Timestamp now) {
  while (!pending_.empty() && pending_.begin()->first <= now) {
    const auto session = pending_.begin()->second;
    pending_.erase(pending_.begin());
    auto& account = accounts_[session];
    account.pending_until.reset();
    account.needs_buyer = false;
    if (!account.closed) authorize(now, session, account);
  }
}

void Provider::authorize(Timestamp now, const std::string& session, Account& a) {
  a.authorized = perhaps_wrong(a.asked, true);
  if (!chance_.percent(rates_.auto_capture)) return say(now, session, a, "payment.authorized", a.authorized);
  a.captured = a.authorized;
  say(now, session, a, "payment.captured", a.captured);
}

void Provider::capture(Timestamp now, const std::string& session, Account& a, const std::string& key,
                       std::int64_t amount) {
  const auto held = a.authorized - a.captured - a.canceled;
  if (a.done.contains(key) || (held <= 0 && a.captured > 0))
    return say(now, session, a, "payment.captured", a.captured);
  if (held <= 0) return say(now, session, a, "payment.capture_failed", 0);
  if (!answers_.reliable() && chance_.percent(rates_.capture_fails))  // definite: the key is not used up
    return say(now, session, a, "payment.capture_failed", chance_.below(2));
  a.done.insert(key);
  const bool all = held > amount && chance_.percent(rates_.wrong_amount);
  a.captured += all ? held : std::min(perhaps_wrong(amount, false), held);
  if (const auto beyond = a.authorized - a.canceled - std::max(amount, a.captured); beyond > 0) a.canceled += beyond;
  say(now, session, a, "payment.captured", a.captured);
}

void Provider::cancel(Timestamp now, const std::string& session, Account& a, const std::string& key) {
  if (a.captured > 0) return say(now, session, a, "payment.captured", a.captured);
  a.done.insert(key);
  a.canceled = a.authorized;
  a.closed = true;
  say(now, session, a, "payment.canceled", a.canceled);
}

void Provider::refund(Timestamp now, const std::string& session, Account& a, const std::string& key,
                      std::int64_t amount) {
  if (a.done.insert(key).second) a.refunded += std::min(perhaps_wrong(amount, false), a.captured - a.refunded);
  say(now, session, a, "payment.refunded", a.refunded);
}

void Provider::status(Timestamp now, const std::string& session, Account& a) {
  std::string_view state = "authorized";
  if (a.captured > 0) {
    state = a.refunded >= a.captured ? "refunded" : "captured";
  } else if (a.declined) {
    state = "declined";
  } else if (a.closed) {
    state = "canceled";
  } else if (a.pending_until) {
    state = a.needs_buyer ? "requires_action" : "pending";
  } else if (a.authorized == 0) {
    state = "not_found";
    a.closed = true;
  }
  answers_.answer(now, a.cart, "payment.status",
                  Json{{"session_id", session},
                       {"state", state},
                       {"authorized_minor", a.authorized},
                       {"captured_minor", a.captured},
                       {"refunded_minor", a.refunded},
                       {"currency", a.currency}}
                      .dump());
}

/// For capture_failed, `amount` says whether it may be tried again.
void Provider::say(Timestamp now, const std::string& session, const Account& a, std::string_view type,
                   std::int64_t amount) {
  Json data = {{"session_id", session}};
  if (type == "payment.declined") {
    data.update({{"reason", "insufficient funds"}, {"retryable", true}});
  } else if (type == "payment.requires_action") {
    data.update({{"url", "https://bank.example/" + session}, {"expires_after_s", 600}});
  } else if (type == "payment.capture_failed") {
    data.update({{"reason", "try later"}, {"retryable", amount > 0}});
  } else {
    data.update({{"reference", "ref-" + session}, {"amount_minor", amount}, {"currency", a.currency}});
  }
  answers_.answer(now, a.cart, type, data.dump());
}

void Provider::look_up(Timestamp now, const tools::Risk& risk, bool collect) {
  auto& a = accounts_[risk.session];
  a.cart = risk.cart;
  if (a.currency.empty()) a.currency = risk.currency;
  const auto held = a.authorized - a.captured - a.canceled;
  if (!risk.order.empty()) {
    if (collect && held > 0) {
      a.captured += std::min(held, a.asked - a.captured);
      a.canceled = a.authorized - a.captured;
    }
    if (a.captured > 0) say(now, risk.session, a, "payment.captured", a.captured);
  } else if (a.captured > a.refunded) {
    status(now, risk.session, a);
  } else if (a.captured > 0) {
    say(now, risk.session, a, "payment.refunded", a.refunded);
  } else if (held > 0) {
    say(now, risk.session, a, "payment.authorized", a.authorized);
  } else {
    a.closed = true;
    say(now, risk.session, a, "payment.canceled", a.canceled);
  }
}

std::optional<Timestamp> Provider::next_pending() const {
  if (pending_.empty()) return std::nullopt;
  return pending_.begin()->first;
}

void Provider::write_books(std::FILE* out) const {
  for (const auto& [session, a] : accounts_) {
    const auto line = Json{
        {"session", session},
        {"cart", a.cart},
        {"currency", a.currency},
        {"asked_minor", a.asked},
        {"authorized_minor", a.authorized},
        {"captured_minor", a.captured},
        {"canceled_minor", a.canceled},
        {"refunded_minor", a.refunded},
        {"closed",
         a.closed}}.dump();
    std::fprintf(out, "%s\n", line.c_str());
  }
}

}  // namespace mayfly::hostile
