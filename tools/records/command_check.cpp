#include "tools/records/command_check.h"

#include "events/rules/identity.h"
#include "events/wire/cloudevent.h"

#include <memory_resource>
#include <variant>
#include <vector>

namespace mayfly::tools {

std::string why_unreadable(const OutgoingCommand& command, std::int32_t partitions) {
  const std::string type = "dev.mayfly." + command.type + ".v1";
  std::vector<events::Header> headers = {{"ce_specversion", "1.0"},     {"ce_id", command.id},
                                         {"ce_source", command.source}, {"ce_type", type},
                                         {"ce_subject", command.key},   {"content-type", "application/json"}};
  for (const auto& [name, value] : command.headers) headers.push_back({name, value});
  events::Record record;
  record.at.partition = events::partition_of(command.key, partitions);
  record.key = command.key;
  record.value = command.data;
  record.headers = headers;
  std::pmr::monotonic_buffer_resource arena;
  events::CommandReader reader("", partitions);  // no engine has this name: none of its own sources is meant
  const auto read = reader.read(record, events::Settings{}, &arena);
  if (const auto* why = std::get_if<events::Unreadable>(&read)) {
    return command.type + ": " + (why->about.empty() ? std::string(name(why->reason)) : std::string(why->about));
  }
  const auto& data = std::get<events::ReadCommand>(read).command.data;
  if (const auto* invalid = std::get_if<events::Invalid>(&data)) return command.type + ": " + std::string(invalid->about);
  return {};
}

}  // namespace mayfly::tools
