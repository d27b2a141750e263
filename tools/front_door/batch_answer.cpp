#include "tools/front_door/batch_answer.h"

#include "tools/console/numbers.h"
#include "tools/console/parsed_json.h"
#include "tools/front_door/http_words.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>

namespace mayfly::tools {

namespace {

using adapters::HttpAnswer;
using Json = nlohmann::json;

constexpr int accepted = 202;
constexpr int refused_from = 400;

/// In seconds; none: there is no use in sending that command again.
std::optional<std::int64_t> retry_after(const HttpAnswer& answer) {
  for (const auto& [name, value] : answer.headers) {
    if (name == "Retry-After") return number_from_text(value);
  }
  return std::nullopt;
}

std::string batch_text(const Json& json) { return json.dump(-1, ' ', false, Json::error_handler_t::replace); }

}  // namespace

HttpAnswer batch_answer(const std::vector<HttpAnswer>& each) {
  auto results = Json::array();
  int status = 200;
  std::optional<std::size_t> again;  // the first that has to be sent again
  std::int64_t wait_s = 0;
  for (const auto& answer : each) {
    auto result = parsed_json(answer.body);
    if (!result.is_object()) result = Json::object();
    result["status"] = answer.status;
    if (const auto s = retry_after(answer)) {
      if (!again) again = results.size();
      wait_s = std::max(wait_s, *s);
    }
    if (answer.status >= refused_from) status = multi_status;
    if (answer.status == accepted && status != multi_status) status = accepted;
    results.push_back(std::move(result));
  }
  if (!again) return {status, "application/json", batch_text({{"results", std::move(results)}})};
  const auto title = results[*again].value("title", "");
  auto answer = problem(503, title, "Send the same batch again: what was taken is not taken twice.");
  auto told = Json::parse(answer.body);
  told["index"] = *again;
  told["results"] = std::move(results);
  answer.body = batch_text(told);
  answer.headers.emplace_back("Retry-After", std::to_string(wait_s));
  return answer;
}

HttpAnswer of_event(std::size_t index, HttpAnswer problem) {
  auto told = parsed_json(problem.body);
  told["index"] = index;
  told["detail"] = "event " + std::to_string(index) +
                   " of the batch, counted from 0, of which none was taken: " + told.value("detail", "");
  problem.body = batch_text(told);
  return problem;
}

BatchAnswers::BatchAnswers(std::size_t events, adapters::HttpReply reply)
    : each_(events), missing_(events), reply_(std::move(reply)) {}

void BatchAnswers::give(std::size_t index, HttpAnswer answer) {
  {
    const std::scoped_lock lock(mutex_);
    each_[index] = std::move(answer);
    if (--missing_ > 0) return;
  }
  reply_(batch_answer(each_));
}

}  // namespace mayfly::tools
