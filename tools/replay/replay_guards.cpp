#include "tools/replay/replay_guards.h"

#include "tools/replay/guard_ladder.h"

namespace mayfly::tools {

using namespace events;

namespace {

__extension__ using Wide = __int128;

bool beyond(Wide amount) { return amount > max_amount_minor || amount < -Wide{max_amount_minor}; }

class Guards : public PaymentGuards {
 public:
  using PaymentGuards::PaymentGuards;

  void of_command() {
    if (const auto* invalid = std::get_if<Invalid>(&command().data)) {
      return otherwise("1.2.1", "data invalid", {{"why", std::string(invalid->about)}});
    }
    if (std::holds_alternative<DeadlineReached>(command().data)) return of_deadline();
    guard("1.2.1", "data invalid", false);
    if (is(CommandType::cart_merge_answered)) return answered();
    if (told_.before == nullptr && is(CommandType::cart_merge_offered)) return offered();
    if (told_.before == nullptr) return told_.ended ? ended() : unknown();
    if (is_inventory_reply(command().type)) return inventory();
    if (is_payment_reply(command().type)) return reply();
    const auto seen = recognise(cart(), command());
    if (guard("1.3.1", "same command again", seen == Seen::same)) return;
    if (guard("1.3.2", "id reused", seen == Seen::other_body)) return;
    if (is(CommandType::cart_merge_offered)) return offered();
    if (cart().phase == Phase::merging) return otherwise("7.2.1", "command of the shop");
    cart().phase == Phase::active ? active() : in_checkout();
  }

 private:
  [[nodiscard]] const Cart& cart() const { return told_.before->cart; }
  [[nodiscard]] bool refused_as(Code code) const { return !told_.events.empty() && told_.events[0].code == code; }

  void of_deadline() {
    const auto kind = data<DeadlineReached>().kind;
    if (kind == WaitKind::idle) return otherwise("2.4.5", "idle wait ends");
    if (kind == WaitKind::reservation) return otherwise("4.2.1", "reservation wait ends");
    if (kind == WaitKind::merge) return otherwise("7.2.5", "merge wait ends");
    wait_ended();
  }

  void unknown() {  // 2.2
    if (const auto* create = std::get_if<CartCreate>(&command().data)) {
      if (guard("2.2.1", "create, currency unknown", !currency_in_force(create->currency),
                {{"currency", std::string(create->currency)}}))
        return;
      const auto life = create->expires_after_s;
      if (guard("2.2.2", "create, lifetime out of range",
                life && (*life < limits::expires_after_min_s || *life > limits::expires_after_max_s),
                life ? OrderedJson{{"expires_after_s", *life}} : OrderedJson::object()))
        return;
      if (guard("2.2.3", "create, partition full", refused_as(Code::too_many_carts),
                {{"most_live_carts", told_.settings.live_carts}}))
        return;
      if (guard("2.2.4", "create, admission closed", told_.settings.admission_closed)) return;
      return otherwise("2.2.5", "create");
    }
    if (guard("2.2.6", "disputed", is(CommandType::payment_disputed))) return;
    const auto says = reported(command());
    if (guard("2.2.7", "reply that reports money", says.money() > 0, {{"money_minor", says.money()}})) return;
    const bool told = is(CommandType::payment_canceled) || is(CommandType::payment_refunded);
    if (guard("2.2.8", "canceled or refunded", told && session_number(says.session_id, told_.cart_id) > 0)) return;
    otherwise("2.2.9", "anything else");
  }

  void ended() {  // 2.3
    const bool checkout = is(CommandType::checkout_complete) || is(CommandType::checkout_abandon);
    const bool converted =
        told_.ended->outcome == CartOutcome::converted_paid || told_.ended->outcome == CartOutcome::converted_unpaid;
    const OrderedJson saw = {{"ended", name(told_.ended->outcome)}};
    if (guard("2.3.1", "checkout again", checkout && converted, saw)) return;
    const bool stock = is_inventory_reply(command().type);
    if (!guard("2.3.2", "reply", stock || is_payment_reply(command().type))) {
      return otherwise("2.3.3", "anything else", saw);
    }
    stock ? late_stock(converted) : late_ended();
  }

  void late_stock(bool converted) {  // 6.2
    const int r = reservation_number(reservation_id(command()), told_.cart_id);
    const int newest = told_.ended->newest_reservation;
    const OrderedJson saw = {{"r", r}, {"newest", newest}};
    const bool reserved = is(CommandType::inventory_reserved);
    const bool of_order = converted && r == newest;
    if (guard("6.2.1", "unknown reservation", r == 0 || r > newest, saw)) return;
    if (guard("6.2.2", "the order's, reserved", reserved && of_order)) return;
    if (guard("6.2.3", "reserved", reserved)) return;
    if (guard("6.2.4", "the order's, rejected", of_order)) return;
    otherwise("6.2.5", "rejected");
  }

  void active() {
    switch (command().type) {
      case CommandType::cart_create: return otherwise("2.4.1", "create again");
      case CommandType::cart_cancel: return otherwise("2.4.2", "cancel");
      case CommandType::checkout_abandon: return otherwise("2.4.3", "nothing to abandon");
      case CommandType::payment_capture: return otherwise("2.4.4", "nothing to capture");
      case CommandType::cart_add_line: return add_line();
      case CommandType::cart_change_quantity: return change_quantity();
      case CommandType::cart_remove_line: return remove_line();
      case CommandType::cart_adjust: return adjust();
      case CommandType::cart_merge: return merge();
      case CommandType::cart_set_line: return set_line();
      case CommandType::cart_assign: return otherwise("2.14.1", "assign");
      case CommandType::checkout_complete: return complete();
      default: return;
    }
  }

  bool amount(const char* number, Wide line, Wide without_line) {
    const auto shown = [](Wide value) {
      return beyond(value) ? OrderedJson("beyond 10^15") : OrderedJson(Minor(value));
    };
    return guard(number, "amount out of range", beyond(line) || beyond(without_line + line),
                 {{"line_minor", shown(line)}, {"total_minor", shown(without_line + line)}});
  }
  [[nodiscard]] Wide total_without(const Line* line) const {
    return Wide{cart().total_minor()} - (line != nullptr ? cart().cost(*line) : 0);
  }
  /// The same without the adjustments that are bound to the line.
  [[nodiscard]] Wide total_without_all_of(const Line& line) const {
    Wide total = total_without(&line);
    const auto place = &line - cart().lines.data() + 1;
    for (const auto& adjustment : cart().adjustments) {
      if (adjustment.line == place) total -= adjustment.signed_minor();
    }
    return total;
  }
  /// What a line would cost; whatever is beyond the limit is beyond it.
  static Wide cost(std::int64_t quantity, Minor price, std::int64_t per_quantity) {
    const auto sum = line_cost(quantity, price, per_quantity);
    return sum ? Wide{*sum} : Wide{max_amount_minor} + 1;
  }

  void add_line() {  // 2.5
    const auto& add = data<CartAddLine>();
    const Line* line = cart().find(add.sku, add.line_id);
    if (guard("2.5.1", "another's line id", line != nullptr && line->sku != add.sku)) return;
    if (guard("2.5.2", "other currency", !add.currency.empty() && add.currency != cart().currency.view(),
              add.currency.empty()
                  ? OrderedJson::object()
                  : OrderedJson{{"currency", std::string(add.currency)}, {"of_the_cart", cart().currency.view()}}))
      return;
    if (guard("2.5.3", "quantity out of range", add.quantity < 1 || add.quantity > limits::quantity,
              {{"quantity", add.quantity}}))
      return;
    const auto sum = add.quantity + (line != nullptr ? line->quantity : 0);
    if (guard("2.5.4", "line too large", sum > limits::quantity, {{"sum", sum}})) return;
    if (guard("2.5.5", "too many lines", line == nullptr && std::ssize(cart().lines) >= limits::cart_lines,
              {{"lines", cart().lines.size()}}))
      return;
    const Text called = add.name.empty() && line != nullptr ? Text{line->name} : add.name;
    const Text attributes =
        add.attributes || line == nullptr ? add.attributes.value_or(Text{}) : cart().attributes(*line);
    const auto text = text_with(line, add, called, attributes);
    if (guard("2.5.6", "too much text", text > limits::cart_text_bytes, {{"bytes", text}})) return;
    if (amount("2.5.7", cost(sum, add.unit_price_minor, add.per_quantity), total_without(line))) return;
    otherwise("2.5.8", "add");
  }
  [[nodiscard]] std::int64_t text_with(const Line* line, const CartAddLine& given, Text name, Text attributes) const {
    const auto bytes = cart().text_bytes + escaped_bytes(given.sku) + escaped_bytes(name) +
                       escaped_bytes(given.line_id) + std::ssize(attributes);
    return line != nullptr ? bytes - text_bytes_of(cart(), *line) : bytes;
  }

  void set_line() {  // 2.13
    const auto& set = data<CartSetLine>().line;
    const Line* line = cart().find(set.sku, set.line_id);
    if (guard("2.13.1", "another's line id", line != nullptr && line->sku != set.sku)) return;
    if (guard("2.13.2", "other currency", !set.currency.empty() && set.currency != cart().currency.view())) return;
    if (guard("2.13.3", "quantity out of range", set.quantity < 0 || set.quantity > limits::quantity,
              {{"quantity", set.quantity}}))
      return;
    if (guard("2.13.4", "nothing of nothing", set.quantity == 0 && line == nullptr)) return;
    if (guard("2.13.5", "to nothing", set.quantity == 0)) return;
    const bool full = line == nullptr && std::ssize(cart().lines) >= limits::cart_lines;
    const auto text = text_with(line, set, set.name, set.attributes.value_or(Text{}));
    const auto costs = cost(set.quantity, set.unit_price_minor, set.per_quantity);
    const bool out = beyond(costs) || beyond(total_without(line) + costs);
    if (guard("2.13.6", "too many lines", full || text > limits::cart_text_bytes || out,
              {{"lines", cart().lines.size()}, {"bytes", text}}))
      return;
    if (guard("2.13.7", "new", line == nullptr)) return;
    otherwise("2.13.8", "set");
  }

  void change_quantity() {  // 2.6
    const auto& change = data<CartChangeQuantity>();
    const Line* line = cart().find_known(change.sku, change.line_id);
    if (guard("2.6.1", "no such line", line == nullptr, {{"sku", std::string(change.sku)}})) return;
    if (guard("2.6.2", "quantity out of range", change.quantity < 0 || change.quantity > limits::quantity,
              {{"quantity", change.quantity}}))
      return;
    const bool gone = change.quantity == 0;
    const auto costs = cost(change.quantity, line->unit_price_minor, cart().per_quantity(*line));
    if (amount("2.6.3", costs, gone ? total_without_all_of(*line) : total_without(line))) return;
    if (guard("2.6.4", "to nothing", change.quantity == 0)) return;
    otherwise("2.6.5", "change");
  }

  void remove_line() {  // 2.7
    const Text sku = data<CartRemoveLine>().sku;
    const Line* line = cart().find_known(sku, data<CartRemoveLine>().line_id);
    if (guard("2.7.1", "no such line", line == nullptr, {{"sku", std::string(sku)}})) return;
    if (amount("2.7.2", 0, total_without_all_of(*line))) return;
    otherwise("2.7.3", "remove");
  }

  void adjust() {  // 2.8
    const auto& given = data<CartAdjust>().adjustments;
    if (guard("2.8.1", "too many", std::ssize(given) > limits::adjustments, {{"adjustments", given.size()}})) return;
    Wide total = cart().lines_minor;
    bool wrongly_included = false;
    bool unknown_line = false;
    std::int64_t text = 0;
    for (const auto& a : given) {
      const bool may_be = a.kind == AdjustmentKind::tax || a.kind == AdjustmentKind::fee;
      const bool bound = !a.sku.empty() || !a.line_id.empty();
      wrongly_included = wrongly_included || (a.included && !may_be);
      unknown_line = unknown_line || (bound && cart().find_known(a.sku, a.line_id) == nullptr);
      text += escaped_bytes(a.label);
      total += signed_minor(a.kind, a.included, a.amount_minor);
    }
    if (guard("2.8.2", "cannot be included", wrongly_included)) return;
    if (guard("2.8.3", "no such line", unknown_line)) return;
    if (guard("2.8.4", "too much text", text > limits::adjustments_text_bytes, {{"bytes", text}})) return;
    if (amount("2.8.5", 0, total)) return;
    otherwise("2.8.6", "adjust");
  }

  void merge() {  // 2.9
    const Text into = data<CartMerge>().into;
    if (guard("2.9.1", "no cart id", !is_cart_id(into))) return;
    if (guard("2.9.2", "into itself", into == cart().id)) return;
    otherwise("2.9.3", "merge", {{"into", std::string(into)}});
  }

  void offered() {  // 7.1
    const auto& offer = data<CartMergeOffered>();
    const bool lives = told_.before != nullptr;
    const auto in = [&](Phase phase) { return lives && cart().phase == phase; };
    if (guard("7.1.1", "to an unknown cart", !lives && !told_.ended)) return;
    if (guard("7.1.2", "to an ended cart", !lives)) return;
    if (guard("7.1.3", "to a cart in a checkout", in(Phase::reserving) || in(Phase::paying))) return;
    if (guard("7.1.4", "to a cart that merges", in(Phase::merging))) return;
    if (guard("7.1.5", "other currency", offer.currency != cart().currency.view(),
              {{"currency", std::string(offer.currency)}, {"of_the_cart", cart().currency.view()}}))
      return;
    const bool refused = !told_.events.empty() && told_.events[0].code.has_value();
    if (guard("7.1.6", "a line does not fit", refused)) return;
    otherwise("7.1.7", "take", {{"from", std::string(offer.from)}, {"lines", offer.lines.size()}});
  }

  void answered() {  // 7.2 and 7.3
    const auto& answer = data<CartMergeAnswered>();
    const auto* live = told_.before != nullptr ? &cart() : nullptr;
    const bool newest = live != nullptr && !live->merge_into.empty() && answer.merge == live->merge;
    const OrderedJson saw = {{"merge", answer.merge}};
    if (live != nullptr && live->phase == Phase::merging &&
        !guard("7.2.2", "answer of another merge", !newest, {{"merge", answer.merge}, {"newest", live->merge}})) {
      return guard("7.2.3", "taken", !answer.code) ? void() : otherwise("7.2.4", "refused");
    }
    if (guard("7.3.1", "refused late", answer.code.has_value(), saw)) return;
    if (guard("7.3.2", "taken late", newest && live->phase == Phase::active)) return;
    otherwise("7.3.3", "taken too late");
  }

  void complete() {  // 2.11
    const auto& checkout = data<CheckoutComplete>();
    const auto total = cart().total_minor();
    if (guard("2.11.1", "empty", cart().lines.empty(), {{"lines", cart().lines.size()}})) return;
    if (guard("2.11.2", "negative", total < 0, {{"total_minor", total}})) return;
    if (guard("2.11.3", "other total", checkout.expected_total_minor != total,
              {{"expected_total_minor", checkout.expected_total_minor}, {"total_minor", total}}))
      return;
    if (guard("2.11.4", "no payment", total > 0 && !checkout.has_payment && checkout.payments.empty())) return;
    bool card_number = is_card_number(checkout.token);
    Minor sum = 0;
    for (const auto& one : checkout.payments) {
      card_number = card_number || is_card_number(one.token);
      sum += one.amount_minor;
    }
    if (guard("2.11.5", "card number", card_number)) return;
    if (guard("2.11.6", "too much extra", checkout.terms.extra_up_to_minor > total)) return;
    if (guard("2.11.7", "another sum", !checkout.payments.empty() && sum != total, {{"sum_minor", sum}})) return;
    if (guard("2.11.8", "too many attempts", cart().reservations >= limits::checkouts,
              {{"checkouts", cart().reservations}}))
      return;
    otherwise("2.11.9", "start");
  }

  void in_checkout() {  // 2.12
    const bool reserving = cart().phase == Phase::reserving;
    if (is(CommandType::cart_create)) return otherwise("2.12.1", "create again");
    if (is(CommandType::cart_cancel)) {
      if (!guard("2.12.2", "cancel while reserving", reserving, {{"phase", name(cart().phase)}})) cancel_cart();
    } else if (is(CommandType::checkout_abandon)) {
      if (!guard("2.12.6", "abandon while reserving", reserving, {{"phase", name(cart().phase)}})) abandon_cart();
    } else if (is(CommandType::payment_capture)) {
      otherwise("2.12.11", "capture");
      capture();
    } else {
      otherwise("2.12.12", "any other command of the shop", {{"phase", name(cart().phase)}});
    }
  }

  void capture() {  // 2.15
    if (guard("2.15.1", "no session", cart().phase == Phase::reserving)) return;
    capture_of_session();
  }

  void inventory() {  // 4.1
    const int r = reservation_number(reservation_id(command()), cart().id);
    const OrderedJson saw = {{"r", r}, {"R", cart().reservations}, {"phase", name(cart().phase)}};
    const bool reserved = is(CommandType::inventory_reserved);
    const bool unwanted = r != cart().reservations || cart().phase == Phase::active;
    const bool reserving = cart().phase == Phase::reserving;
    const auto* session = told_.before->session ? &*told_.before->session : nullptr;
    const bool authorizing = session != nullptr && (session->ledger.state == SessionState::authorizing ||
                                                    session->ledger.state == SessionState::settling);
    const bool placed = session != nullptr && session->ledger.order_placed;
    const auto total = cart().total_minor();
    if (guard("4.1.1", "unknown reservation", r == 0 || r > cart().reservations, saw)) return;
    if (guard("4.1.2", "old or unwanted, reserved", reserved && unwanted, saw)) return;
    if (guard("4.1.3", "old or unwanted, rejected", !reserved && unwanted)) return;
    if (guard("4.1.4", "reserved, nothing to pay", reserved && reserving && total == 0, {{"total_minor", total}}))
      return;
    if (guard("4.1.5", "reserved", reserved && reserving)) return;
    if (guard("4.1.6", "reserved again", reserved && (authorizing || placed))) return;
    if (guard("4.1.7", "reserved too late", reserved)) return;
    if (guard("4.1.8", "rejected", reserving)) return;
    if (guard("4.1.9", "rejected while authorizing", authorizing)) return;
    if (guard("4.1.10", "rejected after the order", placed)) return;
    otherwise("4.1.11", "rejected otherwise");
  }
};

/// 1.1: the guards above the reason's, which did not hold, and that one.
std::vector<GuardTried> guards_of_unreadable(DeadLetterReason reason) {
  static constexpr struct {
    const char* number;
    const char* name;
    DeadLetterReason reason;
  } ladder[] = {{"1.1.1", "too large", DeadLetterReason::too_large},
                {"1.1.2", "no CloudEvent", DeadLetterReason::not_cloudevent},
                {"1.1.3", "no cart id", DeadLetterReason::key_invalid},
                {"1.1.4", "other subject", DeadLetterReason::subject_mismatch},
                {"1.1.5", "unknown type", DeadLetterReason::type_unknown},
                {"1.1.6", "no JSON object", DeadLetterReason::json_invalid},
                {"1.1.7", "wrong partition", DeadLetterReason::wrong_partition},
                {"1.1.8", "source refused", DeadLetterReason::source_refused}};
  std::vector<GuardTried> tried;
  for (const auto& rung : ladder) {
    tried.push_back({rung.number, rung.name, rung.reason == reason, OrderedJson::object()});
    if (rung.reason == reason) return tried;
  }
  return {};
}

}  // namespace

std::vector<GuardTried> guards_of(const Replayed& told) {
  if (told.unreadable != nullptr) return guards_of_unreadable(told.unreadable->reason);
  if (told.read == nullptr || told.dead_letter) return {};
  Guards guards(told);
  guards.of_command();
  return std::move(guards.tried);
}

OrderedJson guards_json(const std::vector<GuardTried>& tried) {
  auto json = OrderedJson::array();
  for (const auto& g : tried) json.push_back({{"guard", g.number}, {"name", g.name}, {"held", g.held}, {"saw", g.saw}});
  return json;
}

}  // namespace mayfly::tools
