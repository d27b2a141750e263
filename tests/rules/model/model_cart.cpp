// Section 2 of decisions.md: a live cart, active or frozen.
#include "rules/model/model.h"

namespace mayfly::model {
namespace {

constexpr std::int64_t largest = 1'000'000'000'000'000;

std::int64_t escaped_length(const std::string& text) {
  std::int64_t length = 0;
  for (const char c : text) {
    if (c == '"' || c == '\\' || c == '\n' || c == '\r' || c == '\t' || c == '\b' || c == '\f') {
      length += 2;
    } else if (c >= 0 && c < 0x20) {
      length += 6;
    } else {
      length += 1;
    }
  }
  return length;
}

bool is_cart_id(const std::string& id) {
  for (const char c : id) {
    if ((c >= 0 && c < 0x20) || c == 0x7f) return false;
  }
  return !id.empty() && id.size() <= 128;
}

bool is_card_number(const std::string& token) {
  std::string digits;
  for (const char c : token) {
    if (c == ' ' || c == '-') continue;
    if (c < '0' || c > '9') return false;
    digits += c;
  }
  if (digits.size() < 13 || digits.size() > 19) return false;
  int sum = 0;
  for (std::size_t i = 0; i < digits.size(); ++i) {
    int digit = digits[digits.size() - 1 - i] - '0';
    if (i % 2 == 1) digit *= 2;
    sum += digit > 9 ? digit - 9 : digit;
  }
  return sum % 10 == 0;
}

std::string lines_text(const std::vector<CartLine>& lines) {
  std::string text;
  for (const auto& l : lines) {
    text += "[" + l.sku + " " + std::to_string(l.quantity) + " " + std::to_string(l.price) + " " + l.name + "]";
  }
  return text;
}

std::string adjustments_text(const std::vector<StepAdjustment>& adjustments) {
  std::string text;
  for (const auto& a : adjustments) text += "[" + a.kind + " " + a.label + " " + std::to_string(a.amount_minor) + "]";
  return text;
}

}  // namespace

std::int64_t total(const std::vector<CartLine>& lines, const std::vector<StepAdjustment>& adjustments) {
  Amount sum = 0;
  for (const auto& l : lines) sum += static_cast<Amount>(l.quantity) * l.price;
  for (const auto& a : adjustments) sum += a.kind == "discount" ? -a.amount_minor : a.amount_minor;
  return static_cast<std::int64_t>(sum);
}

bool Model::amounts_out_of_range(const std::vector<CartLine>& lines, const std::vector<StepAdjustment>& adjustments) {
  bool line_beyond = false;
  Amount sum = 0;
  for (const auto& l : lines) {
    const Amount amount = static_cast<Amount>(l.quantity) * l.price;
    if (amount > largest) line_beyond = true;
    sum += amount;
  }
  for (const auto& a : adjustments) sum += static_cast<Amount>(a.amount_minor) * (a.kind == "discount" ? -1 : 1);
  if (guard("2.active edit: a line beyond 10^15", line_beyond)) return true;
  if (guard("2.active edit: total above 10^15", sum > largest)) return true;
  return guard("2.active edit: total below -10^15", sum < -largest);
}

void Model::active_cart(LiveCart& cart, const Step& step) {
  if (step.type == "cart.create") return refuse(&cart, step, "cart_exists");

  std::size_t at = 0;
  while (at < cart.lines.size() && cart.lines[at].sku != step.sku) ++at;
  const bool known_sku = at < cart.lines.size();

  if (step.type == "cart.add_line") {
    if (guard("2.active add: other currency", !step.currency.empty() && step.currency != cart.currency)) {
      return refuse(&cart, step, "currency_mismatch");
    }
    const Amount sum = Amount{step.quantity} + (known_sku ? cart.lines[at].quantity : 0);
    if (guard("2.active add: quantity < 1", step.quantity < 1)) return refuse(&cart, step, "quantity_out_of_range");
    if (guard("2.active add: quantity > 1,000,000", step.quantity > 1'000'000)) {
      return refuse(&cart, step, "quantity_out_of_range");
    }
    if (guard("2.active add: the line's sum > 1,000,000", sum > 1'000'000)) {
      return refuse(&cart, step, "quantity_out_of_range");
    }
    if (guard("2.active add: new sku", !known_sku)) {
      if (guard("2.active add: 2,000 lines", cart.lines.size() >= 2000)) return refuse(&cart, step, "cart_full");
    }
    std::vector<CartLine> lines = cart.lines;
    if (!known_sku) lines.push_back({step.sku, "", 0, 0});
    lines[at].quantity += step.quantity;
    lines[at].price = step.unit_price_minor;
    if (guard("2.active add: a name is given", !step.name.empty())) lines[at].name = step.name;
    std::int64_t bytes = 0;
    for (const auto& l : lines) bytes += escaped_length(l.sku) + escaped_length(l.name);
    if (guard("2.active add: 256 KiB of text", bytes > 256 * 1024)) return refuse(&cart, step, "cart_full");
    if (amounts_out_of_range(lines, cart.adjustments)) return refuse(&cart, step, "amount_out_of_range");
    cart.lines = lines;
    say(&cart, step, "cart.line_added")
        .text("sku", step.sku)
        .number("quantity", lines[at].quantity)
        .number("price", lines[at].price)
        .text("name", lines[at].name)
        .number("total", total(cart.lines, cart.adjustments));
    return set_idle_wait(cart, step);
  }

  if (step.type == "cart.change_quantity" || step.type == "cart.remove_line") {
    if (guard("2.active change: no such sku", !known_sku)) return refuse(&cart, step, "line_unknown");
    const bool change = step.type == "cart.change_quantity";
    if (guard("2.active change: quantity < 0", change && step.quantity < 0)) {
      return refuse(&cart, step, "quantity_out_of_range");
    }
    if (guard("2.active change: quantity > 1,000,000", change && step.quantity > 1'000'000)) {
      return refuse(&cart, step, "quantity_out_of_range");
    }
    std::vector<CartLine> lines = cart.lines;
    const bool removed = guard("2.active change: 0 or remove", !change || step.quantity == 0);
    if (removed) {
      lines.erase(lines.begin() + static_cast<std::ptrdiff_t>(at));
    } else {
      lines[at].quantity = step.quantity;
    }
    if (amounts_out_of_range(lines, cart.adjustments)) return refuse(&cart, step, "amount_out_of_range");
    cart.lines = lines;
    const std::int64_t after = total(cart.lines, cart.adjustments);
    if (removed) {
      say(&cart, step, "cart.line_removed").text("sku", step.sku).number("total", after);
    } else {
      say(&cart, step, "cart.quantity_changed")
          .text("sku", step.sku)
          .number("quantity", lines[at].quantity)
          .number("price", lines[at].price)
          .text("name", lines[at].name)
          .number("total", after);
    }
    return set_idle_wait(cart, step);
  }

  if (step.type == "cart.adjust") {
    if (guard("2.active adjust: over 16", step.adjustments.size() > 16)) return refuse(&cart, step, "data_invalid");
    if (amounts_out_of_range(cart.lines, step.adjustments)) return refuse(&cart, step, "amount_out_of_range");
    cart.adjustments = step.adjustments;
    say(&cart, step, "cart.adjusted")
        .text("adjustments", adjustments_text(cart.adjustments))
        .number("total", total(cart.lines, cart.adjustments));
    return set_idle_wait(cart, step);
  }

  if (step.type == "cart.cancel") {
    say(&cart, step, "cart.canceled").text("reason", step.reason);
    return end(cart, step, "canceled", 0);
  }

  if (step.type == "cart.merge") {
    if (guard("2.active merge: into no cart id", !is_cart_id(step.into))) return refuse(&cart, step, "data_invalid");
    if (guard("2.active merge: into itself", step.into == cart.id)) return refuse(&cart, step, "merge_into_self");
    say(&cart, step, "cart.merged").text("into", step.into).text("lines", lines_text(cart.lines));
    for (const auto& l : cart.lines) {
      Step add;
      add.type = "cart.add_line";
      add.cart = step.into;
      add.id = "merged-" + std::to_string(step.offset) + "-" + std::to_string(written.size());
      add.sku = l.sku;
      add.name = l.name;
      add.quantity = l.quantity;
      add.unit_price_minor = l.price;
      add.currency = cart.currency;
      written.push_back(add);
    }
    return end(cart, step, "merged", 0);
  }

  if (guard("2.active abandon", step.type == "checkout.abandon")) return refuse(&cart, step, "checkout_not_running");
  start_checkout(cart, step);
}

void Model::start_checkout(LiveCart& cart, const Step& step) {
  const std::int64_t due = total(cart.lines, cart.adjustments);
  if (guard("2.active checkout: no lines", cart.lines.empty())) return refuse(&cart, step, "cart_empty");
  if (guard("2.active checkout: total < 0", due < 0)) return refuse(&cart, step, "total_negative");
  if (guard("2.active checkout: expected is not the total", step.expected_total_minor != due)) {
    coverage_.produced("code", "total_mismatch");
    say(&cart, step, "command.rejected").text("code", "total_mismatch").number("total", due);
    return;
  }
  if (guard("2.active checkout: total > 0", due > 0)) {
    if (guard("2.active checkout: no payment", !step.payment)) return refuse(&cart, step, "payment_missing");
  }
  if (guard("2.active checkout: a card number", is_card_number(step.token))) {
    return refuse(&cart, step, "card_number_refused");
  }
  if (guard("2.active checkout: 32 checkouts had", cart.reservations >= 32)) {
    return refuse(&cart, step, "attempts_exhausted");
  }
  say(&cart, step, "checkout.started").number("total", due);
  cart.frozen = true;
  cart.provider = step.provider;
  cart.token = step.token;
  ++cart.reservations;
  stock(&cart, step, "inventory.reservation_requested", cart.reservations, numbers_["reservation_wait"]);
  set_wait(cart, step, "reservation", numbers_["reservation_wait"]);
}

void Model::frozen_cart(LiveCart& cart, const Step& step) {
  if (guard("2.frozen create", step.type == "cart.create")) return refuse(&cart, step, "cart_exists");
  if (guard("2.frozen abandon", step.type == "checkout.abandon")) return abandon(cart, step);
  if (guard("2.frozen cancel", step.type == "cart.cancel")) {
    OpenSession* session = cart.session ? &*cart.session : nullptr;
    if (guard("2.frozen cancel: order placed", session != nullptr && session->order_placed())) {
      return refuse_with_order(&cart, step, "order_placed");
    }
    if (guard("2.frozen cancel: reserving", session == nullptr)) {
      stock(&cart, step, "inventory.release_requested", cart.reservations, numbers_["request_answer"]);
      say(&cart, step, "cart.canceled").text("reason", step.reason);
      return end(cart, step, "canceled", 0);
    }
    if (guard("2.frozen cancel: authorizing", session->state == "authorizing")) {
      return void_session(cart, step, "canceled");
    }
    session->why = "canceled";
    return;
  }
  refuse(&cart, step, "checkout_in_progress");
}

void Model::end(LiveCart& cart, const Step& step, const std::string& outcome, int W) {
  bury({cart.id, step.time / 1000, outcome, W, cart.sessions, cart.reservations});
  carts_.erase(cart.id);
}

Said Model::stock(LiveCart* cart, const Step& step, const std::string& type, int number, std::int64_t within) {
  Said said = say(cart, step, type);
  said.number("r", number).number("within", within);
  const bool newest_of_frozen = cart != nullptr && cart->frozen && number == cart->reservations;
  if (newest_of_frozen) said.text("lines", lines_text(cart->lines));
  return said;
}

void Model::place_order(LiveCart& cart, const Step& step) {
  Said said = say(&cart, step, "order.placed");
  if (cart.session) said.number("n", cart.session->number).text("ref", cart.session->reference);
  said.text("lines", lines_text(cart.lines)).text("adjustments", adjustments_text(cart.adjustments));
  said.number("total", total(cart.lines, cart.adjustments)).text("currency", cart.currency);
}

}  // namespace mayfly::model
