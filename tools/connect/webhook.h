// An event as a webhook, and the reply that its answer may hold. docs/connect.md is the contract.
#pragma once

#include "events/log/record.h"
#include "tools/connect/delivery_queue.h"
#include "tools/records/command_check.h"
#include "tools/records/command_writer.h"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace mayfly::tools {

/// The record of an event, whose body is a CloudEvent 1.0 in structured mode. It may be tried again until the deadline
/// that it has, where the engine acts on that one; else for `retry_for` from `now` on.
[[nodiscard]] QueuedEvent webhook_of(const events::Record&, events::Millis retry_for, events::Timestamp now);

/// {"type": "inventory.reserved", "data": {...}} as a command for the event's cart, whose id is the event's and whose
/// source is given; its type must begin with one of `families` and a dot. None, with `wrong` a sentence, where it is
/// not such a one or no engine could read it.
[[nodiscard]] std::optional<OutgoingCommand> reply_of(const QueuedEvent&, std::string_view body,
                                                      const std::vector<std::string>& families, std::string source,
                                                      CommandCheck&, std::string& wrong);

/// What reply_of reads, for any cart: the type and data of a command.
[[nodiscard]] bool read_reply(std::string_view body, const std::vector<std::string>& families, OutgoingCommand&,
                              std::string& wrong);

}  // namespace mayfly::tools
