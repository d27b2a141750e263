// mayfly replay verify: the recorded commands decided once more; are events and state the same, byte for byte?
#include "actors/engine/engine.h"
#include "adapters/host/system_memory.h"
#include "tools/console/client.h"
#include "tools/console/exit_codes.h"
#include "tools/console/output.h"
#include "tools/console/text.h"
#include "tools/console/verbs.h"
#include "tools/records/bundle_log.h"
#include "tools/replay/recorded_log.h"
#include "tools/replay/replay_log.h"
#include "tools/replay/replay_memory.h"
#include "tools/replay/replay_recorded.h"

#include <string_view>

namespace mayfly::tools {

namespace {

/// Of a log that is served; the last one says what has moved on meanwhile.
constexpr int most_rounds = 20;

int say_what_is_the_same(const ReplayLog& log, const Recorded& recorded) {
  print("%s commands decided again: %s events and %s state records are the same, byte for byte\n",
        grouped(log.commands()).c_str(), grouped(log.events()).c_str(), grouped(log.states()).c_str());
  if (recorded.tick_secret != 0 && recorded.tick_secrets.find(recorded.tick_secret) == nullptr) {
    print_text("proofs of ticks were not checked: --config with engine.tick_secret_file does that\n");
  }
  if (log.moved_on() == 0) return exit_ok;
  print("nothing differs, but an engine serves this log: %s state records have moved on and were not compared\n",
        grouped(log.moved_on()).c_str());
  return exit_moved_on;
}

}  // namespace

int replay_verify(const ReplayVerifyOptions& options) {
  if (options.carts && options.memory) {
    complain("--memory does not go with --carts.\n");
    return exit_usage;
  }
  if (options.carts || !options.against.empty()) {
    return options.memory ? replay_compare_memory(options) : replay_verify_carts(options);
  }
  RecordedLog results;
  int code = open_recorded(options, results);
  if (code != exit_ok) return code;
  if (!results.has_state && options.memory) {
    complain(
        "This bundle has no state to compare at the end: --memory takes one that was made with --plain and no "
        "--cart.\n");
    return exit_usage;
  }
  if (!results.has_state) {
    complain("This bundle has no state: events are compared, as with --carts.\n");
    return replay_verify_carts(options);
  }
  const auto commands = open_recorded_log(options, results.clock, code);
  if (!commands) return code;
  auto& recorded = results.recorded;

  ReplayLog log(*commands, *results.log, recorded.ends, recorded.position_at);
  if (recorded.from) {
    if (const auto status = log.begin_with(*recorded.from); !status.ok()) return complain_of(status);
  }
  adapters::SystemMemory meter;
  actors::Engine engine(log, results.clock, config_of_replay(recorded, options.memory ? &meter : nullptr), nullptr);
  MemoryCourse memory;
  if (options.memory) log.on_poll([&](std::int64_t given, double share) { memory.polled(given, share, engine); });
  for (int round = 1;; ++round) {
    const auto result = engine.run_until_caught_up();
    const auto difference = result.end == actors::RunEnd::caught_up ? log.compare_rest() : result.message;
    if (!log.status().ok()) return complain_of(log.status());
    if (!difference.empty()) {
      print("first difference: %s\n", difference.c_str());
      return exit_failed;
    }
    if (log.moved_on() == 0 || round == most_rounds) {
      const int code_of_bytes = say_what_is_the_same(log, recorded);
      if (!options.memory) return code_of_bytes;
      memory.ended(log.commands(), engine);
      const int code_of_memory = say_memory(memory, nullptr);
      return code_of_memory == exit_ok ? code_of_bytes : code_of_memory;
    }
    // An engine serves the log: what it has decided meanwhile is decided again too.
    if (const auto status = read_recorded(*results.log, recorded); !status.ok()) return complain_of(status);
    log.extend(recorded.ends, recorded.position_at);
  }
}

}  // namespace mayfly::tools
