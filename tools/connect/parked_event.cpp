#include "tools/connect/parked_event.h"

#include "events/text/time_text.h"
#include "events/wire/cloudevent_headers.h"
#include "events/wire/json_writer.h"
#include "tools/console/printable.h"
#include "tools/console/text.h"

#include <vector>

namespace mayfly::tools {

std::string parked_name(const std::string& delivery, events::Position at) { return delivery + ":" + position_text(at); }

std::string parked_message(const std::string& delivery, const QueuedEvent& event, const std::string& fault) {
  return delivery + " has not taken " + event.type + " " + event.id + " of cart " + printable(event.cart) +
         " (attempts: " + std::to_string(event.attempts) + "): " + fault +
         ". To deliver it again: mayfly connect --again " + parked_name(delivery, event.at);
}

events::LogStatus write_parked(events::LogClient& log, const std::string& delivery, const std::string& source,
                               const QueuedEvent& event, const std::string& message, events::Timestamp now) {
  std::string data;
  events::JsonObject json(data);
  json.text("alert", "delivery_parked");
  json.number("partition", event.at.partition);
  json.number("offset", event.at.offset);
  json.text("message", message);
  json.text("delivery", parked_name(delivery, event.at));
  json.close();
  const auto id = event.id + "-delivery_parked-" + delivery;
  const auto time = events::to_text(now);
  const auto key = std::to_string(event.at.partition);
  const events::CloudEventHeaders own{
      .id = id, .source = source, .type = events::alert_type, .time = {time.data(), time.size()}};
  auto headers = own.list();
  if (!event.cart.empty()) headers.push_back({"ce_subject", event.cart});
  const events::NewRecord alert{events::Stream::alerts, event.at.partition, key, data, headers};
  return log.append({&alert, 1}).status;
}

}  // namespace mayfly::tools
