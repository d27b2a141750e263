#include "events/state/state_difference.h"

#include <algorithm>
#include <concepts>
#include <memory_resource>
#include <type_traits>

namespace mayfly::events {

namespace {

constexpr std::size_t shown_bytes = 200;

std::string shown(std::string_view text) {
  return text.size() > shown_bytes ? std::string(text.substr(0, shown_bytes)) + " ..." : std::string(text);
}
template <std::integral Number>
std::string shown(Number value) {
  return std::to_string(value);
}
template <class Enum>
requires std::is_enum_v<Enum> std::string shown(Enum value) { return std::to_string(static_cast<int>(value)); }
std::string shown(const std::optional<Timestamp>& time) { return time ? std::to_string(time->ms) : "nothing"; }

/// Takes fields in order and keeps the first that differs. Nothing is allocated while all are the same.
class Comparison {
 public:
  template <class T>
  void field(std::string_view name, const T& one, const T& other) {
    if (!found_ && !(one == other)) found_ = StateDifference{std::string(name), shown(one), shown(other)};
  }
  void text(std::string_view name, std::string_view one, std::string_view other) { field(name, one, other); }
  void hidden(std::string_view name, std::string_view one, std::string_view other) {
    if (!found_ && one != other) found_ = StateDifference{std::string(name), size_of(one), size_of(other)};
  }
  /// Of element `i` of `list`.
  template <class T>
  void field(std::string_view list, std::size_t i, std::string_view name, const T& one, const T& other) {
    if (found_ || one == other) return;
    std::string path(list);
    path.append("[").append(std::to_string(i)).append("].").append(name);
    found_ = StateDifference{std::move(path), shown(one), shown(other)};
  }
  void text(std::string_view list, std::size_t i, std::string_view name, std::string_view one, std::string_view other) {
    field(list, i, name, one, other);
  }
  void take(std::optional<StateDifference> more, std::string_view prefix = {}) {
    if (found_ || !more) return;
    found_ = std::move(more);
    found_->field.insert(0, prefix);
  }
  [[nodiscard]] bool any() const { return found_.has_value(); }
  std::optional<StateDifference> found() { return std::move(found_); }

 private:
  static std::string size_of(std::string_view text) { return "a text of " + std::to_string(text.size()) + " bytes"; }
  std::optional<StateDifference> found_;
};

void compare_terms(Comparison& c, const Terms& one, const Terms& other) {
  c.field("terms.on_command", one.on_command, other.on_command);
  c.field("terms.capture_within_s", one.capture_within_s, other.capture_within_s);
  c.field("terms.settles_within_s", one.settles_within_s, other.settles_within_s);
  c.field("terms.extra_up_to_minor", one.extra_up_to_minor, other.extra_up_to_minor);
}

void compare_tenders(Comparison& c, const KeptTenders& one, const KeptTenders& other) {
  const auto count = [](const KeptTenders& of) { return of ? of->list.size() : 0; };
  c.field("tenders.count", count(one), count(other));
  if (!one || !other) return;
  c.field("tenders.first", one->first, other->first);
  for (std::size_t i = 0; i < std::min(count(one), count(other)); ++i) {
    const auto& a = one->list[i];
    const auto& b = other->list[i];
    c.text("tenders", i, "state", name(a.state), name(b.state));
    c.field("tenders", i, "amount_minor", a.amount_minor, b.amount_minor);
    c.field("tenders", i, "authorized_minor", a.authorized_minor, b.authorized_minor);
    c.field("tenders", i, "captured_minor", a.captured_minor, b.captured_minor);
    c.field("tenders", i, "refunded_minor", a.refunded_minor, b.refunded_minor);
    c.text("tenders", i, "provider", a.provider, b.provider);
    c.text("tenders", i, "token", a.token.empty() ? "none" : "kept", b.token.empty() ? "none" : "kept");
    c.text("tenders", i, "reference", a.reference, b.reference);
  }
}

}  // namespace

std::optional<StateDifference> first_difference(const Cart& one, const Cart& other) {
  Comparison c;
  c.text("id", one.id, other.id);
  c.field("created.partition", one.created.partition, other.created.partition);
  c.field("created.offset", one.created.offset, other.created.offset);
  c.field("created_at_ms", one.created_at.ms, other.created_at.ms);
  c.field("sequence", one.sequence, other.sequence);
  c.text("currency", one.currency.view(), other.currency.view());
  c.text("customer_id", one.customer_id, other.customer_id);
  c.field("expires_after_s", one.expires_after_s, other.expires_after_s);
  c.field("phase", one.phase, other.phase);
  c.field("reservations", one.reservations, other.reservations);
  c.field("sessions", one.sessions, other.sessions);
  c.text("provider", one.provider, other.provider);
  c.hidden("token", one.token, other.token);
  compare_terms(c, one.terms, other.terms);
  compare_tenders(c, one.tenders, other.tenders);
  c.field("further_sessions", one.further_sessions, other.further_sessions);
  c.field("merge", one.merge, other.merge);
  c.text("merge_into", one.merge_into, other.merge_into);
  c.field("lines.count", one.lines.size(), other.lines.size());
  for (std::size_t i = 0; i < std::min(one.lines.size(), other.lines.size()); ++i) {
    const auto& a = one.lines[i];
    const auto& b = other.lines[i];
    c.text("lines", i, "sku", a.sku, b.sku);
    c.text("lines", i, "name", a.name, b.name);
    c.field("lines", i, "quantity", a.quantity, b.quantity);
    c.field("lines", i, "unit_price_minor", a.unit_price_minor, b.unit_price_minor);
    c.text("lines", i, "line_id", one.line_id(a), other.line_id(b));
    c.field("lines", i, "per_quantity", one.per_quantity(a), other.per_quantity(b));
    c.text("lines", i, "attributes", one.attributes(a), other.attributes(b));
  }
  c.field("adjustments.count", one.adjustments.size(), other.adjustments.size());
  for (std::size_t i = 0; i < std::min(one.adjustments.size(), other.adjustments.size()); ++i) {
    const auto& a = one.adjustments[i];
    const auto& b = other.adjustments[i];
    c.field("adjustments", i, "kind", a.kind, b.kind);
    c.text("adjustments", i, "label", a.label, b.label);
    c.field("adjustments", i, "amount_minor", a.amount_minor, b.amount_minor);
    c.field("adjustments", i, "included", a.included, b.included);
    c.field("adjustments", i, "line", a.line, b.line);
  }
  c.field("lines_minor", one.lines_minor, other.lines_minor);
  c.field("adjustments_minor", one.adjustments_minor, other.adjustments_minor);
  c.field("text_bytes", one.text_bytes, other.text_bytes);
  c.field("remembered.count", one.remembered.size(), other.remembered.size());
  for (std::size_t i = 0; i < std::min(one.remembered.size(), other.remembered.size()); ++i) {
    c.field("remembered", i, "id", one.remembered[i].id, other.remembered[i].id);
    c.field("remembered", i, "body", one.remembered[i].body, other.remembered[i].body);
  }
  return c.found();
}

std::optional<StateDifference> first_difference(const Session& one, const Session& other) {
  Comparison c;
  const auto& a = one.ledger;
  const auto& b = other.ledger;
  c.field("number", one.number, other.number);
  c.field("state", a.state, b.state);
  c.field("why", a.why, b.why);
  c.field("order_placed", a.order_placed, b.order_placed);
  c.field("in_doubt", a.in_doubt, b.in_doubt);
  c.field("capture_retry_running", a.capture_retry_running, b.capture_retry_running);
  c.field("refund_retry_running", a.refund_retry_running, b.refund_retry_running);
  c.field("asked_since", a.asked_since, b.asked_since);
  c.field("amount_minor", one.amount_minor, other.amount_minor);
  c.text("currency", one.currency.view(), other.currency.view());
  c.field("opened_at_ms", one.opened_at.ms, other.opened_at.ms);
  c.text("provider", one.provider, other.provider);
  c.text("reference", one.reference, other.reference);
  c.field("authorized_minor", a.authorized_minor, b.authorized_minor);
  c.field("captured_minor", a.captured_minor, b.captured_minor);
  c.field("refunded_minor", a.refunded_minor, b.refunded_minor);
  c.field("refund_asked_minor", a.refund_asked_minor, b.refund_asked_minor);
  c.field("status_tries", a.status_tries, b.status_tries);
  c.field("capture_failures", a.capture_failures, b.capture_failures);
  c.field("refund_before_minor", a.refund_before_minor, b.refund_before_minor);
  c.field("refund_failures", a.refund_failures, b.refund_failures);
  c.field("attempts_told", a.attempts_told, b.attempts_told);
  c.field("last_attempt", a.last_attempt, b.last_attempt);
  c.text("action_url", one.action_url, other.action_url);
  compare_terms(c, one.terms, other.terms);
  c.field("order_pending", a.order_pending, b.order_pending);
  c.field("final_asked", a.final_asked, b.final_asked);
  c.field("captures_asked", a.captures_asked, b.captures_asked);
  c.field("capture_total_minor", a.capture_total_minor, b.capture_total_minor);
  c.field("capture_from_minor", a.capture_from_minor, b.capture_from_minor);
  c.field("until_ms", a.until.ms, b.until.ms);
  compare_tenders(c, one.tenders, other.tenders);
  return c.found();
}

namespace {

void compare(Comparison& c, const Wait& one, const Wait& other) {
  c.text("wait.kind", name(one.kind), name(other.kind));
  c.field("wait.length_ms", one.length.count, other.length.count);
  c.field("wait.set_at", one.set_at, other.set_at);
  c.field("wait.due_ms", one.due, other.due);
}

void compare(Comparison& c, const Trouble& one, const Trouble& other) {
  c.field("trouble.quarantined_by", one.quarantined_by, other.quarantined_by);
  c.field("trouble.failures", one.failures, other.failures);
  for (std::size_t i = 0; i < std::min<std::size_t>(one.failures, other.failures); ++i) {
    c.field("trouble.failed", i, "at_ms", one.failed[i].ms, other.failed[i].ms);
  }
}

/// Of what two parts decode to; "bytes" where one of them cannot be read, or nothing that is known differs.
template <class State, class Decode>
std::optional<StateDifference> decoded_difference(std::string_view one, std::string_view other, Decode decode,
                                                  void (*append)(std::string&, const State&)) {
  if (one == other) return std::nullopt;
  std::pmr::monotonic_buffer_resource memory;
  const auto a = decode(one, &memory);
  const auto b = decode(other, &memory);
  const auto* x = std::get_if<State>(&a);
  const auto* y = std::get_if<State>(&b);
  const auto bytes = [&] {
    return StateDifference{"bytes", std::to_string(one.size()) + (x != nullptr ? " bytes" : " unreadable bytes"),
                           std::to_string(other.size()) + (y != nullptr ? " bytes" : " unreadable bytes")};
  };
  if (x == nullptr || y == nullptr) return bytes();
  if (auto field = first_difference(*x, *y)) return field;
  std::string again;
  std::string other_again;
  append(again, *x);
  append(other_again, *y);
  return again == other_again ? std::nullopt : std::optional(bytes());  // the same in another layout
}

}  // namespace

std::optional<StateDifference> first_difference(std::string_view id, const SnapshotParts& one,
                                                const SnapshotParts& other) {
  Comparison c;
  compare(c, one.wait, other.wait);
  compare(c, one.trouble, other.trouble);
  if (c.any()) return c.found();
  const auto cart = [id](std::string_view bytes, std::pmr::memory_resource* memory) {
    return decode_cart(id, bytes, memory);
  };
  c.take(decoded_difference<Cart>(one.cart, other.cart, cart, append_cart));
  c.text("session", one.session.empty() ? "none" : "open", other.session.empty() ? "none" : "open");
  if (!c.any())
    c.take(decoded_difference<Session>(one.session, other.session, decode_session, append_session), "session.");
  return c.found();
}

std::optional<StateDifference> first_difference(const PositionRecord& one, const PositionRecord& other) {
  Comparison c;
  c.field("next", one.next, other.next);
  c.field("ticked_ms", one.ticked.ms, other.ticked.ms);
  c.field("partitions", one.partitions, other.partitions);
  c.text("engine", one.engine, other.engine);
  if (!c.any() && !(one.settings == other.settings)) return StateDifference{"settings", "these", "others"};
  return c.found();
}

}  // namespace mayfly::events
