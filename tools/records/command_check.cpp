#include "tools/records/command_check.h"

#include "events/rules/identity.h"

#include <memory_resource>
#include <variant>
#include <vector>

namespace mayfly::tools {

// No engine has an empty name, so no source counts as the engine's own.
CommandCheck::CommandCheck(std::int32_t partitions) : partitions_(partitions), reader_("", partitions) {}

std::optional<Unusable> CommandCheck::unusable(const OutgoingCommand& command) {
  const auto type = ce_type_of(command);
  const auto headers = headers_of(command, type);
  events::Record record;
  record.at.partition = events::partition_of(command.key, partitions_);
  record.key = command.key;
  record.value = command.data;
  record.headers = headers;
  std::pmr::monotonic_buffer_resource arena;
  const auto read = reader_.read(record, events::Settings{}, &arena);
  if (const auto* why = std::get_if<events::Unreadable>(&read)) {
    const std::string code{name(why->reason)};
    return Unusable{code, why->about.empty() ? code : std::string(why->about)};
  }
  const auto& data = std::get<events::ReadCommand>(read).command.data;
  if (const auto* invalid = std::get_if<events::Invalid>(&data)) {
    return Unusable{std::string(events::name(events::Code::data_invalid)), std::string(invalid->about)};
  }
  return std::nullopt;
}

}  // namespace mayfly::tools
