// Sections 1 and 2 of decisions.md: whose command it is, and carts that do not live.
#include "rules/model/model.h"

#include <algorithm>

namespace mayfly::model {
namespace {

constexpr std::int64_t s = 1000;
constexpr std::int64_t h = 3600 * s;

bool begins(const std::string& text, const char* with) { return text.rfind(with, 0) == 0; }

/// Numbers without a sign, two hyphens between them.
bool three_numbers(const std::string& id) {
  int parts = 0;
  bool digit = false;
  for (const char c : id + "-") {
    if (c == '-' && !digit) return false;
    if (c != '-' && (c < '0' || c > '9')) return false;
    parts += c == '-' ? 1 : 0;
    digit = c != '-';
  }
  return parts == 3;
}

/// `*` stands for any text.
bool fits(const std::string& text, const std::string& pattern) {
  if (pattern.empty()) return text.empty();
  if (pattern[0] == '*') return fits(text, pattern.substr(1)) || (!text.empty() && fits(text.substr(1), pattern));
  return !text.empty() && text[0] == pattern[0] && fits(text.substr(1), pattern.substr(1));
}
bool fits_one(const std::string& text, const std::string& patterns) {
  for (std::size_t at = 0; at <= patterns.size();) {
    const auto end = std::min(patterns.find(' ', at), patterns.size());
    if (fits(text, patterns.substr(at, end - at))) return true;
    at = end + 1;
  }
  return false;
}

}  // namespace

Model::Model(Coverage& coverage, std::size_t epitaphs) : coverage_(coverage), epitaphs_(epitaphs) {
  numbers_ = {{"cart_idle", 24 * h},
              {"cart_life", 30 * 24 * h},
              {"reservation_wait", 60 * s},
              {"authorization_wait", 120 * s},
              {"pending_wait", 120 * s},
              {"refund_wait", 120 * s},
              {"action_wait", 900 * s},
              {"action_total", 3600 * s},
              {"capture_wait", 60 * s},
              {"cancel_wait", 60 * s},
              {"capture_retry_1", 60 * s},
              {"capture_retry_2", 300 * s},
              {"request_answer", 120 * s},
              {"status_try_1", 30 * s},
              {"status_try_2", 120 * s},
              {"status_try_3", 600 * s},
              {"status_try_4", 1800 * s},
              {"status_tries", 4},
              {"status_tries_order_placed", 48},
              {"admission_closed", 0},
              {"retry_after", 30 * s},
              {"live_carts", 1'000'000}};
}

std::vector<std::string> Model::take(const Step& step) {
  out_.clear();
  writes_.clear();
  if (step.type == "clock.tick") {
    tick(step);
    send_alert();
    for (const auto& [id, cart] : carts_) tell_wait(id);
  } else {
    command(step);
    send_alert();
    tell_wait(step.cart);
  }
  out_.insert(out_.end(), writes_.begin(), writes_.end());
  return out_;
}

void Model::send_alert() {
  if (!alert_.empty()) out_.push_back("alert " + alert_);
  alert_.clear();
}
void Model::tell_wait(const std::string& id) {
  const auto cart = carts_.find(id);
  if (cart == carts_.end()) return;
  const Wait& w = cart->second.wait;
  out_.push_back(id + " waits " + w.kind + " " + std::to_string(w.length) +
                 (w.due ? " until " + std::to_string(*w.due) : " since @" + std::to_string(w.set_at)));
}

Said Model::say(LiveCart* cart, const Step& step, const std::string& type) {
  coverage_.produced("event", type);
  if (cart != nullptr) ++cart->sequence;
  out_.emplace_back();
  return {out_.back(), cart != nullptr ? cart->id : step.cart, cart != nullptr ? cart->sequence : 0, type};
}

void Model::refuse(LiveCart* cart, const Step& step, const std::string& code) {
  coverage_.produced("code", code);
  refused_ = code;
  say(cart, step, "command.rejected").text("code", code);
}
void Model::refuse_with_order(LiveCart* cart, const Step& step, const std::string& code) {
  coverage_.produced("code", code);
  say(cart, step, "command.rejected").text("code", code).flag("order", true);
}

void Model::set_wait(LiveCart& cart, const Step& step, const std::string& kind, std::int64_t length) {
  cart.wait = {kind, length, step.offset, {}};
}
void Model::set_idle_wait(LiveCart& cart, const Step& step) {
  const std::int64_t life_left = cart.created_at + numbers_["cart_life"] - step.time;
  std::int64_t length = cart.expires_after_s * s;
  if (guard("3 idle: the end of the cart's life comes first", life_left < length)) length = life_left;
  if (guard("3 idle: its life is over", length < 1)) length = 1;  // a wait has a length
  set_wait(cart, step, "idle", length);
}

bool in_force(const std::string& currency) {
  for (const char* code : {"EUR", "USD", "GBP", "JPY", "KWD", "CLF"}) {
    if (currency == code) return true;
  }
  return false;
}

bool Model::dead_letter(const Step& step) {
  if (!step.record) return false;
  const Record& r = *step.record;
  const auto is = [&](const char* reason) {
    coverage_.produced("dead letter", reason);
    out_.push_back(std::string("dead letter ") + reason);
    return true;
  };
  const bool own = r.source == "/mayfly/shop";
  const bool of_merge = r.type == "cart.merge_offered" || r.type == "cart.merge_answered";
  const bool offer = r.type_known && r.type == "cart.merge_offered" && own && three_numbers(step.id);
  if (guard("1 over 64 KiB", r.over_64_kib) && !guard("1 over 64 KiB: the engine's offer", offer))
    return is("too_large");
  if (guard("1 not CloudEvents 1.0", r.specversion != "1.0")) return is("not_cloudevent");
  if (guard("1 key no cart id", !r.key_is_cart_id)) return is("key_invalid");
  if (guard("1 subject given, not the key", !r.subject.empty() && r.subject != step.cart))
    return is("subject_mismatch");
  if (guard("1 unknown type", !r.type_known)) return is("type_unknown");
  if (guard("1 data not a JSON object", !r.data_is_object)) return is("json_invalid");
  if (guard("1 another partition's key", !r.right_partition)) return is("wrong_partition");
  if (guard("1 the engine's source", own)) {
    if (!guard("1 the engine's source: what a merge needs", of_merge || r.type == "cart.add_line"))
      return is("source_refused");
    if (!guard("1 the engine's source: the engine's id", three_numbers(step.id))) return is("source_refused");
  } else {
    if (guard("1 another source: of a merge", of_merge)) return is("source_refused");
    const bool reply = begins(r.type, "inventory.") || begins(r.type, "payment.");
    if (guard("1 another source: a reply, and sources are named", reply && !r.reply_sources.empty()) &&
        !guard("1 another source: it fits one", fits_one(r.source, r.reply_sources)))
      return is("source_refused");
  }
  if (r.type == "cart.cancel") return false;
  out_.emplace_back("read");
  return true;
}

void Model::command(const Step& step) {
  if (dead_letter(step)) return;
  const auto found = carts_.find(step.cart);
  LiveCart* cart = found == carts_.end() ? nullptr : &found->second;
  if (guard("1 data invalid", step.unreadable)) {
    refuse(cart, step, "data_invalid");
    if (guard("1 data invalid: a reply that reports money", money(step) > 0)) {
      stranger_unresolved(cart, step, cart != nullptr ? cart->currency : "XXX");
    }
    return;
  }
  if (guard("7 answered", step.type == "cart.merge_answered")) return merge_answered(cart, step);
  if (guard("2 the cart does not live", cart == nullptr)) {
    const Grave* grave = grave_of(step.cart);
    if (guard("7 offered to none", step.type == "cart.merge_offered")) {
      return merge_offered(nullptr, grave != nullptr, step);
    }
    if (guard("2 there is an epitaph", grave != nullptr)) return ended_cart(step, *grave);
    return no_cart(step);
  }
  if (begins(step.type, "inventory.")) return inventory(*cart, step);
  if (begins(step.type, "payment.") && step.type != "payment.capture") return payment(*cart, step);

  const std::string body = body_of(step);
  for (const auto& [id, known_body] : cart->remembered) {
    if (guard("1 id remembered", id == step.id)) {
      if (guard("1 id remembered: same type and members", known_body == body)) return;
      return refuse(cart, step, "id_reused");
    }
  }
  const std::size_t said_before = out_.size();
  if (guard("7 offered", step.type == "cart.merge_offered")) {
    merge_offered(cart, false, step);
  } else if (guard("7 merging: command of the shop", cart->merging)) {
    refuse(cart, step, "merge_in_progress");
  } else if (cart->frozen) {
    frozen_cart(*cart, step);
  } else {
    active_cart(*cart, step);
  }
  const bool invalid = out_.size() > said_before && out_.back().find("code=data_invalid") != std::string::npos;
  if (carts_.count(step.cart) == 0 || invalid) return;
  const bool accepted = out_.size() > said_before && out_[said_before].find("command.rejected") == std::string::npos;
  if (guard("7 a command is accepted after a merge", accepted && cart->merge >= 0 && step.type != "cart.merge")) {
    cart->merge = -1;
  }
  cart->remembered.emplace_back(step.id, body);
  if (guard("1 more than 32 remembered", cart->remembered.size() > 32)) cart->remembered.pop_front();
}

void Model::no_cart(const Step& step) {
  if (step.type == "cart.create") {
    if (guard("2.none create: currency not in force", !in_force(step.currency))) {
      return refuse(nullptr, step, "currency_unknown");
    }
    if (step.expires_after_s) {
      if (guard("2.none create: expires_after_s < 60", *step.expires_after_s < 60)) {
        return refuse(nullptr, step, "data_invalid");
      }
      if (guard("2.none create: expires_after_s > 31,536,000", *step.expires_after_s > 31'536'000)) {
        return refuse(nullptr, step, "data_invalid");
      }
    }
    const auto live = static_cast<std::int64_t>(carts_.size());
    if (guard("2.none create: too many live carts", live >= numbers_["live_carts"])) {
      return refuse(nullptr, step, "too_many_carts");
    }
    if (guard("2.none create: admission closed", numbers_["admission_closed"] == 1)) {
      coverage_.produced("code", "try_later");
      say(nullptr, step, "command.rejected").text("code", "try_later").number("retry", numbers_["retry_after"] / s);
      return;
    }
    LiveCart& cart = carts_[step.cart];
    cart.id = step.cart;
    cart.created_at = step.time;
    cart.created_offset = step.offset;
    cart.currency = step.currency;
    cart.expires_after_s = step.expires_after_s ? *step.expires_after_s : numbers_["cart_idle"] / s;
    say(&cart, step, "cart.created")
        .text("currency", cart.currency)
        .text("customer", step.customer_id)
        .number("expires", cart.expires_after_s);
    cart.remembered.emplace_back(step.id, body_of(step));
    return set_idle_wait(cart, step);
  }
  if (guard("2.none disputed", step.type == "payment.disputed")) return disputed(nullptr, step, "XXX");
  refuse(nullptr, step, "cart_unknown");
  if (guard("2.none reply reports money", money(step) > 0)) {
    stranger_unresolved(nullptr, step, "XXX", "payment.unmatched");
    return alert("unmatched");
  }
  if (guard("2.none refunded or canceled", step.type == "payment.refunded" || step.type == "payment.canceled")) {
    if (guard("2.none refunded or canceled: a session of this cart", number_of(step.session_id, step.cart, "-p") > 0)) {
      say(nullptr, step, step.type)
          .text("session", step.session_id)
          .number("amount", step.amount_minor)
          .text("currency", !step.currency.empty() && in_force(step.currency) ? step.currency : "XXX")
          .text("ref", step.reference);
    }
  }
}

void Model::ended_cart(const Step& step, const Grave& grave) {
  const bool converted = begins(grave.outcome, "converted");
  const bool of_a_checkout = guard("2.ended checkout.complete", step.type == "checkout.complete") ||
                             guard("2.ended checkout.abandon", step.type == "checkout.abandon");
  if (of_a_checkout) {
    if (guard("2.ended checkout.complete, abandon: converted", converted)) {
      return refuse_with_order(nullptr, step, "already_converted");
    }
  }
  if (begins(step.type, "inventory.")) return late_inventory(step, grave);
  if (begins(step.type, "payment.") && step.type != "payment.capture") return late_payment(nullptr, step, &grave);
  refuse(nullptr, step, "cart_ended");
}

}  // namespace mayfly::model
