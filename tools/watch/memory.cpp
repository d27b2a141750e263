// mayfly memory: what a running engine's memory is for, asked for over HTTP.
#include "tools/console/output.h"
#include "tools/console/text.h"
#include "tools/console/verbs.h"
#include "tools/watch/engine_answer.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <string>

namespace mayfly::tools {

namespace {

using nlohmann::json;

/// Bytes by `member`, or a word where the system does not say.
void line(const json& report, const char* label, const char* member) {
  const auto bytes = report.at(member).get<std::int64_t>();
  print_text(fmt::format("{:<24}{:>16}\n", label, bytes < 0 ? "not known" : grouped(bytes)));
}

void print_leaks(const json& leaks) {
  print_text(fmt::format("{}\n", leaks.empty() ? "no leak" : "LEAKS"));
  for (const auto& leak : leaks) {
    print_text(fmt::format("  {}: {}, {} bytes, {} bytes/s", leak.at("purpose").get<std::string>(),
                           leak.at("kind").get<std::string>(), count_text(leak, "bytes"),
                           count_text(leak, "bytes_per_s")));
    if (leak.contains("limit_in_s")) print_text(fmt::format(", {} s until the limit", count_text(leak, "limit_in_s")));
    for (const auto& holder : leak.value("holders", json::array())) {
      print_text(fmt::format("\n    partition {}", count_text(holder, "partition")));
      if (holder.contains("cart_hash"))
        print_text(fmt::format(", cart (hashed) {}", holder.at("cart_hash").get<std::string>()));
    }
    if (leak.contains("profile"))
      print_text(fmt::format("\n    heap profile: {}", leak.at("profile").get<std::string>()));
    print_text(fmt::format("\n"));
  }
}

void print_memory(const json& report) {
  print_text(
      fmt::format("{:<24}{:>16}{:>12}{:>16}{:>12}{:>10}\n", "", "bytes", "blocks", "peak bytes", "owners", "each"));
  for (const auto& [name, row] : report.at("purposes").items()) {
    const auto owners = row.at("owners").get<std::int64_t>();
    const auto each = owners > 0 ? grouped(row.at("bytes").get<std::int64_t>() / owners) : std::string("-");
    print_text(fmt::format("{:<24}{:>16}{:>12}{:>16}{:>12}{:>10}\n", name, count_text(row, "bytes"),
                           count_text(row, "blocks"), count_text(row, "peak_bytes"), grouped(owners), each));
  }
  line(report, "actors", "actor_bytes");
  line(report, "messages", "message_bytes");
  line(report, "the log's own", "log_bytes");
  line(report, "all that has a name", "named_bytes");
  line(report, "allocated", "allocated_bytes");
  line(report, "unaccounted", "unaccounted_bytes");
  line(report, "resident", "resident_bytes");
  line(report, "anonymous", "anonymous_bytes");
  line(report, "fragmentation", "fragmentation_bytes");
  line(report, "limit", "limit_bytes");
  line(report, "budget", "budget_bytes");
  line(report, "used of the budget", "used_bytes");
  print_text(fmt::format("{:<24}{:>16}\n", "pressure", report.at("pressure").get<std::string>()));
  print_text(fmt::format(
      "{} carts open, {} awake; {} cart actors, {} session actors; {} actors by the actor system's count\n",
      count_text(report, "carts_open"), count_text(report, "carts_awake"), count_text(report, "cart_actors"),
      count_text(report, "session_actors"), count_text(report, "actors_running")));
  print_leaks(report.at("leaks"));
}

}  // namespace

int memory(const MemoryOptions& options) {
  return show_answer(options.http, "/memory", "purposes", options.json, print_memory);
}

}  // namespace mayfly::tools
