// mayfly replay: the recorded commands once more, into an empty memory log; are events and state the same bytes?
#include "actors/engine.h"
#include "adapters/memory_log.h"
#include "adapters/open_log.h"
#include "adapters/wall_clock.h"
#include "events/snapshot.h"
#include "tools/exit_codes.h"
#include "tools/text.h"
#include "tools/verbs.h"

#include <cstdio>
#include <functional>
#include <map>
#include <optional>
#include <string>

namespace mayfly::tools {

namespace {

using events::Record;
using events::Stream;

constexpr events::PollLimits read_at_once{10'000, 16 * 1024 * 1024, events::Millis{0}};

events::LogStatus each(events::LogClient& log, Stream stream, events::Partition partition,
                       const std::function<void(const Record&)>& f) {
  for (auto from = log.ends(stream, partition).first;;) {
    auto fetched = log.read(stream, partition, from, read_at_once);
    if (!fetched.status.ok() || fetched.batch.records.empty()) return fetched.status;
    from = fetched.next;
    for (const auto& record : fetched.batch.records) f(record);
  }
}

/// Key, value and headers as one text: what must be the same.
std::string content(const Record& record) {
  std::string all(record.key.value_or("(no key)"));
  for (const auto& h : record.headers) all.append("\n").append(h.name).append(": ").append(h.value);
  return all.append("\n\n").append(record.value.value_or("(tombstone)"));
}

class Comparison {
 public:
  explicit Comparison(events::LogClient& recorded) : recorded_(recorded), again_(recorded.partitions(), clock_) {}

  /// The commands below the committed positions, with their positions and times.
  events::LogStatus copy_commands(std::string& engine) {
    std::map<events::Partition, events::Offset> committed;
    events::LogStatus status;
    for (events::Partition p = 0; p < recorded_.partitions() && status.ok(); ++p) {
      status = each(recorded_, Stream::state, p, [&](const Record& record) {
        if (record.key != events::position_key || !record.value) return;
        const auto position = events::decode_position(*record.value);
        if (const auto* found = std::get_if<events::PositionRecord>(&position)) {
          committed[p] = found->next;
          engine = found->engine;
        }
      });
    }
    for (events::Partition p = 0; p < recorded_.partitions() && status.ok(); ++p) {
      status = each(recorded_, Stream::commands, p, [&](const Record& record) {
        if (record.at.offset >= committed[p]) return;
        again_.append_at(Stream::commands, record);
        ++commands_;
      });
    }
    return status;
  }

  actors::RunResult decide(const std::string& engine_name) {
    actors::EngineConfig config;
    config.name = engine_name;
    adapters::MemoryLog log(again_);
    actors::Engine engine(log, clock_, config, nullptr);
    return engine.run_until_caught_up();
  }

  /// Events in order, then the newest state record per key. Prints the first difference.
  bool same() {
    for (events::Partition p = 0; p < recorded_.partitions(); ++p) {
      if (!same_events(p) || !same_state(p)) return false;
    }
    return true;
  }
  [[nodiscard]] std::int64_t commands() const { return commands_; }
  [[nodiscard]] std::int64_t events() const { return events_; }
  [[nodiscard]] std::int64_t states() const { return states_; }

 private:
  bool same_events(events::Partition p) {
    const auto again = again_.records(Stream::events, p);
    std::size_t at = 0;
    bool same = true;
    const auto status = each(recorded_, Stream::events, p, [&](const Record& record) {
      if (!same) return;
      const auto here = at < again.size() ? content(again[at]) : std::string("(nothing)");
      ++at;
      ++events_;
      if (content(record) != here) same = differ("event", p, record.at.offset, content(record), here);
    });
    if (same && at < again.size())
      same = differ("event", p, static_cast<std::int64_t>(at), "(nothing)", content(again[at]));
    return same && status.ok();
  }
  bool same_state(events::Partition p) {
    auto again = again_.state(p);
    bool same = true;
    const auto status = each(recorded_, Stream::state, p, [&](const Record& record) {
      if (!same) return;
      ++states_;
      const std::string key(record.key.value_or(events::Bytes{}));
      std::optional<std::string> value;
      if (record.value) value.emplace(*record.value);
      const auto found = again.find(key);
      if (found == again.end() || found->second != value) {
        same = differ(
            "state record", p, record.at.offset, key + " " + std::to_string(value ? value->size() : 0) + " bytes",
            found == again.end() ? "(nothing)" : std::to_string(found->second ? found->second->size() : 0) + " bytes");
      }
      again.erase(key);
    });
    if (same && !again.empty()) same = differ("state record", p, 0, "(nothing)", again.begin()->first);
    return same && status.ok();
  }
  static bool differ(const char* what, events::Partition p, events::Offset offset, const std::string& recorded,
                     const std::string& again) {
    std::printf("first difference: %s at %d:%lld\n--- recorded ---\n%s\n--- again ---\n%s\n", what, p,
                static_cast<long long>(offset), recorded.c_str(), again.c_str());
    return false;
  }

  adapters::WallClock clock_;  // stamps what is written again: append times are not compared
  events::LogClient& recorded_;
  adapters::MemoryStore again_;
  std::int64_t commands_ = 0;
  std::int64_t events_ = 0;
  std::int64_t states_ = 0;
};

}  // namespace

int replay(const ReplayOptions& options) {
  const adapters::WallClock clock;
  events::LogStatus status;
  const auto log = adapters::open_client(options.log, {}, false, clock, status);
  if (!log) {
    std::fprintf(stderr, "%s\n", status.message.c_str());
    return exit_code_of(status.error);
  }
  Comparison comparison(*log);
  std::string engine = "mayfly";
  status = comparison.copy_commands(engine);
  if (!status.ok()) {
    std::fprintf(stderr, "%s\n", status.message.c_str());
    return exit_code_of(status.error);
  }
  const auto result = comparison.decide(engine);
  if (result.end != actors::RunEnd::caught_up) {
    std::fprintf(stderr, "the replay failed: %s\n", result.message.c_str());
    return exit_failed;
  }
  if (!comparison.same()) return exit_failed;
  std::printf("%s commands decided again: %s events and %s state records are the same, byte for byte\n",
              grouped(comparison.commands()).c_str(), grouped(comparison.events()).c_str(),
              grouped(comparison.states()).c_str());
  return exit_ok;
}

}  // namespace mayfly::tools
