#include "tools/simulate/provider.h"

#include <algorithm>

namespace mayfly::tools {

using events::Timestamp;
using Json = nlohmann::json;

namespace {

constexpr std::int64_t day_s = 86'400;
constexpr std::int64_t longest_settling_s = 8 * day_s;

}  // namespace

void SimulatedProvider::take(Timestamp now, const ConnectorRequest& request) {
  const auto& data = request.data;
  const std::string session = data.at("session_id");
  const auto known = accounts_.find(session);
  if (known != accounts_.end() && known->second.pending_until && *known->second.pending_until <= now)
    settle(*known->second.pending_until, session, known->second);
  answers_.begin(request.id, request.correlation_id, request.at);
  if (answers_.request_is_lost()) return;
  const std::string key = data.at("idempotency_key");
  const std::int64_t amount = data.at("amount_minor");
  auto& account = accounts_[session];
  account.cart = request.cart;
  if (account.currency.empty()) account.currency = data.at("currency");
  if (request.type == "payment.authorization_requested") {
    if (account.closed || account.pending_until || !account.done.insert(key).second)
      return status(now, session, account);
    begin(now, session, account, request);
  } else if (request.type == "payment.capture_requested") {
    capture(now, session, account, key, amount, data.value("final", false));
  } else if (request.type == "payment.cancel_requested") {
    cancel(now, session, account, key);
  } else if (request.type == "payment.refund_requested") {
    refund(now, session, account, key, amount);
  } else {
    status(now, session, account);
  }
}

void SimulatedProvider::begin(Timestamp now, const std::string& session, ProviderAccount& a,
                              const ConnectorRequest& request) {
  a.asked = request.data.at("amount_minor");
  a.extra = request.data.value("extra_up_to_minor", std::int64_t{0});
  a.on_command = request.data.value("capture", "") == "on_command";
  a.settles = request.data.contains("settles_within_s");
  a.request = request.id;
  a.correlation_id = request.correlation_id;
  a.at = request.at;
  if (chance_.percent(rates_.decline)) {
    a.closed = a.declined = true;
    return say(now, session, a, "payment.declined", 0);
  }
  if (a.settles || chance_.percent(rates_.pending)) return wait(now, session, a, request.data);
  authorize(now, session, a);
}

/// For the buyer, or for the money.
void SimulatedProvider::wait(Timestamp now, const std::string& session, ProviderAccount& a, const Json& terms) {
  events::Millis least{1'000};
  events::Millis most{1'200'000};
  if (a.settles) {
    const auto within_s = std::min(terms.at("settles_within_s").get<std::int64_t>(), longest_settling_s);
    least = {within_s * 100};  // between a tenth and nine tenths of it
    most = {within_s * 900};
    if (chance_.percent(rates_.never_settles))
      least = most = {terms.at("settles_within_s").get<std::int64_t>() * 1'100};
  }
  a.pending_until = now + chance_.between(least, most);
  a.needs_buyer = !a.settles && chance_.percent(50);
  pending_.emplace(*a.pending_until, session);
  if (a.settles) return say(now, session, a, "payment.pending", 0);
  if (!a.needs_buyer) return;
  say(now, session, a, "payment.requires_action", 0);
  if (chance_.percent(rates_.attempt_fails)) say(now, session, a, "payment.attempt_failed", 0);
}

void SimulatedProvider::settle_pending(Timestamp now) {
  while (!pending_.empty() && pending_.begin()->first <= now) {
    const auto [due, session] = *pending_.begin();
    pending_.erase(pending_.begin());
    const auto found = accounts_.find(session);
    if (found != accounts_.end() && found->second.pending_until == due) settle(due, session, found->second);
  }
}

void SimulatedProvider::settle_all(events::Partition partition) {
  for (auto& [session, account] : accounts_) {
    if (account.pending_until && account.at.partition == partition) settle(*account.pending_until, session, account);
  }
}

void SimulatedProvider::settle(Timestamp now, const std::string& session, ProviderAccount& a) {
  answers_.begin(a.request + ".settled", a.correlation_id, a.at);
  a.pending_until.reset();
  a.needs_buyer = false;
  if (a.closed) return;
  if (a.settles && chance_.percent(rates_.decline)) {
    a.closed = a.declined = true;
    say(now, session, a, "payment.declined", 0);
  } else {
    authorize(now, session, a);
  }
  if (!a.settles || !chance_.percent(rates_.told_again)) return;
  const auto later = now + chance_.between({1'000}, {3'600'000});
  answers_.say_at(later, a.cart, "payment.status", status_of(session, a));
}

std::int64_t SimulatedProvider::perhaps_wrong(std::int64_t amount, bool may_be_more) {
  if (answers_.reliable() || !chance_.percent(rates_.wrong_amount)) return amount;
  switch (chance_.below(may_be_more ? 4 : 2)) {
    case 0: return std::max<std::int64_t>(1, amount - 1);
    case 1: return std::max<std::int64_t>(1, amount / 2);
    case 2: return amount + 1;
    default: return amount * 2;
  }
}

void SimulatedProvider::authorize(Timestamp now, const std::string& session, ProviderAccount& a) {
  const auto extra = a.extra > 0 && chance_.percent(rates_.extra) ? 1 + chance_.below(a.extra) : 0;
  a.authorized = perhaps_wrong(a.asked + extra, true);
  if (a.authorized > a.asked) a.added = std::min(extra, a.authorized - a.asked);
  if (!chance_.percent(rates_.auto_capture)) return say(now, session, a, "payment.authorized", a.authorized);
  a.captured = a.authorized;
  say(now, session, a, "payment.captured", a.captured);
}

void SimulatedProvider::capture(Timestamp now, const std::string& session, ProviderAccount& a, const std::string& key,
                                std::int64_t amount, bool final) {
  if (a.done.contains(key) || (a.held() <= 0 && a.captured > 0))
    return say(now, session, a, "payment.captured", a.captured);
  if (a.held() <= 0) return say(now, session, a, "payment.capture_failed", 0);
  if (!answers_.reliable() && chance_.percent(rates_.capture_fails))  // definite: the key is not used up
    return say(now, session, a, "payment.capture_failed", chance_.below(2));
  a.done.insert(key);
  const auto before = a.captured;
  const auto added = before + amount == a.asked ? a.added : 0;  // with the last of it
  amount += added;
  const bool last = !a.on_command || final || before + amount >= a.asked;
  const bool all = a.held() > amount && chance_.percent(rates_.wrong_amount);
  a.captured += all ? a.held() : std::min(perhaps_wrong(amount, false), a.held());
  if (last) {                                                       // what is beyond it is released
    const auto still_asked = before + amount - added - a.captured;  // where less was taken than was asked for
    a.canceled += std::max<std::int64_t>(0, a.held() - std::max<std::int64_t>(0, still_asked));
  }
  say(now, session, a, "payment.captured", a.captured);
  perhaps_disputed(now, session, a);
}

void SimulatedProvider::cancel(Timestamp now, const std::string& session, ProviderAccount& a, const std::string& key) {
  if (a.captured > 0) {
    if (!a.on_command) return say(now, session, a, "payment.captured", a.captured);
    a.canceled += a.held();
    a.closed = true;
    return status(now, session, a);  // with what is captured: the request may not have known of it
  }
  a.done.insert(key);
  a.canceled = a.authorized;
  a.closed = true;
  say(now, session, a, "payment.canceled", a.canceled);
}

void SimulatedProvider::refund(Timestamp now, const std::string& session, ProviderAccount& a, const std::string& key,
                               std::int64_t amount) {
  if (!a.done.contains(key) && !answers_.reliable() && chance_.percent(rates_.refund_fails)) {
    const Json data = {{"session_id", session},
                       {"amount_minor", amount},
                       {"currency", a.currency},
                       {"reason", "the bank is away"},
                       {"retryable", chance_.percent(50)}};
    return answers_.answer(now, a.cart, "payment.refund_failed", data.dump());
  }
  if (a.done.insert(key).second) a.refunded += std::min(perhaps_wrong(amount, false), a.captured - a.refunded);
  say(now, session, a, "payment.refunded", a.refunded);
}

/// Opened, and won or lost on a later day. Told only: the bank's money is not in these books.
void SimulatedProvider::perhaps_disputed(Timestamp now, const std::string& session, const ProviderAccount& a) {
  if (!chance_.percent(rates_.dispute)) return;
  Json data = {
      {"session_id", session}, {"amount_minor", a.captured}, {"currency", a.currency}, {"reason", "fraudulent"}};
  const auto opened = now + chance_.between(rates_.dispute_least, rates_.dispute_most);
  data["state"] = "opened";
  answers_.say_at(opened, a.cart, "payment.disputed", data.dump());
  data["state"] = chance_.percent(50) ? "won" : "lost";
  answers_.say_at(opened + chance_.quick(rates_.dispute_most), a.cart, "payment.disputed", data.dump());
}

void SimulatedProvider::status(Timestamp now, const std::string& session, ProviderAccount& a) {
  answers_.answer(now, a.cart, "payment.status", status_of(session, a));
}

std::string SimulatedProvider::status_of(const std::string& session, ProviderAccount& a) {
  std::string_view state = "authorized";
  if (a.captured > 0) {
    state = a.refunded >= a.captured ? "refunded" : a.closed ? "canceled" : "captured";
  } else if (a.declined) {
    state = "declined";
  } else if (a.closed && !a.done.empty()) {
    state = "canceled";
  } else if (a.pending_until) {
    state = a.needs_buyer ? "requires_action" : "pending";
  } else if (a.authorized == 0) {
    state = "not_found";
    a.closed = true;
  }
  return Json{{"session_id", session},
              {"state", state},
              {"authorized_minor", a.authorized},
              {"captured_minor", a.captured},
              {"refunded_minor", a.refunded},
              {"currency", a.currency}}
      .dump();
}

/// For capture_failed, `amount` says whether it may be tried again.
void SimulatedProvider::say(Timestamp now, const std::string& session, const ProviderAccount& a, std::string_view type,
                            std::int64_t amount) {
  Json data = {{"session_id", session}};
  if (type == "payment.declined") {
    data.update({{"reason", "insufficient funds"}, {"retryable", true}});
  } else if (type == "payment.requires_action") {
    data.update({{"url", "https://bank.example/" + session}, {"expires_after_s", 600}});
  } else if (type == "payment.attempt_failed") {
    data.update({{"reason", "insufficient funds"}, {"attempt", 1}});
  } else if (type == "payment.capture_failed") {
    data.update({{"reason", "try later"}, {"retryable", amount > 0}});
  } else if (type != "payment.pending") {
    data.update({{"reference", "ref-" + session}, {"amount_minor", amount}, {"currency", a.currency}});
  }
  answers_.answer(now, a.cart, type, data.dump());
}

std::optional<Timestamp> SimulatedProvider::next_pending() const {
  if (pending_.empty()) return std::nullopt;
  return pending_.begin()->first;
}

void SimulatedProvider::hold_back(std::vector<events::Position>& next) const {
  for (const auto& [due, session] : pending_) {
    const auto found = accounts_.find(session);
    if (found == accounts_.end() || found->second.pending_until != due) continue;
    for (auto& position : next) {
      if (position.partition == found->second.at.partition)
        position.offset = std::min(position.offset, found->second.at.offset);
    }
  }
}

std::string SimulatedProvider::books_as_ndjson() const {
  std::string text;
  for (const auto& [session, a] : accounts_) {
    text += Json{{"session", session},
                 {"cart", a.cart},
                 {"currency", a.currency},
                 {"asked_minor", a.asked},
                 {"authorized_minor", a.authorized},
                 {"captured_minor", a.captured},
                 {"canceled_minor", a.canceled},
                 {"refunded_minor", a.refunded},
                 {"closed", a.closed}}
                .dump();
    text += '\n';
  }
  return text;
}

}  // namespace mayfly::tools
