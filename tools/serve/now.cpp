#include "tools/serve/now.h"

#include "events/wire/json_writer.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace mayfly::tools {

namespace {

MemoryGroup group_of(actors::Kind kind) {
  switch (kind) {
    case actors::Kind::cart: return MemoryGroup::carts;
    case actors::Kind::session: return MemoryGroup::sessions;
    case actors::Kind::partition: return MemoryGroup::partitions;
    case actors::Kind::log: return MemoryGroup::log;
    case actors::Kind::codec: return MemoryGroup::codec;
  }
  return MemoryGroup::other;
}

std::array<std::int64_t, memory_group_count> memory_by_group(const actors::MemoryReport& r) {
  std::array<std::int64_t, memory_group_count> bytes{};
  const auto add = [&](MemoryGroup group, std::int64_t more) { bytes[static_cast<std::size_t>(group)] += more; };
  for (std::size_t i = 0; i < actors::purpose_count; ++i) {
    const auto& amounts = r.purposes[i];
    add(group_of(kind_of(static_cast<actors::Purpose>(i))), amounts.taken_bytes + amounts.rounding_bytes);
  }
  add(MemoryGroup::log, r.log_bytes);
  add(MemoryGroup::actors, r.actor_bytes + r.message_bytes);
  add(MemoryGroup::other, std::max<std::int64_t>(0, r.used_bytes - r.named_bytes()));
  return bytes;
}

void append_histogram(std::string& out, const actors::Durations& durations) {
  events::JsonObject json(out);
  json.member("bounds_s") += fmt::format("[{}]", fmt::join(durations.bounds_s, ","));
  json.member("counts") += fmt::format("[{}]", fmt::join(durations.counts, ","));
  json.member("sum_s") += fmt::format("{:.6f}", durations.sum_s);
  json.close();
}

}  // namespace

double quantile_s(const actors::Durations& now, const actors::Durations& before, double share) {
  std::int64_t all = 0;
  for (std::size_t i = 0; i < now.counts.size(); ++i) all += now.counts[i] - before.counts[i];
  if (all <= 0) return -1;
  const double rank = share * static_cast<double>(all);
  double below = 0;
  for (std::size_t i = 0; i < now.bounds_s.size(); ++i) {
    const auto here = static_cast<double>(now.counts[i] - before.counts[i]);
    if (here > 0 && below + here >= rank) {
      const double from = i == 0 ? 0 : now.bounds_s[i - 1];
      return from + (now.bounds_s[i] - from) * (rank - below) / here;
    }
    below += here;
  }
  return now.bounds_s.back();
}

HistorySample sample_of(const Observed& seen, const actors::Durations& before) {
  HistorySample sample;
  sample.at = seen.now;
  sample.memory_bytes = memory_by_group(seen.memory);
  sample.used_bytes = seen.memory.used_bytes;
  sample.carts_open = seen.census.carts_open;
  sample.carts_awake = seen.census.carts_awake;
  sample.sessions_open = seen.census.sessions_open;
  sample.sessions_awake = seen.census.sessions_awake;
  for (const auto& one : seen.figures.partitions) {
    sample.lag_records = std::max<std::int64_t>(0, sample.lag_records) + one.lag_records;
  }
  const double p99 = quantile_s(seen.census.committed, before, 0.99);
  sample.slowest_us = p99 < 0 ? -1 : static_cast<std::int64_t>(p99 * 1'000'000);
  sample.commands = seen.census.commands;
  sample.restarts = seen.census.restarts;
  return sample;
}

std::string now_json(const Observed& seen, const std::string& log) {
  std::string out;
  events::JsonObject json(out);
  json.member("tree") += tree_json(seen);
  json.member("memory") += to_json(seen.memory);
  json.number("sessions_awake", seen.census.sessions_awake);
  append_histogram(json.member("command_age"), seen.census.committed);
  json.member("log") += log;
  json.close();
  return out;
}

}  // namespace mayfly::tools
