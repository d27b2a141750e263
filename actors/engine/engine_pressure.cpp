// What the engine does when it is short of memory: carts sleep, admission closes, reading pauses (docs/memory.md).
#include "actors/engine/engine_state.h"

#include <algorithm>
#include <string>
#include <utility>

namespace mayfly::actors {

namespace {

constexpr std::size_t records_when_stopped = 1'000;  // of the batch between two stops of reading

std::string mebibytes(std::int64_t bytes) {
  return bytes < 0 ? std::string("unknown") : std::to_string(bytes / (1024 * 1024)) + " MiB";
}

std::string sentence(const MemoryReport& r) {
  return "Memory: " + std::string(name(r.pressure)) + ". " + mebibytes(r.used_bytes) + " of a budget of " +
         mebibytes(r.budget_bytes) + " are used; tasks waited for memory in " +
         std::to_string(r.process.pressure_permille) + " of 1,000 parts of the last 10 s.";
}

}  // namespace

/// Takes over the level of the newest report.
void Engine::State::heed_pressure() {
  const auto r = memory.report();
  const auto before = std::exchange(pressure, r.pressure);
  wanted_settings = config.settings;
  wanted_settings.admission_closed = wanted_settings.admission_closed || pressure >= PressureLevel::admission_closed;
  const bool short_of_it = pressure != PressureLevel::normal;
  if (config.meter != nullptr && short_of_it &&
      (pressure > before || events::has_passed(PressureLadder::hold, given_back_at, r.at))) {
    given_back_at = r.at;
    config.meter->give_back();
  }
  if (pressure == before) return;
  const bool over = pressure == PressureLevel::normal;
  const auto* alert = over ? "memory_pressure_ended" : "memory_pressure";
  const auto message = sentence(r);
  say(over ? Notice::Level::info : Notice::Level::warning, alert, message, -1,
      {{"pressure_level", static_cast<std::int64_t>(r.pressure)},
       {"used_bytes", r.used_bytes},
       {"budget_bytes", r.budget_bytes},
       {"waited_permille", r.process.pressure_permille}});
  if (served.empty()) return;
  const auto& [partition, one] = *served.begin();
  raise_alert(alert, {partition, one.committed}, message, r.at.ms);
}

/// Carts sleep at once where memory is short.
SleepLimits Engine::State::sleep_limits() const {
  if (pressure >= PressureLevel::sleep_more) return {events::Millis{0}, 0};
  return {config.passivate_after, static_cast<std::int64_t>(config.awake_carts)};
}

/// True: nothing is read now. Every `longest_stop` something is all the same, in small batches: ticks must come
/// through, so that deadlines fire, and what ends gives memory back.
bool Engine::State::holds_reading() {
  if (pressure != PressureLevel::reading_stopped) {
    stopped_since.reset();
    return false;
  }
  const auto now = clock.now();
  if (!stopped_since) stopped_since = now;
  if (!events::has_passed(config.memory.longest_stop, *stopped_since, now)) return true;
  stopped_since = now;
  return false;
}

/// Of a batch.
std::size_t Engine::State::most_records() const {
  return pressure == PressureLevel::reading_stopped ? std::min(batch_size.now(), records_when_stopped)
                                                    : batch_size.now();
}

}  // namespace mayfly::actors
