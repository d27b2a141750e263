#include "system/hostile/simulated_engine.h"

#include "events/rules/words.h"
#include "events/wire/cloudevent.h"

namespace mayfly::hostile {

actors::EngineConfig SimulatedEngine::config(const events::Settings& settings) {
  actors::EngineConfig c;
  c.settings = settings;
  c.name = "hostile";
  return c;
}

events::LogStatus SimulatedEngine::write_ticks() {
  for (events::Partition p = 0; p < client_.partitions(); ++p) {
    std::string data;
    const auto through = through_[static_cast<std::size_t>(p)];
    const bool changes = through < 0 && !(settings_ == events::Settings{});
    events::append_tick_data(data, clock_.now(), through, changes ? &settings_ : nullptr, {});
    const std::string id = "tick-" + std::to_string(p) + "-" + std::to_string(clock_.now().ms);
    const events::Header headers[] = {{"ce_specversion", "1.0"},
                                      {"ce_id", id},
                                      {"ce_source", "/mayfly/hostile"},
                                      {"ce_type", events::ce_type(events::CommandType::clock_tick)},
                                      {"content-type", "application/json"}};
    const events::NewRecord tick{events::Stream::commands, p, std::nullopt, data, headers};
    if (auto appended = client_.append({&tick, 1}); !appended.status.ok()) return appended.status;
  }
  return {};
}

std::string SimulatedEngine::run() {
  if (auto status = write_ticks(); !status.ok()) return status.message;
  const auto result = engine_.run_until_caught_up();
  if (result.end != actors::RunEnd::caught_up) return result.message;
  for (events::Partition p = 0; p < client_.partitions(); ++p) {
    through_[static_cast<std::size_t>(p)] = client_.ends(events::Stream::commands, p).end - 1;
  }
  return {};
}

}  // namespace mayfly::hostile
