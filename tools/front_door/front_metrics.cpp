#include "tools/front_door/front_metrics.h"

#include "tools/console/parsed_json.h"
#include "tools/console/prometheus_text.h"
#include "tools/front_door/http_words.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <vector>

namespace mayfly::tools {

namespace {

constexpr int first_problem = 400;  // status

}  // namespace

adapters::HttpReply FrontMetrics::counted(std::string_view route, adapters::HttpReply reply) {
  return [this, route, reply = std::move(reply), waits = waiting_,
          begun = std::chrono::steady_clock::now()](adapters::HttpAnswer answer) {
    answered(route, answer, std::chrono::steady_clock::now() - begun);
    reply(std::move(answer));
  };
}

void FrontMetrics::answered(std::string_view route, const adapters::HttpAnswer& answer,
                            std::chrono::duration<double> after) {
  std::vector<std::string> reasons;
  const auto note = [&reasons](const nlohmann::json& told) {
    if (told.is_object() && told.contains("title")) reasons.push_back(told.value("title", ""));
  };
  if (answer.status >= first_problem) note(parsed_json(answer.body));
  if (answer.status == multi_status) {
    const auto told = parsed_json(answer.body);
    if (told.is_object() && told.contains("results")) {
      for (const auto& result : told["results"]) note(result);
    }
  }
  const auto bucket = std::lower_bound(bounds_s.begin(), bounds_s.end(), after.count()) - bounds_s.begin();
  const std::scoped_lock lock(mutex_);
  auto found = routes_.find(route);
  if (found == routes_.end()) found = routes_.emplace(route, Route{}).first;
  ++found->second.by_status[answer.status];
  ++found->second.by_duration[static_cast<std::size_t>(bucket)];
  found->second.sum_s += after.count();
  for (const auto& reason : reasons) ++refused_[reason];
}

std::string FrontMetrics::text(const FrontFigures& figures) const {
  PrometheusText text;
  const std::scoped_lock lock(mutex_);
  text.family("mayfly_front_requests_total", "counter", "Requests that were answered.");
  for (const auto& [route, of] : routes_) {
    for (const auto& [status, count] : of.by_status)
      text.sample("mayfly_front_requests_total", fmt::format("route=\"{}\",status=\"{}\"", route, status), count);
  }
  text.family("mayfly_front_request_seconds", "histogram",
              "From the last byte of a request to its answer, Prefer: wait included.");
  for (const auto& [route, of] : routes_) {
    std::int64_t below = 0;
    for (std::size_t i = 0; i < of.by_duration.size(); ++i) {
      below += of.by_duration[i];
      const auto bound = i == bounds_s.size() ? std::string("+Inf") : fmt::format("{}", bounds_s[i]);
      text.sample("mayfly_front_request_seconds_bucket", fmt::format("route=\"{}\",le=\"{}\"", route, bound), below);
    }
    const auto label = fmt::format("route=\"{}\"", route);
    text.sample("mayfly_front_request_seconds_sum", label, of.sum_s);
    text.sample("mayfly_front_request_seconds_count", label, below);
  }
  text.family("mayfly_front_refused_total", "counter", "Requests that were refused, by the title of the answer.");
  for (const auto& [reason, count] : refused_)
    text.sample("mayfly_front_refused_total", fmt::format("reason=\"{}\"", reason), count);
  text.one("mayfly_front_waiting_requests", "gauge", "Requests that have no answer yet.", waiting_.use_count() - 1);
  text.one("mayfly_front_streams_open", "gauge", "Streams of events.", figures.streams);
  text.one("mayfly_front_look_backs_total", "counter", "Searches of the log for what an earlier command came to.",
           figures.look_backs);
  text.one("mayfly_front_keys", "gauge", "Idempotency keys whose commands' places are kept.", figures.keys);
  text.process_start(figures.begun);
  return std::move(text.out);
}

}  // namespace mayfly::tools
