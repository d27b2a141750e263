// mayfly replay memory, and replay verify --memory --against: what this program's actors take, beside another's.
#include "adapters/host/system_memory.h"
#include "tools/console/client.h"
#include "tools/console/exit_codes.h"
#include "tools/console/output.h"
#include "tools/console/printable.h"
#include "tools/console/verbs.h"
#include "tools/records/bundle_log.h"
#include "tools/replay/program_output.h"
#include "tools/replay/recorded_log.h"
#include "tools/replay/replay_log.h"
#include "tools/replay/replay_memory.h"

namespace mayfly::tools {

namespace {

/// Decides the recorded commands again, whatever is recorded of what they came to.
int measure(const FromWords& words, MemoryCourse& course) {
  RecordedLog results;
  int code = open_recorded(words, results);
  if (code != exit_ok) return code;
  const auto commands = open_recorded_log(words, results.clock, code);
  if (!commands) return code;
  const auto& recorded = results.recorded;
  ReplayLog log(*commands, *results.log, recorded.ends, recorded.position_at);
  log.compare_nothing();
  if (recorded.from) {
    if (const auto status = log.begin_with(*recorded.from); !status.ok()) return complain_of(status);
  }
  adapters::SystemMemory meter;
  actors::Engine engine(log, results.clock, config_of_replay(recorded, &meter), nullptr);
  log.on_poll([&](std::int64_t given, double share) { course.polled(given, share, engine); });
  const auto result = engine.run_until_caught_up();
  if (!log.status().ok()) return complain_of(log.status());
  if (result.end != actors::RunEnd::caught_up) {
    complain("%s\n", result.message.c_str());
    return exit_failed;
  }
  course.ended(log.commands(), engine);
  return exit_ok;
}

}  // namespace

int replay_memory(const ReplayMemoryOptions& options) {
  MemoryCourse course;
  if (const int code = measure(options, course); code != exit_ok) return code;
  for (const auto& mark : course.marks) print_json(memory_line(course, mark));
  return exit_ok;
}

int replay_compare_memory(const ReplayVerifyOptions& options) {
  MemoryCourse own;
  if (const int code = measure(options, own); code != exit_ok) return code;
  MemoryCourse other;
  ProgramOutput output(command_on(options.against, "replay memory", options));
  bool read = true;
  for (std::string line; read && output.read(line);) read = read_memory_line(line, other);
  const int ended = output.close();
  if (!read || ended != 0 || other.marks.size() != own.marks.size()) {
    complain("%s cannot be compared with: %s\n", printable(options.against).c_str(),
             ended != 0 ? "it failed" : "it does not print what `mayfly replay memory` prints");
    return exit_usage;
  }
  return say_memory(own, &other);
}

}  // namespace mayfly::tools
