#include "events/wire/command_json.h"

#include "events/rules/identity.h"
#include "events/text/precondition.h"
#include "events/text/time_text.h"
#include "events/wire/command_members.h"
#include "events/wire/json_writer.h"
#include "events/wire/settings_json.h"

#include <algorithm>
#include <cstring>
#include <limits>
#include <string>
#include <utility>

namespace mayfly::events {

namespace {

/// An object of texts, as this engine writes it. Nothing where it is absent; empty where it has no members.
class Attributes {
 public:
  explicit Attributes(Members& m) : m_(m) {}
  std::optional<Text> read() {
    const auto* object = m_.given("attributes");
    if (object == nullptr) return std::nullopt;
    if (object->kind != JsonValue::Kind::object) {
      wrong("is not an object");
      return std::nullopt;
    }
    Members members(*object, m_.arena());
    for (const auto& member : object->members) {
      if (member.value.kind != JsonValue::Kind::null) add(members, member.name);
      if (!m_.good()) return std::nullopt;  // each takes a look at all others: not at thousands of them
    }
    if (json_.empty()) return Text{};
    json_ += '}';
    if (std::ssize(json_) > limits::line_attributes_bytes) wrong("is longer than 1024 bytes");
    auto* bytes = static_cast<char*>(m_.arena()->allocate(json_.size(), 1));
    std::memcpy(bytes, json_.data(), json_.size());
    return Text{bytes, json_.size()};
  }

 private:
  void add(Members& members, std::string_view given) {
    const auto value = members.free_text_if(given);
    if (!members.good()) wrong("has a value that is not a string of at most 256 bytes, or a name twice");
    if (given.empty() || std::ssize(given) > limits::short_id_bytes) wrong("has a name that is not 1 to 64 bytes");
    if (count_ == limits::line_attributes) wrong("has over 16 entries");
    if (!m_.good()) return;
    const auto name = members.masked(given);
    for (int i = 0; i < count_; ++i) {
      if (names_[i] == name) return wrong("has two names that are the same without card numbers");
    }
    names_[count_++] = name;
    json_ += json_.empty() ? '{' : ',';
    append_json_string(json_, name);
    json_ += ':';
    append_json_string(json_, value);
  }
  void wrong(std::string_view why) { m_.wrong("attributes", why); }

  Members& m_;
  std::string json_;
  Text names_[limits::line_attributes];
  int count_ = 0;
};

CartAddLine line(Members& m) {
  CartAddLine c{};
  c.sku = m.text("sku", limits::short_id_bytes);
  c.quantity = m.integer("quantity");
  c.unit_price_minor = m.amount("unit_price_minor");
  c.name = m.free_text_if("name");
  c.currency = m.text_if("currency", currency_bytes);
  c.line_id = m.text_if("line_id", limits::short_id_bytes);
  c.per_quantity = m.integer_within_if("per_quantity", 1, limits::per_quantity).value_or(1);
  c.attributes = Attributes(m).read();
  return c;
}

std::span<const Adjustment> adjustments(Members& m) {
  const auto* list = m.needed("adjustments");
  if (list == nullptr) return {};
  if (list->kind != JsonValue::Kind::array) {
    m.wrong("adjustments", "is not an array");
    return {};
  }
  auto read = array_of<Adjustment>(list->items.size(), m.arena());
  for (std::size_t i = 0; i < read.size(); ++i) {
    if (list->items[i].kind != JsonValue::Kind::object) {
      m.wrong("adjustments", "has an entry that is not an object");
      return {};
    }
    Members entry(list->items[i], m.arena());
    const auto kind = adjustment_kind_from_name(entry.text("kind", limits::short_id_bytes));
    if (!kind) entry.wrong("kind", "is not shipping, tax, discount or fee");
    const auto label = entry.free_text("label");
    read[i] = {kind.value_or(AdjustmentKind::fee),
               label,
               entry.amount("amount_minor"),
               entry.boolean_if("included"),
               entry.text_if("sku", limits::short_id_bytes),
               entry.text_if("line_id", limits::short_id_bytes)};
    m.take_over(entry);
  }
  return read;
}

using LineName = std::pair<Text, Text>;  // the line's id, or a sku alone

std::span<const CartAddLine> offered_lines(Members& m) {
  const auto* list = m.needed("lines");
  if (list == nullptr) return {};
  if (list->kind != JsonValue::Kind::array || std::ssize(list->items) > limits::cart_lines) {
    m.wrong("lines", "is not an array of at most 2000 entries");
    return {};
  }
  auto read = array_of<CartAddLine>(list->items.size(), m.arena());
  auto names = array_of<LineName>(list->items.size(), m.arena());
  for (std::size_t i = 0; i < read.size(); ++i) {
    if (list->items[i].kind != JsonValue::Kind::object) {
      m.wrong("lines", "has an entry that is not an object");
      return {};
    }
    Members entry(list->items[i], m.arena());
    read[i] = line(entry);
    names[i] = {read[i].line_id, read[i].line_id.empty() ? read[i].sku : Text{}};
    m.take_over(entry);
  }
  std::sort(names.begin(), names.end());
  if (std::adjacent_find(names.begin(), names.end()) != names.end()) m.wrong("lines", "has a line twice");
  return read;
}

CartMergeOffered merge_offered(Members& m) {
  const auto from = m.text("from", limits::cart_id_bytes);
  const auto merge = m.integer_within("merge", 0, std::numeric_limits<Offset>::max());
  const auto currency = m.text("currency", currency_bytes);
  if (!is_cart_id(from)) m.wrong("from", "is not a cart id");
  return {from, merge, currency, offered_lines(m)};
}

CartMergeAnswered merge_answered(Members& m) {
  CartMergeAnswered answer{};
  answer.from = m.text("from", limits::cart_id_bytes);
  answer.merge = m.integer_within("merge", 0, std::numeric_limits<Offset>::max());
  const auto code = m.text_if("code", limits::short_id_bytes);
  answer.code = code_from_name(code);
  if (!code.empty() && !answer.code) m.wrong("code", "is none of the codes of refusals");
  return answer;
}

std::span<const Text> texts(Members& m, std::string_view name) {
  const auto* list = m.needed(name);
  if (list == nullptr) return {};
  auto read = array_of<Text>(list->items.size(), m.arena());
  if (list->kind != JsonValue::Kind::array) m.wrong(name, "is not an array");
  for (std::size_t i = 0; i < read.size(); ++i) {
    const auto& item = list->items[i];
    read[i] = item.text;
    if (item.kind != JsonValue::Kind::string) m.wrong(name, "has an entry that is not a string");
    if (item.kind == JsonValue::Kind::string && item.text.empty()) m.wrong(name, "has an empty entry");
    if (std::ssize(item.text) > limits::short_id_bytes) m.wrong(name, "has an entry longer than 64 bytes");
  }
  return read;
}

/// Nothing where it is absent.
std::span<const Available> available(Members& m) {
  const auto* list = m.given("available");
  if (list == nullptr) return {};
  if (list->kind != JsonValue::Kind::array) {
    m.wrong("available", "is not an array");
    return {};
  }
  auto read = array_of<Available>(list->items.size(), m.arena());
  for (std::size_t i = 0; i < read.size(); ++i) {
    if (list->items[i].kind != JsonValue::Kind::object) {
      m.wrong("available", "has an entry that is not an object");
      return {};
    }
    Members entry(list->items[i], m.arena());
    read[i].sku = entry.text("sku", limits::short_id_bytes);
    read[i].line_id = entry.text_if("line_id", limits::short_id_bytes);
    read[i].quantity = entry.integer_within("quantity", 0, limits::quantity);
    m.take_over(entry);
  }
  return read;
}

Terms terms(Members& m) {
  Terms t;
  const auto capture = m.text_if("capture", limits::short_id_bytes);
  t.on_command = capture == "on_command";
  if (!capture.empty() && !t.on_command && capture != "automatic") m.wrong("capture", "is not automatic or on_command");
  const auto within =
      m.integer_within_if("capture_within_s", limits::capture_within_min_s, limits::capture_within_max_s);
  if (within && !t.on_command) m.wrong("capture_within_s", "is for capture on_command only");
  const auto settles =
      m.integer_within_if("settles_within_s", limits::settles_within_min_s, limits::settles_within_max_s);
  if (t.on_command) t.capture_within_s = static_cast<std::int32_t>(within.value_or(limits::capture_within_default_s));
  t.settles_within_s = static_cast<std::int32_t>(settles.value_or(0));
  t.extra_up_to_minor = m.integer_within_if("extra_up_to_minor", 0, max_amount_minor).value_or(0);
  return t;
}

std::span<const TenderAsked> payments(Members& m) {
  const auto* list = m.given("payments");
  if (list == nullptr) return {};
  const bool array = list->kind == JsonValue::Kind::array;
  if (!array || std::ssize(list->items) < limits::tenders_min || std::ssize(list->items) > limits::tenders) {
    m.wrong("payments", "is not an array of 2 to 4 entries");
    return {};
  }
  auto read = array_of<TenderAsked>(list->items.size(), m.arena());
  for (std::size_t i = 0; i < read.size(); ++i) {
    if (list->items[i].kind != JsonValue::Kind::object) {
      m.wrong("payments", "has an entry that is not an object");
      return {};
    }
    Members entry(list->items[i], m.arena());
    read[i].provider = entry.text("provider", limits::short_id_bytes);
    read[i].token = entry.text("token", limits::token_bytes);
    read[i].amount_minor = entry.integer_within("amount_minor", 1, max_amount_minor);
    m.take_over(entry);
  }
  return read;
}

CheckoutComplete checkout_complete(Members& m) {
  CheckoutComplete c{};
  c.expected_total_minor = m.integer("expected_total_minor");
  c.payments = payments(m);
  const auto* payment = m.given("payment");
  if (payment == nullptr) return c;
  if (!c.payments.empty()) m.wrong("payments", "is given beside payment");
  if (payment->kind != JsonValue::Kind::object) {
    m.wrong("payment", "is not an object");
    return c;
  }
  Members inner(*payment, m.arena());
  c.has_payment = true;
  c.provider = inner.text("provider", limits::short_id_bytes);
  c.token = inner.text("token", limits::token_bytes);
  c.terms = terms(inner);
  m.take_over(inner);
  return c;
}

constexpr std::int64_t session_bytes = limits::cart_id_bytes + 64;  // a derived id, or one that is refused as unknown

Text session(Members& m) { return m.text("session_id", session_bytes); }
Text reference_if(Members& m) { return m.text_if("reference", limits::reference_bytes); }
Text reference(Members& m) { return m.text("reference", limits::reference_bytes); }
Text line_id_if(Members& m) { return m.text_if("line_id", limits::short_id_bytes); }
Text currency_if(Members& m) { return m.text_if("currency", currency_bytes); }

std::optional<std::int64_t> expires_after_if(Members& m) {
  return m.integer_within_if("expires_after_s", 1, limits::capture_within_max_s);
}

PaymentStatus payment_status(Members& m) {
  PaymentStatus s{};
  s.session_id = session(m);
  const auto state = status_state_from_name(m.text("state", limits::short_id_bytes));
  if (!state) m.wrong("state", "is none of the states a payment can have");
  s.state = state.value_or(StatusState::pending);
  s.authorized_minor = m.amount("authorized_minor");
  s.captured_minor = m.amount("captured_minor");
  s.refunded_minor = m.amount("refunded_minor");
  s.reference = reference_if(m);
  s.currency = currency_if(m);
  return s;
}

PaymentCaptureFailed capture_failed(Members& m) {
  const PaymentCaptureFailed failed{session(m), m.free_text("reason"), m.boolean("retryable"), reference_if(m),
                                    currency_if(m)};
  m.amount_if("amount_minor");
  return failed;
}

PaymentDisputed disputed(Members& m) {
  PaymentDisputed d{};
  d.session_id = session(m);
  d.amount_minor = m.amount("amount_minor");
  d.currency = m.text("currency", currency_bytes);
  const auto state = dispute_state_from_name(m.text("state", limits::short_id_bytes));
  if (!state) m.wrong("state", "is not opened, won or lost");
  d.state = state.value_or(DisputeState::opened);
  d.reference = reference_if(m);
  d.reason = m.free_text_if("reason");
  return d;
}

ClockTick clock_tick(Members& m, const Settings& current) {
  ClockTick tick{};
  tick.at = timestamp_from_text(m.text("at", limits::short_id_bytes));
  tick.through = m.integer("through");
  if (const auto* settings = m.given("settings")) {
    const auto read = settings_from(*settings, current);
    if (!read) m.wrong("settings", "cannot be used");
    if (read) tick.settings = new (m.arena()->allocate(sizeof(Settings), alignof(Settings))) Settings(*read);
  }
  tick.release = m.text_if("release", limits::cart_id_bytes);
  if (!m.good()) tick.at = std::nullopt;
  return tick;
}

// Members are read in the order of the initializers.
CommandData read(CommandType type, Members& m, const Settings& current) {
  switch (type) {
    case CommandType::cart_create:
      return CartCreate{m.text("currency", currency_bytes), m.text_if("customer_id", limits::reference_bytes),
                        m.integer_if("expires_after_s")};
    case CommandType::cart_add_line: return line(m);
    case CommandType::cart_set_line: return CartSetLine{line(m)};
    case CommandType::cart_assign: return CartAssign{m.text("customer_id", limits::reference_bytes)};
    case CommandType::cart_change_quantity:
      return CartChangeQuantity{m.text("sku", limits::short_id_bytes), m.integer("quantity"), line_id_if(m)};
    case CommandType::cart_remove_line: return CartRemoveLine{m.text("sku", limits::short_id_bytes), line_id_if(m)};
    case CommandType::cart_adjust: return CartAdjust{adjustments(m)};
    case CommandType::cart_cancel: return CartCancel{m.free_text_if("reason")};
    case CommandType::cart_merge_offered: return merge_offered(m);
    case CommandType::cart_merge_answered: return merge_answered(m);
    case CommandType::cart_merge: return CartMerge{m.text("into", limits::data_bytes)};
    case CommandType::checkout_complete: return checkout_complete(m);
    case CommandType::inventory_reserved: return InventoryReserved{m.text("reservation_id", session_bytes)};
    case CommandType::inventory_rejected:
      return InventoryRejected{m.text("reservation_id", session_bytes), texts(m, "skus"), m.free_text("reason"),
                               available(m)};
    case CommandType::payment_requires_action:
      return PaymentRequiresAction{session(m), m.text("url", limits::url_bytes), m.integer_if("expires_after_s")};
    case CommandType::payment_authorized:
      return PaymentAuthorized{session(m), reference(m), m.amount("amount_minor"), m.text("currency", currency_bytes),
                               expires_after_if(m)};
    case CommandType::payment_pending: return PaymentPending{session(m), reference_if(m), expires_after_if(m)};
    case CommandType::payment_capture:
      return PaymentCapture{m.text_if("session_id", session_bytes), m.integer_if("total_minor"), m.boolean_if("final")};
    case CommandType::payment_declined:
      return PaymentDeclined{session(m), reference_if(m), m.free_text("reason"), m.boolean("retryable")};
    case CommandType::payment_captured:
      return PaymentCaptured{session(m), reference(m), m.amount("amount_minor"), m.text("currency", currency_bytes),
                             m.boolean_if("final")};
    case CommandType::payment_capture_failed: return capture_failed(m);
    case CommandType::payment_canceled:
      return PaymentCanceled{session(m), reference(m), m.amount("amount_minor"), currency_if(m)};
    case CommandType::payment_refunded:
      return PaymentRefunded{session(m), reference(m), m.amount("amount_minor"), currency_if(m)};
    case CommandType::payment_status: return payment_status(m);
    case CommandType::clock_tick: return clock_tick(m, current);
    case CommandType::checkout_abandon: return CheckoutAbandon{m.free_text_if("reason")};
    case CommandType::payment_refund_failed:
      return PaymentRefundFailed{session(m),
                                 m.amount("amount_minor"),
                                 m.text("currency", currency_bytes),
                                 m.free_text("reason"),
                                 m.boolean("retryable"),
                                 reference_if(m)};
    case CommandType::payment_disputed: return disputed(m);
    case CommandType::payment_attempt_failed:
      return PaymentAttemptFailed{session(m), m.free_text("reason"),
                                  m.integer_within_if("attempt", 1, limits::attempt_number), reference_if(m)};
  }
  return {};
}

/// What a reply that cannot be used still says of money, for payment.unresolved.
Invalid invalid(CommandType type, const JsonValue& data, Text about, std::pmr::memory_resource* arena) {
  Invalid result{type, about, {}, std::nullopt, {}};
  if (!is_payment_reply(type)) return result;
  Members m(data, arena);
  result.session_id = m.text_if("session_id", session_bytes);
  Members c(data, arena);
  result.currency = c.text_if("currency", currency_bytes);
  if (!m.good()) result.session_id = {};
  if (!c.good()) result.currency = {};
  const bool is_money = type == CommandType::payment_authorized || type == CommandType::payment_captured;
  for (const std::string_view name : {"amount_minor", "authorized_minor", "captured_minor"}) {
    if ((name == "amount_minor") != is_money || !(is_money || type == CommandType::payment_status)) continue;
    Members one(data, arena);
    const auto amount = one.integer_if(name);
    if (one.good() && amount && *amount > 0) result.money_minor = std::max(result.money_minor.value_or(0), *amount);
  }
  return result;
}

}  // namespace

CommandData command_data(CommandType type, const JsonValue& data, const Settings& current,
                         std::pmr::memory_resource* arena) {
  precondition(data.kind == JsonValue::Kind::object, "command_data: the data is an object");
  Members m(data, arena);
  auto command = read(type, m, current);
  if (m.good() || type == CommandType::clock_tick) return command;
  return invalid(type, data, m.about(), arena);
}

}  // namespace mayfly::events
