// Section 7 of decisions.md: merging carts.
#include "rules/model/model.h"

namespace mayfly::model {

void Model::write(const Step& step) {
  written.push_back(step);
  std::string text = "writes " + step.cart + " " + step.type + " from " + step.from + " " + std::to_string(step.merge);
  text += " " + step.currency + step.code;
  for (const auto& l : step.lines) {
    text += lines_text({{l.sku, l.name, l.quantity, l.price, l.line_id, l.attributes, l.per_quantity}});
  }
  writes_.push_back(text);
}

// 2.9.3
void Model::merge(LiveCart& cart, const Step& step) {
  say(&cart, step, "cart.merge_started").text("into", step.into);
  cart.merging = true;
  cart.merge = step.offset;
  cart.merge_into = step.into;
  set_wait(cart, step, "merge", 900'000);
  Step offer;
  offer.type = "cart.merge_offered";
  offer.cart = step.into;
  offer.id = "offer-" + std::to_string(step.offset);
  offer.from = cart.id;
  offer.merge = step.offset;
  offer.currency = cart.currency;
  for (const auto& l : cart.lines) {
    offer.lines.push_back({l.sku, l.name, l.quantity, l.price, l.line_id, l.attributes, l.per_quantity});
  }
  write(offer);
}

// 7.1
void Model::merge_offered(LiveCart* cart, bool ended, const Step& step) {
  const std::string code = why_not_taken(cart, ended, step);
  if (!code.empty()) refuse(cart, step, code);
  Step answer;
  answer.type = "cart.merge_answered";
  answer.cart = step.from;
  answer.id = "answer-" + std::to_string(step.offset);
  answer.from = step.cart;
  answer.merge = step.merge;
  answer.code = code;
  write(answer);
}

/// The code; empty: the lines are taken.
std::string Model::why_not_taken(LiveCart* cart, bool ended, const Step& step) {
  if (guard("7 offered: no live cart", cart == nullptr)) {
    return guard("7 offered: ended", ended) ? "cart_ended" : "cart_unknown";
  }
  if (guard("7 offered: in a checkout", cart->frozen)) return "checkout_in_progress";
  if (guard("7 offered: merging", cart->merging)) return "merge_in_progress";
  if (guard("7 offered: other currency", step.currency != cart->currency)) return "currency_mismatch";
  const LiveCart before = *cart;
  const std::size_t said = out_.size();
  for (const auto& l : step.lines) {
    Step add;
    add.type = "cart.add_line";
    add.cart = step.cart;
    add.offset = step.offset;
    add.time = step.time;
    add.sku = l.sku;
    add.name = l.name;
    add.quantity = l.quantity;
    add.unit_price_minor = l.price;
    add.line_id = l.line_id;
    add.per_quantity = l.per_quantity;
    if (!l.attributes.empty()) add.attributes = l.attributes;
    refused_.clear();
    put_line(*cart, add);
    if (guard("7 offered: a line is refused", !refused_.empty())) {
      out_.resize(said);
      *cart = before;
      return refused_;
    }
  }
  return "";
}

// 7.2.2 to 7.3.3
void Model::merge_answered(LiveCart* cart, const Step& step) {
  const bool merging = cart != nullptr && cart->merging;
  if (merging && guard("7 merging: answer of this merge", cart->merge == step.merge)) {
    if (guard("7 merging: taken", step.code.empty())) {
      say(cart, step, "cart.merged").text("into", cart->merge_into).text("lines", lines_text(cart->lines));
      return end(*cart, step, "merged", 0);
    }
    say(cart, step, "cart.merge_refused").text("into", cart->merge_into).text("code", step.code);
    cart->merging = false;
    cart->merge = -1;
    return set_idle_wait(*cart, step);
  }
  if (guard("7 late: refused", !step.code.empty())) return;
  const bool active = cart != nullptr && !cart->merging && !cart->frozen;
  if (guard("7 late: as it was offered", active && cart->merge == step.merge)) {
    say(cart, step, "cart.merged").text("into", cart->merge_into).text("lines", lines_text(cart->lines));
    return end(*cart, step, "merged", 0);
  }
  refuse(cart, step, "merge_over");
  alert("merge over");
}

// 7.2.5
void Model::merge_wait_ends(LiveCart& cart, const Step& step) {
  say(&cart, step, "cart.merge_refused").text("into", cart.merge_into).text("code", "merge_in_progress");
  cart.merging = false;
  set_idle_wait(cart, step);
}

}  // namespace mayfly::model
