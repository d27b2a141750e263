// The engine and its log under a clock that the test moves: hours of deadlines pass in minutes. Writes the ticks that
// the engine writes by itself where time is real.
#pragma once

#include "actors/engine/engine.h"
#include "events/log/log.h"
#include "events/rules/settings.h"

#include <memory>
#include <string>
#include <vector>

namespace mayfly::hostile {

class SimulatedClock final : public events::Clock {
 public:
  explicit SimulatedClock(events::Timestamp begin) : now_(begin) {}
  [[nodiscard]] events::Timestamp now() const override { return {now_.ms}; }
  /// Between two runs of the engine only.
  void set(events::Timestamp now) { now_ = now; }

 private:
  events::Timestamp now_;
};

class SimulatedEngine {
 public:
  SimulatedEngine(events::Log& log, events::LogClient& client, const SimulatedClock& clock,
                  const events::Settings& settings = {})
      : client_(client),
        clock_(clock),
        settings_(settings),
        engine_(log, clock, config(settings), nullptr),
        through_(static_cast<std::size_t>(log.partitions()), -1) {}

  /// A tick per partition, then everything that is in the log. An empty string, or why it failed.
  std::string run();
  [[nodiscard]] actors::Census census() const { return engine_.census(); }

 private:
  static actors::EngineConfig config(const events::Settings&);
  events::LogStatus write_ticks();

  events::LogClient& client_;
  const SimulatedClock& clock_;
  events::Settings settings_;  // in each first tick, if they are not the usual ones
  actors::Engine engine_;
  std::vector<events::Offset> through_;  // last offset decided, per partition
};

}  // namespace mayfly::hostile
