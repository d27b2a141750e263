#include "adapters/http/http_caller.h"

#include <doctest/doctest.h>

#include <atomic>
#include <future>
#include <mutex>
#include <string>
#include <vector>

using namespace mayfly;
using adapters::HttpAnswer;
using adapters::HttpCall;
using adapters::HttpCalled;
using adapters::HttpCaller;
using adapters::HttpReply;
using adapters::HttpRequest;
using adapters::HttpRoute;
using adapters::HttpServer;

namespace {

using Begin = std::function<void(HttpRequest&&, HttpReply)>;

std::unique_ptr<HttpServer> serve(Begin begin) {
  std::string wrong;
  auto server =
      HttpServer::open("127.0.0.1:0", {{"POST", "/at", {}, HttpRoute::When::later, {}, std::move(begin)}}, {}, wrong);
  REQUIRE_MESSAGE(server, wrong);
  return server;
}

HttpCall call_to(const std::string& address, events::Millis timeout = {60'000}) {
  std::string wrong;
  const auto url = adapters::http_url("http://" + address + "/at?a=b", wrong);
  REQUIRE_MESSAGE(url, wrong);
  return {*url, {{"x-name", "value"}, {"Content-Type", "application/json"}}, "the body", timeout, 10};
}

HttpCalled called(HttpCaller& caller, HttpCall call) {
  std::promise<HttpCalled> promise;
  caller.post(std::move(call), [&](HttpCalled got) { promise.set_value(std::move(got)); });
  return promise.get_future().get();
}

}  // namespace

TEST_CASE("a request is sent with its headers and body, and the answer comes with its own") {
  HttpRequest seen;
  const auto server = serve([&](HttpRequest&& request, const HttpReply& reply) {
    seen = std::move(request);
    reply({503, "text/plain", "later", {{"Retry-After", "7"}}});
  });
  HttpCaller caller;
  const auto got = called(caller, call_to(server->address()));
  CHECK(got.wrong == "");
  CHECK(got.status == 503);
  CHECK(got.body == "later");
  CHECK(got.header("retry-after") == "7");
  CHECK(seen.query == "a=b");
  CHECK(seen.body == "the body");
  CHECK(seen.header("x-name") == "value");
  CHECK(seen.header("content-type") == "application/json");
  CHECK(seen.header("host") == server->address());
}

TEST_CASE("a redirection is an answer like any other") {
  std::atomic<int> requests{0};
  const auto server = serve([&](HttpRequest&&, const HttpReply& reply) {
    ++requests;
    reply({307, "text/plain", "", {{"Location", "/at"}}});
  });
  HttpCaller caller;
  CHECK(called(caller, call_to(server->address())).status == 307);
  CHECK(requests == 1);
}

TEST_CASE("an answer that is too long, never comes, or has nobody to give it is none") {
  const auto longer = serve([](HttpRequest&&, const HttpReply& reply) { reply({200, "text/plain", "eleven long"}); });
  std::vector<HttpReply> unanswered;
  const auto silent = serve([&](HttpRequest&&, HttpReply reply) { unanswered.push_back(std::move(reply)); });
  const auto gone = serve([](auto&&...) {})->address();
  HttpCaller caller;
  CHECK(called(caller, call_to(longer->address())).wrong == "its answer is longer than 10 bytes");
  CHECK(called(caller, call_to(silent->address(), {50})).wrong == "no answer within 50 ms");
  CHECK(called(caller, call_to(gone)).wrong.find("no connection: ") == 0);
}

TEST_CASE("many requests are under way at once, and those that are when the caller ends are told so") {
  std::mutex mutex;
  std::vector<HttpReply> held;
  std::promise<void> all_came;
  constexpr std::size_t count = 20;
  const auto server = serve([&](HttpRequest&&, HttpReply reply) {
    const std::scoped_lock lock(mutex);
    held.push_back(std::move(reply));
    if (held.size() == count) all_came.set_value();
  });
  std::vector<std::string> faults;
  {
    HttpCaller caller;
    for (std::size_t i = 0; i < count; ++i)
      caller.post(call_to(server->address()), [&](const HttpCalled& got) { faults.push_back(got.wrong); });
    all_came.get_future().wait();
  }
  CHECK(faults == std::vector<std::string>(count, "the request was given up"));
}

TEST_CASE("without authorities to trust no https is called") {
  HttpCaller caller;
  std::string wrong;
  const auto got = called(caller, {*adapters::http_url("https://127.0.0.1:1/", wrong), {}, {}, {60'000}, 10});
  CHECK(got.wrong == "no authority is trusted");
}

TEST_CASE("an address in a URL is read, or refused by a sentence") {
  const struct {
    const char* text;
    const char* host;
    int port;
    const char* target;
    bool tls = false;
  } rows[] = {
      {"https://a", "a", 443, "/", true},  {"https://a:81/b", "a", 81, "/b", true},   {"http://a", "a", 80, "/"},
      {"http://a:81", "a", 81, "/"},       {"http://a/b/c?d=e", "a", 80, "/b/c?d=e"}, {"http://a?d", "a", 80, "/?d"},
      {"http://[::1]/b", "::1", 80, "/b"}, {"http://[::1]:5/", "::1", 5, "/"},
  };
  for (const auto& row : rows) {
    CAPTURE(row.text);
    std::string wrong;
    const auto url = adapters::http_url(row.text, wrong);
    REQUIRE(url);
    CHECK(url->place.host == row.host);
    CHECK(url->place.port == row.port);
    CHECK(url->target == row.target);
    CHECK(url->tls == row.tls);
  }
  for (const char* text : {"", "a", "http://", "http:///b", "http://u@a/", "http://a:0/", "http://a:x/", "http://a/ b",
                           "http://a/#b", "https:///", "http://a\r\nX: y/", "http://a/\xc3\xa9"}) {
    CAPTURE(text);
    std::string wrong;
    CHECK_FALSE(adapters::http_url(text, wrong));
    CHECK_FALSE(wrong.empty());
  }
}
