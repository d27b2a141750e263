#include "tools/records/command_check.h"

#include "events/rules/identity.h"
#include "events/wire/event_json.h"

#include <nlohmann/json.hpp>

#include <memory_resource>
#include <string_view>
#include <variant>
#include <vector>

namespace mayfly::tools {

namespace {

/// What is wrong, and where, if that is known.
std::string sentence_of(const events::Unreadable& why, const std::string& data) {
  if (!why.about.empty()) return std::string(why.about);
  std::string told{events::sentence(why.reason)};
  if (why.reason != events::DeadLetterReason::json_invalid) return told;
  try {
    const auto parsed = nlohmann::json::parse(data);
  } catch (const nlohmann::json::exception& wrong) {
    const std::string_view what = wrong.what();  // begins with the exception's name in brackets
    told.append(" ").append(what.substr(what.find(' ') + 1));
  }
  return told;
}

}  // namespace

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
    return Unusable{code, sentence_of(*why, command.data)};
  }
  const auto& data = std::get<events::ReadCommand>(read).command.data;
  if (const auto* invalid = std::get_if<events::Invalid>(&data)) {
    return Unusable{std::string(events::name(events::Code::data_invalid)), std::string(invalid->about)};
  }
  return std::nullopt;
}

}  // namespace mayfly::tools
