#include "tools/replay/replay_memory.h"

#include "tools/console/exit_codes.h"
#include "tools/console/output.h"
#include "tools/console/text.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cstdio>
#include <iterator>

namespace mayfly::tools {

namespace {

/// Batches small enough for flat memory, large enough for speed.
constexpr std::size_t batch_records = 4'000;
constexpr std::size_t batch_bytes = 8 * 1024 * 1024;

constexpr int percents[] = {10, 50, 100};

/// Up to here two programs take the same: so much more of the other's, or so few bytes more.
struct Tolerance {
  double ratio;
  std::int64_t bytes;
};
constexpr std::int64_t mib = 1024 * 1024;
constexpr Tolerance of_actors{1.1, mib};
constexpr Tolerance of_unaccounted{1.25, 8 * mib};  // buffers of libraries are among it

MemoryMark mark_of(const actors::MemoryReport& report, int percent, std::int64_t commands) {
  MemoryMark mark;
  mark.percent = percent;
  mark.commands = commands;
  mark.carts_open = report.carts_open;
  mark.sessions_open = report.sessions_open;
  mark.actors_awake = report.cart_actors + report.session_actors;
  mark.actor_bytes = report.actor_bytes;
  for (std::size_t i = 0; i < actors::purpose_count; ++i) {
    const auto purpose = static_cast<actors::Purpose>(i);
    const auto kind = actors::kind_of(purpose);
    const bool of_an_actor = kind == actors::Kind::cart || kind == actors::Kind::session ||
                             (kind == actors::Kind::partition && purpose != actors::Purpose::partition_epitaphs);
    if (of_an_actor) mark.actor_bytes += report.of(purpose).taken_bytes;
  }
  mark.unaccounted_bytes = report.unaccounted_bytes();
  mark.resident_bytes = report.process.resident;
  return mark;
}

std::string mib_text(std::int64_t bytes) {
  char text[32];
  std::snprintf(text, sizeof text, "%.1f", static_cast<double>(bytes) / static_cast<double>(mib));
  return text;
}

void print_mark(const MemoryMark& m, const char* whose) {
  print("%5d%%  %-6s %12s %10s %10s %10s %12s %16s %13s\n", m.percent, whose, grouped(m.commands).c_str(),
        grouped(m.carts_open).c_str(), grouped(m.sessions_open).c_str(), grouped(m.actors_awake).c_str(),
        m.actors() == 0 ? "-" : grouped(m.actor_bytes / m.actors()).c_str(), mib_text(m.unaccounted_bytes).c_str(),
        mib_text(m.resident_bytes).c_str());
}

bool is_more(std::int64_t own, std::int64_t other, const Tolerance& tolerance) {
  return static_cast<double>(own) > tolerance.ratio * static_cast<double>(std::max<std::int64_t>(other, 0)) &&
         own - other > tolerance.bytes;
}

}  // namespace

actors::EngineConfig config_of_replay(const Recorded& recorded, events::MemoryMeter* meter) {
  actors::EngineConfig config;
  config.name = recorded.engine;
  config.tick_secrets = recorded.tick_secrets;
  config.batch_records = batch_records;
  config.batch_bytes = batch_bytes;
  config.withheld = [&recorded](events::Position at, std::string_view cart) { return recorded.withheld_at(at, cart); };
  config.meter = meter;
  if (meter != nullptr) config.memory.look_interval = {};  // after each batch
  return config;
}

void MemoryCourse::polled(std::int64_t commands, double share, const actors::Engine& engine) {
  while (marks.size() + 1 < std::size(percents) && share * 100 >= percents[marks.size()]) {
    marks.push_back(mark_of(engine.memory(), percents[marks.size()], commands));
  }
}

void MemoryCourse::ended(std::int64_t commands, const actors::Engine& engine) {
  const auto report = engine.memory();
  while (marks.size() < std::size(percents)) marks.push_back(mark_of(report, percents[marks.size()], commands));
  for (std::size_t i = 0; i < actors::purpose_count; ++i) {
    const auto& amounts = report.purposes[i];
    const auto bytes = amounts.orphaned_bytes + amounts.unexplained_bytes;
    if (bytes > 0) leaked[std::string(name(static_cast<actors::Purpose>(i)))] = bytes;
  }
}

std::string memory_line(const MemoryCourse& course, const MemoryMark& m) {
  nlohmann::ordered_json line = {{"percent", m.percent},
                                 {"commands", m.commands},
                                 {"carts_open", m.carts_open},
                                 {"sessions_open", m.sessions_open},
                                 {"actors_awake", m.actors_awake},
                                 {"actor_bytes", m.actor_bytes},
                                 {"unaccounted_bytes", m.unaccounted_bytes},
                                 {"resident_bytes", m.resident_bytes}};
  if (m.percent == 100) line["leaked"] = course.leaked;
  return line.dump();
}

bool read_memory_line(const std::string& line, MemoryCourse& into) {
  try {
    const auto json = nlohmann::json::parse(line);
    auto& mark = into.marks.emplace_back();
    json.at("percent").get_to(mark.percent);
    json.at("commands").get_to(mark.commands);
    json.at("carts_open").get_to(mark.carts_open);
    json.at("sessions_open").get_to(mark.sessions_open);
    json.at("actors_awake").get_to(mark.actors_awake);
    json.at("actor_bytes").get_to(mark.actor_bytes);
    json.at("unaccounted_bytes").get_to(mark.unaccounted_bytes);
    json.at("resident_bytes").get_to(mark.resident_bytes);
    if (json.contains("leaked")) json["leaked"].get_to(into.leaked);
  } catch (const nlohmann::json::exception&) {
    return false;
  }
  return into.marks.size() <= std::size(percents) && into.marks.back().percent == percents[into.marks.size() - 1];
}

std::vector<std::string> judge_memory(const MemoryCourse& own, const MemoryCourse* other) {
  std::vector<std::string> said;
  said.reserve(own.leaked.size());
  for (const auto& [purpose, bytes] : own.leaked) {
    said.push_back("leaks: " + purpose + " has " + grouped(bytes) + " bytes that no actor holds");
  }
  for (std::size_t i = 0; other != nullptr && i < std::min(own.marks.size(), other->marks.size()); ++i) {
    const auto& m = own.marks[i];
    const auto& o = other->marks[i];
    const auto tell = [&](const char* what, std::int64_t bytes, std::int64_t others) {
      said.push_back("grows: at " + std::to_string(m.percent) + "% " + what + " " + grouped(bytes) +
                     " bytes, the other program's " + grouped(others));
    };
    if (is_more(m.actor_bytes, o.actor_bytes, of_actors)) tell("carts and sessions take", m.actor_bytes, o.actor_bytes);
    if (is_more(m.unaccounted_bytes, o.unaccounted_bytes, of_unaccounted)) {
      tell("what nobody accounts for takes", m.unaccounted_bytes, o.unaccounted_bytes);
    }
  }
  return said;
}

int say_memory(const MemoryCourse& own, const MemoryCourse* other) {
  print("%6s  %-6s %12s %10s %10s %10s %12s %16s %13s\n", "", "", "commands", "carts", "sessions", "awake",
        "bytes/actor", "unaccounted MiB", "resident MiB");
  for (std::size_t i = 0; i < own.marks.size(); ++i) {
    print_mark(own.marks[i], other == nullptr ? "" : "this");
    if (other != nullptr && i < other->marks.size()) print_mark(other->marks[i], "other");
  }
  const auto said = judge_memory(own, other);
  for (const auto& sentence : said) print("%s\n", sentence.c_str());
  return said.empty() ? exit_ok : exit_failed;
}

}  // namespace mayfly::tools
