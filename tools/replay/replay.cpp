// mayfly replay verify: the recorded commands decided once more; are events and state the same, byte for byte?
#include "actors/engine/engine.h"
#include "adapters/host/wall_clock.h"
#include "tools/console/client.h"
#include "tools/console/exit_codes.h"
#include "tools/console/output.h"
#include "tools/console/text.h"
#include "tools/console/verbs.h"
#include "tools/replay/replay_log.h"
#include "tools/replay/replay_recorded.h"

#include <string_view>

namespace mayfly::tools {

namespace {

/// Batches small enough for flat memory, large enough for speed.
constexpr std::size_t batch_records = 4'000;
constexpr std::size_t batch_bytes = 8 * 1024 * 1024;

int say(const events::LogStatus& status) {
  complain("%s\n", status.message.c_str());
  return exit_code_of(status.error);
}

}  // namespace

int replay_verify(const ReplayVerifyOptions& options) {
  const adapters::WallClock clock;
  int code = exit_ok;
  const auto commands = open_reader(options, clock, code);
  const auto results = commands ? open_reader(options, clock, code) : nullptr;
  if (!results) return code;
  Recorded recorded;
  if (const auto status = read_recorded(*results, recorded); !status.ok()) return say(status);

  ReplayLog log(*commands, *results, recorded.ends);
  actors::EngineConfig config;
  config.name = recorded.engine;
  config.batch_records = batch_records;
  config.batch_bytes = batch_bytes;
  config.withheld = [&](events::Position at, std::string_view cart) { return recorded.withheld_at(at, cart); };
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
