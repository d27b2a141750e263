// mayfly tree: a running engine's tree, asked for over HTTP.
#include "adapters/http.h"
#include "tools/exit_codes.h"
#include "tools/text.h"
#include "tools/verbs.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <cstdio>

namespace mayfly::tools {

namespace {

using nlohmann::json;

std::string age(std::int64_t s) {
  if (s < 120) return std::to_string(s) + " s";
  if (s < 2 * 3600) return std::to_string(s / 60) + " min";
  if (s < 2 * 86'400) return std::to_string(s / 3600) + " h";
  return std::to_string(s / 86'400) + " d";
}

std::string count(const json& of, const char* member) { return grouped(of.at(member).get<std::int64_t>()); }

void print(const json& tree) {
  const auto& process = tree.at("process");
  const auto& engine = tree.at("engine");
  const auto& partitions = tree.at("partitions");
  const bool alive = engine.at("alive").get<bool>();
  const auto* state = !alive ? "stuck" : engine.at("ready").get<bool>() ? "ready" : "not ready";
  fmt::print("{:<34}{:<11}{:>9}{:>9}{:>10}{:>12}{:>9}{:>9}\n", "", "", "carts", "awake", "sessions", "commands",
             "restarts", "age");
  fmt::print("{:<34}{:<11}{:>9}{:>9}{:>10}{:>12}{:>9}{:>9}\n",
             fmt::format("process {}, {} MiB", process.at("pid").get<std::int64_t>(),
                         grouped(process.at("resident_bytes").get<std::int64_t>() / (1024 * 1024))),
             "", "", "", "", "", "", age(process.at("age_s").get<std::int64_t>()));
  fmt::print("{:<34}{:<11}{:>9}{:>9}{:>10}{:>12}{:>9}{:>9}\n", "└─ engine " + engine.at("name").get<std::string>(),
             state, count(engine, "carts_open"), count(engine, "carts_awake"), count(engine, "sessions_open"),
             count(engine, "commands"), count(engine, "restarts"), "");
  for (std::size_t i = 0; i < partitions.size(); ++i) {
    const auto& p = partitions[i];
    const bool last = i + 1 == partitions.size();
    fmt::print("   {} {:<28}{:<11}{:>9}{:>9}{:>10}{:>12}{:>9}{:>9}\n", last ? "└─" : "├─",
               fmt::format("partition {} at {}", p.at("partition").get<int>(), count(p, "next_offset")),
               p.at("phase").get<std::string>(), count(p, "carts_open"), count(p, "carts_awake"),
               count(p, "sessions_open"), count(p, "commands"), count(p, "restarts"),
               age(p.at("age_s").get<std::int64_t>()));
    for (const auto& restart : p.at("newest_restarts")) {
      fmt::print("   {}    {}  {}\n", last ? " " : "│", restart.at("at").get<std::string>(),
                 restart.at("reason").get<std::string>());
    }
  }
}

}  // namespace

int tree(const TreeOptions& options) {
  const auto got = adapters::http_get(options.http, "/tree");
  if (!got.wrong.empty() || got.status != 200) {
    const auto why = got.wrong.empty() ? "status " + std::to_string(got.status) : got.wrong;
    std::fprintf(stderr, "%s Is an engine running there? `mayfly serve` says its address when it begins.\n",
                 why.c_str());
    return exit_failed;
  }
  if (options.json) {
    std::printf("%s\n", got.body.c_str());
    return exit_ok;
  }
  const auto parsed = json::parse(got.body, nullptr, false);
  if (parsed.is_discarded() || !parsed.contains("process")) {
    std::fprintf(stderr, "what answers at http://%s/tree is no Mayfly.\n", options.http.c_str());
    return exit_failed;
  }
  print(parsed);
  return exit_ok;
}

}  // namespace mayfly::tools
