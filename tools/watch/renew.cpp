// mayfly renew: asks a running engine to renew its partitions, and waits until it has.
#include "adapters/http/http_client.h"
#include "adapters/http/http_names.h"
#include "tools/console/exit_codes.h"
#include "tools/console/output.h"
#include "tools/console/text.h"
#include "tools/console/verbs.h"
#include "tools/records/record_text.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <chrono>
#include <cstdio>
#include <map>
#include <string>
#include <thread>

namespace mayfly::tools {

namespace {

using nlohmann::json;

constexpr auto look_interval = std::chrono::milliseconds(50);
constexpr auto longest_wait = std::chrono::minutes(5);

int failed(const std::string& why) {
  complain("%s\n", why.c_str());
  return exit_failed;
}

/// The partitions of a tree, null where it is none.
json partitions_of(const std::string& tree) {
  const auto read = json::parse(tree, nullptr, false);
  return read.is_object() && read.contains("partitions") ? read.at("partitions") : json();
}

void print_partitions(const json& partitions) {
  print_text(fmt::format("{:<14}{:>12}{:>10}{:>14}  {}\n", "", "carts", "ms", "differences", "first in"));
  for (const auto& p : partitions) {
    const auto& r = p.at("renewals");
    std::string fields;
    for (const auto& field : r.at("newest_fields")) fields.append(fields.empty() ? "" : ", ").append(field);
    print_text(fmt::format("{:<14}{:>12}{:>10}{:>14}  {}\n", fmt::format("partition {}", p.at("partition").get<int>()),
                           grouped(r.at("newest_carts").get<std::int64_t>()),
                           grouped(r.at("newest_ms").get<std::int64_t>()),
                           grouped(r.at("newest_differences").get<std::int64_t>()), fields));
  }
}

}  // namespace

/// Exits with 1 also where a difference was found.
int renew(const RenewOptions& options) {
  const auto path =
      "/renew" + (options.partition < 0 ? std::string() : fmt::format("?partition={}", options.partition));
  if (!adapters::http_place(options.http)) {
    complain("%s\n", adapters::not_http_place(options.http).c_str());
    return exit_usage;
  }
  const auto asked = adapters::http_post(options.http, path);
  if (!asked.wrong.empty())
    return failed(asked.wrong + " Is an engine running there? `mayfly serve` says its address when it begins.");
  if (asked.status != 202)
    return failed(fmt::format("not renewed (status {}): {}", asked.status,
                              printable(asked.body.substr(0, asked.body.find('\n')).substr(0, 200))));
  const auto before = partitions_of(asked.body);
  if (before.is_null()) return failed("what answers at http://" + options.http + path + " is no Mayfly.");
  std::map<int, std::int64_t> waited_for;  // partition, its renewals before
  for (const auto& p : before) {
    const int partition = p.at("partition").get<int>();
    if (p.at("phase") == "serving" && (options.partition < 0 || options.partition == partition))
      waited_for[partition] = p.at("renewals").at("count").get<std::int64_t>();
  }
  json renewed = json::array();
  for (const auto begun = std::chrono::steady_clock::now(); renewed.size() < waited_for.size();) {
    if (std::chrono::steady_clock::now() - begun > longest_wait)
      return failed("not renewed within five minutes: does the log answer? See `mayfly tree`.");
    std::this_thread::sleep_for(look_interval);
    const auto seen = adapters::http_get(options.http, "/tree");
    if (!seen.wrong.empty()) return failed(seen.wrong);
    renewed = json::array();
    for (const auto& p : partitions_of(seen.body)) {
      const auto found = waited_for.find(p.at("partition").get<int>());
      if (found != waited_for.end() && p.at("renewals").at("count").get<std::int64_t>() > found->second)
        renewed.push_back(p);
    }
  }
  std::int64_t differences = 0;
  for (const auto& p : renewed) differences += p.at("renewals").at("newest_differences").get<std::int64_t>();
  if (options.json) {
    print_json(json{{"partitions", renewed}, {"differences", differences}}.dump());
  } else {
    print_partitions(renewed);
  }
  return differences == 0 ? exit_ok : exit_failed;
}

}  // namespace mayfly::tools
