#include "tools/front_door/batch_answer.h"

#include "tools/front_door/cloudevent_request.h"
#include "tools/front_door/http_words.h"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

using namespace mayfly;
using adapters::HttpAnswer;
using Json = nlohmann::json;
using tools::CloudEventMode;

namespace {

HttpAnswer with_status(int status) { return {status, "application/json", R"({"cart":"c1"})"}; }

HttpAnswer again_after(int status, const char* title, const char* seconds) {
  auto answer = tools::problem(status, title, "later");
  answer.headers.emplace_back("Retry-After", seconds);
  return answer;
}

}  // namespace

TEST_CASE("a batch's status says whether all were accepted, some are undecided, or some were refused") {
  struct Row {
    std::vector<int> each;
    int status;
  };
  for (const auto& row : {Row{{}, 200}, Row{{200, 200}, 200}, Row{{200, 202, 200}, 202}, Row{{404}, 207},
                          Row{{200, 409, 200}, 207}, Row{{422, 202}, 207}, Row{{202, 422}, 207}}) {
    std::vector<HttpAnswer> each;
    for (const int status : row.each) each.push_back(with_status(status));
    const auto answer = tools::batch_answer(each);
    const auto told = Json::parse(answer.body);
    CAPTURE(answer.body);
    CHECK(answer.status == row.status);
    CHECK(answer.type == "application/json");
    REQUIRE(told["results"].size() == row.each.size());
    for (std::size_t i = 0; i < row.each.size(); ++i) CHECK(told["results"][i]["status"] == row.each[i]);
  }
}

TEST_CASE("a batch of which something has to be sent again says so, and after how long, whatever else came of it") {
  for (const auto& late : {again_after(503, "log_unavailable", "1"), again_after(409, "request_in_flight", "1")}) {
    const auto answer =
        tools::batch_answer({with_status(200), with_status(409), late, again_after(503, "try_later", "30")});
    const auto told = Json::parse(answer.body);
    CAPTURE(answer.body);
    CHECK(answer.status == 503);
    CHECK(answer.type == "application/problem+json");
    CHECK(answer.headers == adapters::HttpHeaders{{"Retry-After", "30"}});
    CHECK(told["title"] == Json::parse(late.body)["title"]);
    CHECK(told["index"] == 2);
    CHECK(told["results"].size() == 4);
  }
}

TEST_CASE("a problem of one event names it") {
  const auto told = Json::parse(tools::of_event(3, tools::problem(400, "not_cloudevent", "id is missing")).body);
  CHECK(told["index"] == 3);
  CHECK(told["title"] == "not_cloudevent");
  CHECK(told["detail"].get<std::string>().starts_with("event 3 of the batch"));
  CHECK(told["detail"].get<std::string>().ends_with("id is missing"));
}

TEST_CASE("a batch is answered once, by the last of its answers, in whichever order they come") {
  int count = 0;
  std::string body;
  tools::BatchAnswers answers(3, [&](const HttpAnswer& answer) {
    ++count;
    body = answer.body;
  });
  answers.give(2, with_status(202));
  answers.give(0, with_status(200));
  CHECK(count == 0);
  answers.give(1, with_status(404));
  CHECK(count == 1);
  CHECK(Json::parse(body)["results"][1]["status"] == 404);
  CHECK(Json::parse(body)["results"][2]["status"] == 202);
}

TEST_CASE("a content type says how a request has its CloudEvent") {
  struct Row {
    const char* type;
    CloudEventMode mode;
  };
  for (const auto& row : {Row{"", CloudEventMode::binary}, Row{"application/json", CloudEventMode::binary},
                          Row{"application/cloudevents+json", CloudEventMode::structured},
                          Row{"application/cloudevents+json; charset=UTF-8", CloudEventMode::structured},
                          Row{"Application/CloudEvents+JSON", CloudEventMode::structured},
                          Row{"application/cloudevents", CloudEventMode::structured},
                          Row{"application/cloudevents-batch+json;charset=utf-8", CloudEventMode::batched},
                          Row{"application/cloudevents-batch", CloudEventMode::batched},
                          Row{"application/cloudevents+xml", CloudEventMode::unknown},
                          Row{"application/cloudevents-batch+protobuf", CloudEventMode::unknown},
                          Row{"application/cloudevents-batches+json", CloudEventMode::unknown}}) {
    CAPTURE(row.type);
    CHECK(tools::cloudevent_mode(row.type) == row.mode);
  }
}
