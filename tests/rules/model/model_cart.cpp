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

/// quantity x price / per_quantity, a half to the even number.
Amount cost(const CartLine& l) {
  const Amount whole = static_cast<Amount>(l.quantity) * l.price;
  const Amount below = whole / l.per_quantity;
  const Amount rest = whole - below * l.per_quantity;
  const Amount other = l.per_quantity - rest;
  if (rest < other) return below;
  if (rest > other) return below + 1;
  return below % 2 == 0 ? below : below + 1;
}

Amount added(const StepAdjustment& a) {
  if (a.included) return 0;
  return a.kind == "discount" ? -Amount{a.amount_minor} : Amount{a.amount_minor};
}

/// Place of the line that is named so; the number of lines if there is none.
std::size_t place_of(const std::vector<CartLine>& lines, const std::string& sku, const std::string& line_id) {
  std::size_t at = 0;
  while (at < lines.size()) {
    const auto& l = lines[at];
    if (line_id.empty() ? l.sku == sku && l.line_id.empty() : l.line_id == line_id) break;
    ++at;
  }
  return at;
}

std::int64_t text_of(const std::vector<CartLine>& lines) {
  std::int64_t bytes = 0;
  for (const auto& l : lines) {
    bytes += escaped_length(l.sku) + escaped_length(l.name) + escaped_length(l.line_id);
    bytes += static_cast<std::int64_t>(l.attributes.size());
  }
  return bytes;
}

std::string adjustments_text(const std::vector<StepAdjustment>& adjustments) {
  std::string text;
  for (const auto& a : adjustments) {
    text += "[" + a.kind + " " + a.label + " " + std::to_string(a.amount_minor) + (a.included ? " included " : " ") +
            a.sku + " " + a.line_id + "]";
  }
  return text;
}

}  // namespace

std::string lines_text(const std::vector<CartLine>& lines) {
  std::string text;
  for (const auto& l : lines) {
    text += "[" + l.sku + " " + std::to_string(l.quantity) + " " + std::to_string(l.price) + " " + l.name + " " +
            l.line_id + " " + std::to_string(l.per_quantity) + " " + l.attributes + "]";
  }
  return text;
}

std::int64_t total(const std::vector<CartLine>& lines, const std::vector<StepAdjustment>& adjustments) {
  Amount sum = 0;
  for (const auto& l : lines) sum += cost(l);
  for (const auto& a : adjustments) sum += added(a);
  return static_cast<std::int64_t>(sum);
}

bool Model::amounts_out_of_range(const std::vector<CartLine>& lines, const std::vector<StepAdjustment>& adjustments) {
  bool line_beyond = false;
  Amount sum = 0;
  for (const auto& l : lines) {
    const Amount amount = cost(l);
    if (amount > largest) line_beyond = true;
    sum += amount;
  }
  for (const auto& a : adjustments) sum += added(a);
  if (guard("2.active edit: a line beyond 10^15", line_beyond)) return true;
  if (guard("2.active edit: total above 10^15", sum > largest)) return true;
  return guard("2.active edit: total below -10^15", sum < -largest);
}

void Model::active_cart(LiveCart& cart, const Step& step) {
  if (step.type == "cart.create") return refuse(&cart, step, "cart_exists");

  if (step.type == "cart.add_line" || step.type == "cart.set_line") return put_line(cart, step);
  if (step.type == "cart.change_quantity" || step.type == "cart.remove_line") return take_line(cart, step);
  if (step.type == "cart.adjust") return adjust(cart, step);
  if (step.type == "cart.assign") {
    say(&cart, step, "cart.assigned").text("customer", step.customer_id);
    return set_idle_wait(cart, step);
  }

  if (step.type == "cart.cancel") {
    say(&cart, step, "cart.canceled").text("reason", step.reason);
    return end(cart, step, "canceled", 0);
  }

  if (step.type == "cart.merge") {
    if (guard("2.active merge: into no cart id", !is_cart_id(step.into))) return refuse(&cart, step, "data_invalid");
    if (guard("2.active merge: into itself", step.into == cart.id)) return refuse(&cart, step, "merge_into_self");
    return merge(cart, step);
  }

  if (guard("2.active capture", step.type == "payment.capture")) return refuse(&cart, step, "capture_unexpected");
  if (guard("2.active abandon", step.type == "checkout.abandon")) return refuse(&cart, step, "checkout_not_running");
  start_checkout(cart, step);
}

// 2.5 and 2.12
void Model::put_line(LiveCart& cart, const Step& step) {
  const bool set = step.type == "cart.set_line";
  const std::size_t at = place_of(cart.lines, step.sku, step.line_id);
  const bool known = at < cart.lines.size();
  if (guard("2.active add: line id of another sku", known && cart.lines[at].sku != step.sku)) {
    return refuse(&cart, step, "line_conflict");
  }
  if (guard("2.active add: other currency", !step.currency.empty() && step.currency != cart.currency)) {
    return refuse(&cart, step, "currency_mismatch");
  }
  std::vector<CartLine> lines = cart.lines;
  if (!known) lines.push_back({step.sku, "", 0, 0, step.line_id, "", 1});
  CartLine& line = lines[at];
  if (set) {
    if (guard("2.active set: quantity < 0", step.quantity < 0)) return refuse(&cart, step, "quantity_out_of_range");
    if (guard("2.active set: quantity > 1,000,000", step.quantity > 1'000'000)) {
      return refuse(&cart, step, "quantity_out_of_range");
    }
    if (guard("2.active set: quantity is 0", step.quantity == 0)) {
      if (guard("2.active set: quantity is 0, no such line", !known)) return refuse(&cart, step, "line_unknown");
      return take_line(cart, step);
    }
    line.quantity = step.quantity;
    line.name = step.name;
    line.attributes = step.attributes ? *step.attributes : "";
  } else {
    if (guard("2.active add: quantity < 1", step.quantity < 1)) return refuse(&cart, step, "quantity_out_of_range");
    if (guard("2.active add: quantity > 1,000,000", step.quantity > 1'000'000)) {
      return refuse(&cart, step, "quantity_out_of_range");
    }
    if (guard("2.active add: the line's sum > 1,000,000", Amount{step.quantity} + line.quantity > 1'000'000)) {
      return refuse(&cart, step, "quantity_out_of_range");
    }
    line.quantity += step.quantity;
    if (guard("2.active add: a name is given", !step.name.empty())) line.name = step.name;
    if (guard("2.active add: attributes are given", step.attributes.has_value())) line.attributes = *step.attributes;
  }
  line.price = step.unit_price_minor;
  line.per_quantity = step.per_quantity;
  if (guard("2.active add: new line", !known)) {
    if (guard("2.active add: 2,000 lines", cart.lines.size() >= 2000)) return refuse(&cart, step, "cart_full");
  }
  if (guard("2.active add: 256 KiB of text", text_of(lines) > 256 * 1024)) return refuse(&cart, step, "cart_full");
  if (amounts_out_of_range(lines, cart.adjustments)) return refuse(&cart, step, "amount_out_of_range");
  cart.lines = lines;
  say(&cart, step, set && known ? "cart.quantity_changed" : "cart.line_added")
      .text("line", lines_text({cart.lines[at]}))
      .number("total", total(cart.lines, cart.adjustments));
  return set_idle_wait(cart, step);
}

// 2.6, 2.7, and 2.12 of nothing
void Model::take_line(LiveCart& cart, const Step& step) {
  const std::size_t at = place_of(cart.lines, step.sku, step.line_id);
  if (guard("2.active change: no such line", at == cart.lines.size())) return refuse(&cart, step, "line_unknown");
  if (guard("2.active change: line id of another sku", cart.lines[at].sku != step.sku)) {
    return refuse(&cart, step, "line_unknown");
  }
  const bool change = step.type == "cart.change_quantity";
  if (guard("2.active change: quantity < 0", change && step.quantity < 0)) {
    return refuse(&cart, step, "quantity_out_of_range");
  }
  if (guard("2.active change: quantity > 1,000,000", change && step.quantity > 1'000'000)) {
    return refuse(&cart, step, "quantity_out_of_range");
  }
  std::vector<CartLine> lines = cart.lines;
  std::vector<StepAdjustment> adjustments = cart.adjustments;
  const bool removed = guard("2.active change: 0 or remove", !change || step.quantity == 0);
  if (removed) {
    lines.erase(lines.begin() + static_cast<std::ptrdiff_t>(at));
    adjustments.clear();
    for (const auto& a : cart.adjustments) {
      const bool bound = a.sku == step.sku && a.line_id == step.line_id;
      if (!guard("2.active removal: an adjustment of that line", bound)) adjustments.push_back(a);
    }
  } else {
    lines[at].quantity = step.quantity;
  }
  if (amounts_out_of_range(lines, adjustments)) return refuse(&cart, step, "amount_out_of_range");
  cart.lines = lines;
  cart.adjustments = adjustments;
  const std::int64_t after = total(cart.lines, cart.adjustments);
  if (removed) {
    say(&cart, step, "cart.line_removed").text("sku", step.sku).text("id", step.line_id).number("total", after);
  } else {
    say(&cart, step, "cart.quantity_changed").text("line", lines_text({cart.lines[at]})).number("total", after);
  }
  return set_idle_wait(cart, step);
}

void Model::adjust(LiveCart& cart, const Step& step) {
  if (guard("2.active adjust: over 512", step.adjustments.size() > 512)) return refuse(&cart, step, "data_invalid");
  std::vector<StepAdjustment> adjustments = step.adjustments;
  std::int64_t bytes = 0;
  for (const auto& a : adjustments) {
    const bool wrong = a.included && (a.kind == "shipping" || a.kind == "discount");
    if (guard("2.active adjust: included shipping or discount", wrong)) return refuse(&cart, step, "data_invalid");
  }
  for (auto& a : adjustments) {
    if (!guard("2.active adjust: bound to a line", !a.sku.empty() || !a.line_id.empty())) continue;
    const std::size_t at = place_of(cart.lines, a.sku, a.line_id);
    if (guard("2.active adjust: no such line", at == cart.lines.size())) return refuse(&cart, step, "line_unknown");
    if (guard("2.active adjust: line id of another sku", !a.sku.empty() && cart.lines[at].sku != a.sku)) {
      return refuse(&cart, step, "line_unknown");
    }
    a.sku = cart.lines[at].sku;
  }
  for (const auto& a : adjustments) bytes += escaped_length(a.label);
  if (guard("2.active adjust: 32 KiB of labels", bytes > 32 * 1024)) return refuse(&cart, step, "cart_full");
  if (amounts_out_of_range(cart.lines, adjustments)) return refuse(&cart, step, "amount_out_of_range");
  cart.adjustments = adjustments;
  say(&cart, step, "cart.adjusted")
      .text("adjustments", adjustments_text(cart.adjustments))
      .number("total", total(cart.lines, cart.adjustments));
  return set_idle_wait(cart, step);
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
  if (guard("2.active checkout: extra above the total", step.extra_up_to_minor > due)) {
    return refuse(&cart, step, "data_invalid");
  }
  if (guard("2.active checkout: 32 checkouts had", cart.reservations >= 32)) {
    return refuse(&cart, step, "attempts_exhausted");
  }
  say(&cart, step, "checkout.started").number("total", due);
  cart.terms = {step.on_command, step.on_command ? step.capture_within_s : 0, step.settles_within_s,
                step.extra_up_to_minor};
  cart.frozen = true;
  cart.provider = step.provider;
  cart.token = step.token;
  ++cart.reservations;
  stock(&cart, step, "inventory.reservation_requested", cart.reservations, numbers_["reservation_wait"])
      .number("longer", step.settles_within_s);
  set_wait(cart, step, "reservation", numbers_["reservation_wait"]);
}

void Model::frozen_cart(LiveCart& cart, const Step& step) {
  if (guard("2.frozen create", step.type == "cart.create")) return refuse(&cart, step, "cart_exists");
  if (guard("2.frozen abandon", step.type == "checkout.abandon")) return abandon(cart, step);
  if (guard("2.frozen capture", step.type == "payment.capture")) return capture_command(cart, step);
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
    if (guard("2.frozen cancel: authorizing", session->state == "authorizing") ||
        guard("2.frozen cancel: settling", session->state == "settling")) {
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

void Model::place_order(LiveCart& cart, const Step& step, const std::string& type) {
  Said said = say(&cart, step, type);
  if (cart.session) said.number("n", cart.session->number).text("ref", cart.session->reference);
  said.text("lines", lines_text(cart.lines)).text("adjustments", adjustments_text(cart.adjustments));
  said.number("total", total(cart.lines, cart.adjustments)).text("currency", cart.currency);
  if (type == "order.pending") said.number("until", cart.session->until);
}

}  // namespace mayfly::model
