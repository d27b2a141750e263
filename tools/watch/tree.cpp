// mayfly tree: a running engine's tree, asked for over HTTP.
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

void print_tree(const json& tree) {
  const auto& process = tree.at("process");
  const auto& engine = tree.at("engine");
  const auto& partitions = tree.at("partitions");
  const bool alive = engine.at("alive").get<bool>();
  const auto* state = !alive ? "stuck" : engine.at("ready").get<bool>() ? "ready" : "not ready";
  print_text(fmt::format("{:<34}{:<11}{:>9}{:>9}{:>10}{:>12}{:>9}{:>9}\n", "", "", "carts", "awake", "sessions",
                         "commands", "restarts", "age"));
  print_text(fmt::format("{:<34}{:<11}{:>9}{:>9}{:>10}{:>12}{:>9}{:>9}\n",
                         fmt::format("process {}, {} MiB", process.at("pid").get<std::int64_t>(),
                                     grouped(process.at("resident_bytes").get<std::int64_t>() / (1024 * 1024))),
                         "", "", "", "", "", "", age_text(process.at("age_s").get<std::int64_t>())));
  print_text(fmt::format("{:<34}{:<11}{:>9}{:>9}{:>10}{:>12}{:>9}{:>9}\n",
                         "└─ engine " + engine.at("name").get<std::string>(), state, count_text(engine, "carts_open"),
                         count_text(engine, "carts_awake"), count_text(engine, "sessions_open"),
                         count_text(engine, "commands"), count_text(engine, "restarts"), ""));
  const auto troubles = [&engine](const char* member) { return engine.at(member).get<std::int64_t>() != 0; };
  if (troubles("carts_quarantined") || troubles("rebuilds")) {
    print_text(fmt::format("   │  {} carts in quarantine, partitions rebuilt {} times\n",
                           count_text(engine, "carts_quarantined"), count_text(engine, "rebuilds")));
  }
  if (troubles("epitaphs_evicted")) {
    print_text(
        fmt::format("   │  {} ended carts forgotten before their time\n", count_text(engine, "epitaphs_evicted")));
  }
  for (std::size_t i = 0; i < partitions.size(); ++i) {
    const auto& p = partitions[i];
    const bool last = i + 1 == partitions.size();
    print_text(
        fmt::format("   {} {:<28}{:<11}{:>9}{:>9}{:>10}{:>12}{:>9}{:>9}\n", last ? "└─" : "├─",
                    fmt::format("partition {} at {}", p.at("partition").get<int>(), count_text(p, "next_offset")),
                    p.at("phase").get<std::string>(), count_text(p, "carts_open"), count_text(p, "carts_awake"),
                    count_text(p, "sessions_open"), count_text(p, "commands"), count_text(p, "restarts"),
                    age_text(p.at("age_s").get<std::int64_t>())));
    for (const auto& restart : p.at("newest_restarts")) {
      print_text(fmt::format("   {}    {}  {}\n", last ? " " : "│", restart.at("at").get<std::string>(),
                             restart.at("reason").get<std::string>()));
    }
  }
}

}  // namespace

int tree(const TreeOptions& options) { return show_answer(options.http, "/tree", "process", options.json, print_tree); }

}  // namespace mayfly::tools
