// Would an engine read this as a command? The same reader says it before the command is sent.
#pragma once

#include "events/wire/cloudevent.h"
#include "tools/records/command_writer.h"

#include <cstdint>
#include <optional>
#include <string>

namespace mayfly::tools {

/// Why an engine could not use a record as a command.
struct Unusable {
  std::string code;   // a dead letter's reason, or data_invalid (docs/contract.md)
  std::string about;  // a sentence that names the member and why
};

/// Keeps the reader's buffers. Not shared between threads.
class CommandCheck {
 public:
  explicit CommandCheck(std::int32_t partitions);
  /// None: it can be read. What the rules make of it is not looked at.
  [[nodiscard]] std::optional<Unusable> unusable(const OutgoingCommand&);

 private:
  const std::int32_t partitions_;
  events::CommandReader reader_;
};

}  // namespace mayfly::tools
