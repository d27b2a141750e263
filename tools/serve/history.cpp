#include "tools/serve/history.h"

#include "events/wire/json_writer.h"

#include <algorithm>

namespace mayfly::tools {

namespace {

using Member = std::int64_t HistorySample::*;

struct Series {
  std::string_view name;
  Member member;
};

constexpr std::array levels = {
    Series{"used_bytes", &HistorySample::used_bytes},         Series{"carts_open", &HistorySample::carts_open},
    Series{"carts_awake", &HistorySample::carts_awake},       Series{"sessions_open", &HistorySample::sessions_open},
    Series{"sessions_awake", &HistorySample::sessions_awake}, Series{"lag_records", &HistorySample::lag_records},
    Series{"slowest_us", &HistorySample::slowest_us}};
constexpr std::array counters = {Series{"commands", &HistorySample::commands},
                                 Series{"restarts", &HistorySample::restarts}};

/// Both, of which `later` follows, as one.
void join(HistorySample& earlier, const HistorySample& later) {
  earlier.at = later.at;
  if (later.used_bytes >= earlier.used_bytes) earlier.memory_bytes = later.memory_bytes;
  for (const auto& level : levels) earlier.*level.member = std::max(earlier.*level.member, later.*level.member);
  for (const auto& counter : counters) earlier.*counter.member = later.*counter.member;
}

template <class Value>
void append_list(events::JsonObject& json, std::string_view name, const std::vector<HistorySample>& samples,
                 Value value) {
  json.array(name, samples, [&](events::JsonText& text, const HistorySample& s) { text.put_digits(value(s)); });
}

}  // namespace

std::string_view name(MemoryGroup group) {
  switch (group) {
    case MemoryGroup::carts: return "carts";
    case MemoryGroup::sessions: return "sessions";
    case MemoryGroup::partitions: return "partitions";
    case MemoryGroup::log: return "log";
    case MemoryGroup::codec: return "codec";
    case MemoryGroup::actors: return "actors";
    case MemoryGroup::other: return "other";
  }
  return {};
}

void History::add(const HistorySample& look) {
  if (is_open_ && look.at < opened_) opened_ = look.at;  // the clock was set back
  if (is_open_ && look.at - opened_ >= step_) {
    if (size_ == capacity) halve();
    full_[size_++] = open_;
    is_open_ = false;
  }
  if (is_open_) return join(open_, look);
  open_ = look;
  opened_ = look.at;
  is_open_ = true;
}

void History::halve() {
  for (std::size_t i = 0; i < capacity / 2; ++i) {
    auto pair = full_[2 * i];
    join(pair, full_[2 * i + 1]);
    full_[i] = pair;
  }
  size_ = capacity / 2;
  step_.count *= 2;
}

std::vector<HistorySample> History::samples() const {
  std::vector<HistorySample> all(full_.begin(), full_.begin() + static_cast<std::ptrdiff_t>(size_));
  if (is_open_) all.push_back(open_);
  return all;
}

std::string to_json(const History& history) {
  const auto samples = history.samples();
  std::string out;
  events::JsonObject all(out);
  all.number("step_ms", history.step().count);
  all.number("capacity", static_cast<std::int64_t>(History::capacity));
  all.number("bytes", static_cast<std::int64_t>(sizeof(History)));
  append_list(all, "at_ms", samples, [](const auto& s) { return s.at.ms; });
  events::JsonObject groups(all.value_of("memory_bytes"));
  for (std::size_t i = 0; i < memory_group_count; ++i) {
    append_list(groups, name(static_cast<MemoryGroup>(i)), samples, [i](const auto& s) { return s.memory_bytes[i]; });
  }
  groups.close();
  for (const auto& one : levels) append_list(all, one.name, samples, [&](const auto& s) { return s.*one.member; });
  for (const auto& one : counters) append_list(all, one.name, samples, [&](const auto& s) { return s.*one.member; });
  all.close();
  return out;
}

}  // namespace mayfly::tools
