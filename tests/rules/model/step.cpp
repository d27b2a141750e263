#include "rules/model/step.h"

namespace mayfly::model {
namespace {

void text(std::string& out, const char* name, const std::string& value) {
  if (!value.empty()) out.append(" ").append(name).append("=").append(value);
}
void number(std::string& out, const char* name, std::int64_t value) {
  if (value != 0) out.append(" ").append(name).append("=").append(std::to_string(value));
}

}  // namespace

std::string body_of(const Step& s) {
  std::string out = s.type;
  text(out, "currency", s.currency);
  text(out, "customer_id", s.customer_id);
  text(out, "sku", s.sku);
  text(out, "name", s.name);
  text(out, "line_id", s.line_id);
  number(out, "per_quantity", s.per_quantity);
  if (s.attributes) out += " attributes=" + *s.attributes;
  text(out, "reason", s.reason);
  text(out, "into", s.into);
  text(out, "from", s.from);
  if (s.merge >= 0) out += " merge=" + std::to_string(s.merge);
  text(out, "provider", s.provider);
  text(out, "token", s.token);
  text(out, "session_id", s.session_id);
  text(out, "reservation_id", s.reservation_id);
  text(out, "reference", s.reference);
  text(out, "url", s.url);
  text(out, "state", s.state);
  if (s.expires_after_s) out += " expires_after_s=" + std::to_string(*s.expires_after_s);
  if (s.attempt) out += " attempt=" + std::to_string(*s.attempt);
  number(out, "quantity", s.quantity);
  number(out, "unit_price_minor", s.unit_price_minor);
  number(out, "amount_minor", s.amount_minor);
  number(out, "expected_total_minor", s.expected_total_minor);
  number(out, "authorized_minor", s.authorized_minor);
  number(out, "captured_minor", s.captured_minor);
  number(out, "refunded_minor", s.refunded_minor);
  number(out, "retryable", s.retryable ? 1 : 0);
  number(out, "on_command", s.on_command ? 1 : 0);
  number(out, "capture_within_s", s.capture_within_s);
  number(out, "settles_within_s", s.settles_within_s);
  number(out, "extra_up_to_minor", s.extra_up_to_minor);
  if (s.total_minor) out += " total_minor=" + std::to_string(*s.total_minor);
  number(out, "final", s.final ? 1 : 0);
  for (const auto& a : s.adjustments) {
    out += " " + a.kind + ":" + a.label + ":" + std::to_string(a.amount_minor);
    out += std::string(a.included ? ":included" : "") + ":" + a.sku + ":" + a.line_id;
  }
  for (const auto& sku : s.skus) out += " sku:" + sku;
  return out;
}

std::string describe(const Step& s) {
  std::string out = "@" + std::to_string(s.offset) + " t=" + std::to_string(s.time);
  text(out, "cart", s.cart);
  text(out, "id", s.id);
  out += " " + body_of(s);
  text(out, "code", s.code);
  for (const auto& l : s.lines) {
    out += " [" + l.sku + " " + std::to_string(l.quantity) + " at " + std::to_string(l.price) + " " + l.line_id + "]";
  }
  if (s.unreadable) out += " (unreadable)";
  if (s.record) {
    const Record& r = *s.record;
    out += std::string(" (as bytes:") + (r.over_64_kib ? " over 64 KiB" : r.of_64_kib ? " 64 KiB" : "");
    out += " version " + r.specversion + (r.key_is_cart_id ? "" : ", bad key") + ", subject '" + r.subject + "'";
    out += std::string(r.type_known ? "" : ", unknown type") + (r.data_is_object ? "" : ", no object");
    out += std::string(r.right_partition ? "" : ", wrong partition");
    out += ", " + r.type + " of '" + r.source + "', replies of '" + r.reply_sources + "')";
  }
  if (s.type == "checkout.complete" && !s.payment) out += " (no payment)";
  if (s.type == "clock.tick") {
    out += " at=" + (s.at ? std::to_string(*s.at) : std::string("none")) + " through=" + std::to_string(s.through);
    for (const auto& [name, value] : s.settings) out += " " + name + ":" + std::to_string(value);
  }
  return out;
}

}  // namespace mayfly::model
