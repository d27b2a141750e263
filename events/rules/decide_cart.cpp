// A live cart while no open session is concerned (decisions.md 2 and 4): active, reserving, and what is refused
// while a checkout runs. One ladder per command, guards in the page's order.
#include "events/rules/decide.h"
#include "events/rules/identity.h"
#include "events/rules/merging.h"
#include "events/rules/replies.h"
#include "events/text/precondition.h"

#include <algorithm>
#include <iterator>

namespace mayfly::events {

namespace {

__extension__ using Wide = __int128;  // the sum of a few amounts of any size

bool quantity_in_range(std::int64_t quantity) { return quantity >= 1 && quantity <= limits::quantity; }

/// What counts against limits, and grows while several lines are taken at once.
struct Sums {
  std::ptrdiff_t lines;
  std::int64_t text_bytes;
  Minor lines_minor;
};

/// The cart's total with its lines' sum changed, or nothing when it goes beyond the limit.
std::optional<Minor> total_with(const Cart& cart, Minor lines_minor, Minor taken_away, Minor put_in) {
  const auto lines = add(lines_minor - taken_away, put_in);
  const auto total = lines ? add(*lines, cart.adjustments_minor) : std::nullopt;
  return total && within_limit(*total) ? total : std::nullopt;
}

/// The same without a line and the adjustments that are bound to it.
std::optional<Minor> total_without(const Cart& cart, const Line& line) {
  if (cart.adjustments.empty()) return total_with(cart, cart.lines_minor, cart.cost(line), 0);
  Wide total = static_cast<Wide>(cart.lines_minor) - cart.cost(line);
  const auto place = &line - cart.lines.data() + 1;
  for (const auto& adjustment : cart.adjustments) {
    if (adjustment.line != place) total += adjustment.signed_minor();
  }
  if (total > max_amount_minor || total < -max_amount_minor) return std::nullopt;
  return static_cast<Minor>(total);
}

bool may_be_included(AdjustmentKind kind) { return kind == AdjustmentKind::tax || kind == AdjustmentKind::fee; }

class CartLadder {
 public:
  CartLadder(const Cart& cart, const Command& command, const Context& context)
      : cart_(cart),
        command_(command),
        context_(context),
        sums_{std::ssize(cart.lines), cart.text_bytes, cart.lines_minor} {}

  Decision active() {
    std::visit([this](const auto& c) { active(c); }, command_.data);
    const bool accepted = !d_.events.empty() && !std::holds_alternative<CommandRejected>(d_.events.front());
    const bool stays = d_.wait.change == WaitChange::Kind::keep;
    if (accepted && stays && is_shop_command(command_.type)) wait(WaitKind::idle, idle_length(cart_, context_));
    return std::move(d_);
  }
  Decision frozen() {
    std::visit([this](const auto& c) { frozen(c); }, command_.data);
    return std::move(d_);
  }
  Decision merging() {
    std::visit([this](const auto& c) { merging(c); }, command_.data);
    return std::move(d_);
  }

 private:
  // --- active ---
  void active(const CartCreate&) { reject(Code::cart_exists); }
  void active(const CartAddLine& c) {
    const Line* line = cart_.find(c.sku, c.line_id);
    if (line != nullptr && line->sku != c.sku) return reject(Code::line_conflict);
    if (!c.currency.empty() && c.currency != cart_.currency.view()) return reject(Code::currency_mismatch);
    if (!quantity_in_range(c.quantity)) return reject(Code::quantity_out_of_range);
    const std::int64_t quantity = c.quantity + (line != nullptr ? line->quantity : 0);
    if (!quantity_in_range(quantity)) return reject(Code::quantity_out_of_range);
    LineChanged after{
        EventType::cart_line_added, c.sku, quantity, c.unit_price_minor, c.name, 0, c.line_id, c.per_quantity};
    if (c.attributes) after.attributes = *c.attributes;
    if (line != nullptr && c.name.empty()) after.name = as_it_is(line->name);
    if (line != nullptr && !c.attributes) after.attributes = as_it_is(cart_.attributes(*line));
    put_line(line, after);
  }
  void active(const CartSetLine& set) {
    const auto& c = set.line;
    const Line* line = cart_.find(c.sku, c.line_id);
    if (line != nullptr && line->sku != c.sku) return reject(Code::line_conflict);
    if (!c.currency.empty() && c.currency != cart_.currency.view()) return reject(Code::currency_mismatch);
    if (c.quantity < 0 || c.quantity > limits::quantity) return reject(Code::quantity_out_of_range);
    if (c.quantity == 0) return line == nullptr ? reject(Code::line_unknown) : remove_line(*line);
    const auto type = line == nullptr ? EventType::cart_line_added : EventType::cart_quantity_changed;
    put_line(line, {type, c.sku, c.quantity, c.unit_price_minor, c.name, 0, c.line_id, c.per_quantity,
                    c.attributes.value_or(Text{})});
  }
  void active(const CartChangeQuantity& c) {
    const Line* line = cart_.find_known(c.sku, c.line_id);
    if (line == nullptr) return reject(Code::line_unknown);
    if (c.quantity < 0 || c.quantity > limits::quantity) return reject(Code::quantity_out_of_range);
    if (c.quantity == 0) return remove_line(*line);
    change_line(line, {EventType::cart_quantity_changed, line->sku, c.quantity, line->unit_price_minor, line->name, 0,
                       cart_.line_id(*line), cart_.per_quantity(*line), cart_.attributes(*line)});
  }
  void active(const CartRemoveLine& c) {
    const Line* line = cart_.find_known(c.sku, c.line_id);
    if (line == nullptr) return reject(Code::line_unknown);
    remove_line(*line);
  }
  void active(const CartAssign& c) { say(CartAssigned{c.customer_id}); }
  void active(const CartAdjust& c) {
    if (std::ssize(c.adjustments) > limits::adjustments) return invalid("adjustments has over 512 entries");
    std::int64_t text_bytes = 0;
    for (const auto& a : c.adjustments) {
      if (a.included && !may_be_included(a.kind)) return invalid("included is for tax and fee only");
    }
    for (const auto& a : c.adjustments) {
      const bool bound = !a.sku.empty() || !a.line_id.empty();
      if (bound && cart_.find_known(a.sku, a.line_id) == nullptr) return reject(Code::line_unknown);
      text_bytes += escaped_bytes(a.label);
    }
    if (text_bytes > limits::adjustments_text_bytes)
      return reject(Code::cart_full, "adjustments has over 32 KiB of labels");
    Wide total = cart_.lines_minor;  // the limit is on what all of them come to, in whatever order
    for (const auto& a : c.adjustments) total += signed_minor(a.kind, a.included, a.amount_minor);
    if (total > max_amount_minor || total < -max_amount_minor) return reject(Code::amount_out_of_range);
    say(CartAdjusted{c.adjustments, static_cast<Minor>(total)});
  }
  void active(const CartCancel& c) {
    say(CartCanceled{c.reason});
    d_.wait.change = WaitChange::Kind::clear;
  }
  void active(const CartMerge& c) {
    if (!is_cart_id(c.into)) return invalid("into is not a cart id");
    if (c.into == cart_.id) return reject(Code::merge_into_self);
    say(CartMergeStarted{c.into});
    wait(WaitKind::merge, limits::merge_wait);
  }
  /// All lines or none; each as if those before it were there.
  void active(const CartMergeOffered& c) {
    if (c.currency != cart_.currency.view()) return reject(Code::currency_mismatch);
    d_.events.reserve(c.lines.size());
    several_ = true;
    for (const auto& line : c.lines) {
      active(line);
      if (!std::holds_alternative<CommandRejected>(d_.events.back())) continue;
      d_.events.erase(d_.events.begin(), d_.events.end() - 1);
      return;
    }
  }
  void active(const CartMergeAnswered& c) {
    const bool as_offered = !cart_.merge_into.empty() && c.merge == cart_.merge;
    as_offered && !c.code ? merged() : answered_too_late(d_, c);
  }
  void active(const CheckoutComplete& c) {
    const Minor total = cart_.total_minor();
    if (cart_.lines.empty()) return reject(Code::cart_empty);
    if (total < 0) return reject(Code::total_negative);
    if (c.expected_total_minor != total) {
      auto refusal = rejected(Code::total_mismatch);
      refusal.total_minor = total;
      return say(refusal);
    }
    if (total > 0 && !c.has_payment && c.payments.empty()) return reject(Code::payment_missing);
    if (is_card_number(c.token) || any_card_number(c.payments)) return reject(Code::card_number_refused);
    if (c.terms.extra_up_to_minor > total) return invalid("payment.extra_up_to_minor is above the total");
    if (!c.payments.empty() && sum_of(c.payments) != total) return invalid("payments does not sum up to the total");
    if (cart_.reservations >= limits::checkouts) return reject(Code::attempts_exhausted);
    say(CheckoutStarted{c.provider, c.token, c.terms, c.payments});
    say(InventoryRequested{EventType::inventory_reservation_requested, cart_.reservations + 1, true,
                           context_.settings.reservation_wait, Millis{std::int64_t{c.terms.settles_within_s} * 1000}});
    wait(WaitKind::reservation, context_.settings.reservation_wait);
  }
  void active(const CheckoutAbandon&) { reject(Code::checkout_not_running); }
  void active(const PaymentCapture&) { reject(Code::capture_unexpected); }
  void active(const InventoryReserved&) { stray_reservation(); }
  void active(const InventoryRejected&) { stray_reservation(); }
  void active(const DeadlineReached& reached) {
    if (reached.kind != WaitKind::idle) return;
    say(CartExpired{});
    d_.wait.change = WaitChange::Kind::clear;
  }
  void active(const Invalid& c) { refuse_invalid(d_, c, cart_.currency); }
  template <class PaymentReply>
  void active(const PaymentReply&) {
    late_payment();
  }

  // --- frozen: reserving, or paying where the session is not concerned ---
  void frozen(const CartCreate&) { reject(Code::cart_exists); }
  void frozen(const CartCancel& c) {
    release();
    say(CartCanceled{c.reason});
    d_.wait.change = WaitChange::Kind::clear;
  }
  void frozen(const PaymentCapture&) {  // of the open session it decides itself
    reject(cart_.phase == Phase::paying ? Code::session_unknown : Code::capture_unexpected);
  }
  void frozen(const CartMergeAnswered& c) { answered_too_late(d_, c); }
  void frozen(const CheckoutAbandon&) {
    release();
    reopen(Why::abandoned, {});
  }
  void frozen(const InventoryReserved&) {
    if (!of_running_reservation()) return stray_reservation();
    if (cart_.total_minor() == 0) return place_free_order();
    open_session();
  }
  void frozen(const InventoryRejected& c) {
    if (!of_running_reservation()) return stray_reservation();
    reopen(Why::out_of_stock, c.skus, c.available);
  }
  void frozen(const DeadlineReached& reached) {
    if (reached.kind != WaitKind::reservation) return;
    release();
    reopen(Why::reservation_timeout, {});
  }
  void frozen(const Invalid& c) { refuse_invalid(d_, c, cart_.currency); }
  template <class Other>
  void frozen(const Other&) {
    is_shop_command(command_.type) ? reject(Code::checkout_in_progress) : late_payment();
  }

  // --- merging ---
  void merging(const CartMergeAnswered& c) {
    if (c.merge != cart_.merge) return answered_too_late(d_, c);
    c.code ? refuse_merge(*c.code, false) : merged();
  }
  void merging(const DeadlineReached& reached) {
    if (reached.kind == WaitKind::merge) refuse_merge(Code::merge_in_progress, true);
  }
  void merging(const InventoryReserved&) { stray_reservation(); }
  void merging(const InventoryRejected&) { stray_reservation(); }
  void merging(const Invalid& c) { refuse_invalid(d_, c, cart_.currency); }
  template <class Other>
  void merging(const Other&) {
    is_shop_command(command_.type) ? reject(Code::merge_in_progress) : late_payment();
  }

  // --- what the rungs do ---
  /// A text of the cart's, to be said: before the cart evolves, or with several events behind the first of them.
  Text as_it_is(Text text) {
    if (!several_ || text.empty()) return text;
    if (!d_.texts) d_.texts = std::make_shared<std::forward_list<std::string>>();
    return d_.texts->emplace_front(text);
  }
  void merged() {
    say(CartMerged{cart_.merge_into});
    d_.wait.change = WaitChange::Kind::clear;
  }
  void refuse_merge(Code code, bool unanswered) {
    say(CartMergeRefused{cart_.merge_into, code, unanswered});
    wait(WaitKind::idle, idle_length(cart_, context_));
  }
  /// As cart.add_line and cart.set_line leave the line; null: it is new.
  void put_line(const Line* line, const LineChanged& after) {
    if (line == nullptr && sums_.lines >= limits::cart_lines) return reject(Code::cart_full);
    const auto text_bytes = text_bytes_with(line, after);
    if (text_bytes > limits::cart_text_bytes) return reject(Code::cart_full);
    if (!change_line(line, after)) return;
    sums_.lines += line == nullptr ? 1 : 0;
    sums_.text_bytes = text_bytes;
  }
  bool change_line(const Line* line, LineChanged after) {
    const Minor before = line != nullptr ? cart_.cost(*line) : 0;
    const auto sum = line_cost(after.quantity, after.unit_price_minor, after.per_quantity);
    const auto total = sum ? total_with(cart_, sums_.lines_minor, before, *sum) : std::nullopt;
    if (!total) {
      reject(Code::amount_out_of_range);
      return false;
    }
    sums_.lines_minor += *sum - before;
    after.total_minor = *total;
    say(after);
    return true;
  }
  void remove_line(const Line& line) {
    const auto total = total_without(cart_, line);
    if (!total) return reject(Code::amount_out_of_range);
    say(CartLineRemoved{line.sku, *total, cart_.line_id(line)});
  }
  [[nodiscard]] std::int64_t text_bytes_with(const Line* line, const LineChanged& after) const {
    const auto bytes = sums_.text_bytes + escaped_bytes(after.sku) + escaped_bytes(after.name) +
                       escaped_bytes(after.line_id) + std::ssize(after.attributes);
    return line != nullptr ? bytes - text_bytes_of(cart_, *line) : bytes;
  }
  void release() {
    say(InventoryRequested{EventType::inventory_release_requested, cart_.reservations, true,
                           context_.settings.request_answer});
  }
  void reopen(Why why, std::span<const Text> skus, std::span<const Available> available = {}) {
    say(CheckoutReopened{why, skus, available});
    wait(WaitKind::idle, idle_length(cart_, context_));
  }
  void place_free_order() {
    say(OrderPlaced{0, {}});
    say(InventoryRequested{EventType::inventory_commit_requested, cart_.reservations, true,
                           context_.settings.request_answer});
    say(CheckoutCompleted{});
    say(CartConverted{true, 0});
    d_.wait.change = WaitChange::Kind::clear;
  }
  void open_session() {
    PaymentEvent opened{};
    opened.type = EventType::payment_session_opened;
    opened.number = cart_.sessions + 1;
    const Tender* first = cart_.tenders ? &cart_.tenders->list.front() : nullptr;
    opened.amount_minor = first != nullptr ? first->amount_minor : cart_.total_minor();
    opened.currency = cart_.currency;
    opened.provider = first != nullptr ? first->provider : cart_.provider;
    if (cart_.terms.any()) opened.terms = &cart_.terms;
    auto request = opened;
    request.type = EventType::payment_authorization_requested;
    request.token = first != nullptr ? first->token : cart_.token;
    opened.tenders = cart_.tenders.get();
    request.answer_within = context_.settings.authorization_wait;
    request.key_amount_minor = opened.amount_minor;
    say(opened);
    say(request);
    wait(WaitKind::authorization, context_.settings.authorization_wait);
  }
  [[nodiscard]] bool of_running_reservation() const {
    return cart_.phase == Phase::reserving &&
           reservation_number(reservation_id(command_), cart_.id) == cart_.reservations;
  }
  /// decisions.md 4 for a reservation that no checkout waits for.
  void stray_reservation() { answer_late_inventory(d_, bygone(), command_, context_); }
  void late_payment() {
    if (is_payment_reply(command_.type)) answer_late_payment(d_, bygone(), command_, context_);
  }
  [[nodiscard]] Bygone bygone() const {
    return {cart_.id, false, false, 0, cart_.sessions, cart_.reservations, cart_.currency};
  }
  void say(const Event& event) { d_.events.push_back(event); }
  void reject(Code code, Text about = {}) {
    auto refusal = rejected(code);
    refusal.about = about;
    say(refusal);
  }
  void invalid(Text about) { reject(Code::data_invalid, about); }
  void wait(WaitKind kind, Millis length) { d_.wait = {WaitChange::Kind::set, kind, length}; }

  const Cart& cart_;
  const Command& command_;
  const Context& context_;
  Sums sums_;
  bool several_ = false;  // events change lines
  Decision d_;
};

}  // namespace

Decision decide(const Cart& cart, const Command& command, const Context& context) {
  precondition(!concerns_session(cart, command), "decide: the command is for the cart, not for its open session");
  CartLadder ladder(cart, command, context);
  if (cart.phase == Phase::active) return ladder.active();
  return cart.phase == Phase::merging ? ladder.merging() : ladder.frozen();
}

Millis idle_length(const Cart& cart, const Context& context) {
  const Millis left = cart.created_at + context.settings.cart_life - context.time;
  return std::max(Millis{1}, std::min(Millis{cart.expires_after_s * 1000}, left));
}

namespace {
bool of_open_payment(const Cart& cart, int session) {
  return session <= cart.sessions && session >= cart.sessions - cart.further_sessions;
}
}  // namespace

bool concerns_session(const Cart& cart, const Command& command) {
  if (cart.phase != Phase::paying || std::holds_alternative<Invalid>(command.data)) return false;
  if (command.type == CommandType::cart_cancel || command.type == CommandType::checkout_abandon) return true;
  if (const auto* capture = std::get_if<PaymentCapture>(&command.data)) {
    return capture->session_id.empty() || of_open_payment(cart, session_number(capture->session_id, cart.id));
  }
  if (std::holds_alternative<DeadlineReached>(command.data)) return true;
  if (is_payment_reply(command.type))
    return of_open_payment(cart, session_number(reported(command).session_id, cart.id));
  if (is_inventory_reply(command.type))
    return reservation_number(reservation_id(command), cart.id) == cart.reservations;
  return false;
}

bool is_remembered(const Command& command, const Decision& decision) {
  if (!is_shop_command(command.type)) return false;
  const auto* refusal = decision.events.empty() ? nullptr : std::get_if<CommandRejected>(&decision.events.front());
  return refusal == nullptr || refusal->code != Code::data_invalid;
}

}  // namespace mayfly::events
