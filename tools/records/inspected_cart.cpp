#include "tools/records/inspected_cart.h"

#include "events/text/time_text.h"
#include "tools/console/text.h"
#include "tools/records/cart_state.h"
#include "tools/records/each_record.h"
#include "tools/records/record_text.h"

#include <optional>
#include <utility>

namespace mayfly::tools {

namespace {

using Json = nlohmann::json;

/// How a cart ended, and why, as its events say.
class Ending {
 public:
  void take(const events::Record& record, Json& state) {
    const auto type = short_type(record);
    if (!type.starts_with("cart.") && !type.starts_with("checkout.")) return;
    const auto data = Json::parse(record.value.value_or("{}"), nullptr, false);
    const auto time = events::timestamp_from_text(header(record, "ce_time"));
    if (type == "cart.created") begin(data, state);
    if (read_ending(record, state) && type == "cart.expired") say_why_it_expired(time, state);
    touched_ = time;
  }

 private:
  /// A cart that ended may have been called so before.
  void begin(const Json& data, Json& state) {
    for (const char* member : {"outcome", "order_id", "reason", "into"}) state.erase(member);
    expires_after_s_ = 0;
    if (data.is_object() && data.contains("expires_after_s") && data["expires_after_s"].is_number_integer()) {
      expires_after_s_ = data["expires_after_s"].get<std::int64_t>();
    }
  }

  /// Its idle wait is no longer than what is left of its longest life, and begins again with each event of the shop's.
  void say_why_it_expired(std::optional<events::Timestamp> time, Json& state) const {
    if (expires_after_s_ <= 0 || !time || !touched_) return;  // the log has no longer when it was created
    const bool idle = (*time - *touched_).count >= expires_after_s_ * 1000;
    state["reason"] = idle ? "no command of the shop for " + age_text(expires_after_s_) : "it reached its longest life";
  }

  std::int64_t expires_after_s_ = 0;          // 0: not known
  std::optional<events::Timestamp> touched_;  // by the last event of the cart or its checkout
};

}  // namespace

bool InspectedCart::known() const { return state["state"] != "unknown" || state["waiting"] != 0 || said_anything; }

events::LogStatus inspect_cart(events::LogClient& log, const std::string& cart, InspectedCart& inspected,
                               const std::function<void(const events::Record&)>& each_event) {
  auto now = read_cart_state(log, cart);
  inspected = {std::move(now.state), std::move(now.unreadable), false};
  std::int64_t waiting = 0;  // where the engine has not read yet
  auto status = std::move(now.status);
  if (status.ok()) {
    status = each_record_of(log, events::Stream::commands, cart, [&](const events::Record& record) {
      waiting += record.at.offset >= now.next_command ? 1 : 0;
    });
  }
  inspected.state["waiting"] = waiting;
  if (!status.ok()) return status;
  Ending ending;
  return each_record_of(log, events::Stream::events, cart, [&](const events::Record& record) {
    inspected.said_anything = true;
    ending.take(record, inspected.state);
    each_event(record);
  });
}

}  // namespace mayfly::tools
