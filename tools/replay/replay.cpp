// mayfly replay verify: the recorded commands decided once more; are events and state the same, byte for byte?
#include "actors/engine/engine.h"
#include "adapters/host/wall_clock.h"
#include "events/state/snapshot.h"
#include "tools/console/client.h"
#include "tools/console/exit_codes.h"
#include "tools/console/output.h"
#include "tools/console/text.h"
#include "tools/console/verbs.h"
#include "tools/records/each_record.h"
#include "tools/records/record_text.h"
#include "tools/replay/replay_log.h"

#include <nlohmann/json.hpp>

#include <cstdio>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace mayfly::tools {

namespace {

using events::Partition;
using events::Record;
using events::Stream;

/// Batches small enough for flat memory, large enough for speed.
constexpr std::size_t batch_records = 4'000;
constexpr std::size_t batch_bytes = 8 * 1024 * 1024;

struct Recorded {
  std::string engine = "mayfly";
  std::vector<events::Offset> ends;  // per partition: the next command to decide
  /// What supervision took out (decisions.md 8): the record, the cart, why.
  std::map<std::pair<events::Position, std::string>, events::DeadLetterReason> withheld;
};

/// What the position records say.
events::LogStatus read_positions(events::LogClient& log, Recorded& recorded) {
  events::LogStatus status;
  recorded.ends.resize(static_cast<std::size_t>(log.partitions()));
  for (Partition p = 0; p < log.partitions() && status.ok(); ++p) {
    status = each_record(log, Stream::state, p, [&](const Record& record) {
      if (record.key != events::position_key || !record.value) return true;
      const auto position = events::decode_position(*record.value);
      if (const auto* found = std::get_if<events::PositionRecord>(&position)) {
        recorded.ends[static_cast<std::size_t>(p)] = found->next;
        recorded.engine = found->engine;
      }
      return true;
    });
    const auto commands = log.ends(Stream::commands, p);
    if (status.ok()) status = commands.status;
    const auto first = commands.first;
    if (status.ok() && first > 0 && recorded.ends[static_cast<std::size_t>(p)] > 0) {
      status = {events::LogError::corrupt,
                "partition " + std::to_string(p) + ": commands before offset " + std::to_string(first) +
                    " are no longer there. A replay needs them from the first on: restore them from a backup."};
    }
  }
  return status;
}

bool by_supervision(std::string_view reason) {
  return reason == name(events::DeadLetterReason::keeps_failing) ||
         reason == name(events::DeadLetterReason::quarantined) ||
         reason == name(events::DeadLetterReason::state_unreadable);
}

/// One pass over the events, where the dead letters say that there is something to find.
events::LogStatus read_withheld(events::LogClient& log, Recorded& recorded) {
  events::LogStatus status;
  for (Partition p = 0; p < log.partitions() && status.ok(); ++p) {
    bool any = false;
    status = each_record(log, Stream::deadletters, p, [&](const Record& record) {
      any = by_supervision(header(record, "mayfly.reason"));
      return !any;
    });
    if (!any || !status.ok()) continue;
    status = each_record(log, Stream::events, p, [&](const Record& record) {
      if (short_type(record) != "command.dead_lettered") return true;
      const auto data = nlohmann::json::parse(record.value.value_or("{}"), nullptr, false);
      const auto reason = data.value("reason", "");
      if (!by_supervision(reason)) return true;
      const auto cart = data.value("cart_id", std::string(record.key.value_or(events::Bytes{})));
      recorded.withheld[{{p, data.value("offset", events::no_offset)}, cart}] =
          *events::dead_letter_reason_from_name(reason);
      return true;
    });
  }
  return status;
}

int say(const events::LogStatus& status) {
  complain("%s\n", status.message.c_str());
  return exit_code_of(status.error);
}

}  // namespace

int replay(const ReplayOptions& options) {
  const adapters::WallClock clock;
  int code = exit_ok;
  const auto commands = open_reader(options, clock, code);
  const auto results = commands ? open_reader(options, clock, code) : nullptr;
  if (!results) return code;
  Recorded recorded;
  auto status = read_positions(*results, recorded);
  if (status.ok()) status = read_withheld(*results, recorded);
  if (!status.ok()) return say(status);

  ReplayLog log(*commands, *results, recorded.ends);
  actors::EngineConfig config;
  config.name = recorded.engine;
  config.batch_records = batch_records;
  config.batch_bytes = batch_bytes;
  config.withheld = [&](events::Position at, std::string_view cart) -> std::optional<events::DeadLetterReason> {
    const auto found = recorded.withheld.find({at, std::string(cart)});
    if (found == recorded.withheld.end()) return std::nullopt;
    return found->second;
  };
  actors::RunResult result;
  {
    actors::Engine engine(log, clock, config, nullptr);
    result = engine.run_until_caught_up();
  }
  if (result.end != actors::RunEnd::caught_up) {
    print("first difference: %s\n", result.message.c_str());
    return exit_failed;
  }
  auto difference = log.compare_rest();
  if (!difference.empty()) {
    Recorded now;
    if (read_positions(*results, now).ok() && now.ends != recorded.ends) {
      difference += "\nan engine serves this log meanwhile: its state has moved on, verify again when it rests";
    }
    print("first difference: %s\n", difference.c_str());
    return exit_failed;
  }
  print("%s commands decided again: %s events and %s state records are the same, byte for byte\n",
        grouped(log.commands()).c_str(), grouped(log.events()).c_str(), grouped(log.states()).c_str());
  return exit_ok;
}

}  // namespace mayfly::tools
