#include "adapters/http.h"

#include <doctest/doctest.h>

using namespace mayfly;

TEST_CASE("a path is answered with its status and body, another with 404, and an address can be chosen freely") {
  std::string wrong;
  adapters::HttpPaths paths{{"/fine",
                             [] {
                               return adapters::HttpAnswer{200, "text/plain", "fine"};
                             }},
                            {"/not-yet", [] {
                               return adapters::HttpAnswer{503, "text/plain", "not yet"};
                             }}};
  const auto server = adapters::HttpServer::open("127.0.0.1:0", paths, {}, wrong);
  REQUIRE_MESSAGE(server, wrong);
  const auto fine = adapters::http_get(server->address(), "/fine");
  CHECK(fine.status == 200);
  CHECK(fine.body == "fine");
  CHECK(adapters::http_get(server->address(), "/not-yet").status == 503);
  CHECK(adapters::http_get(server->address(), "/else").status == 404);
}

TEST_CASE("a port that is taken, and words that are no address, are refused with a sentence") {
  std::string wrong;
  const auto first = adapters::HttpServer::open("127.0.0.1:0", {}, {}, wrong);
  REQUIRE(first);
  CHECK(!adapters::HttpServer::open(first->address(), {}, {}, wrong));
  CHECK(wrong.find("cannot be listened on") != std::string::npos);
  for (const auto* address : {"", "9290", ":9290", "127.0.0.1:", "127.0.0.1:99999", "127.0.0.1:92x"}) {
    wrong.clear();
    CHECK_MESSAGE(!adapters::HttpServer::open(address, {}, {}, wrong), address);
    CHECK(wrong.find("is no address") != std::string::npos);
    CHECK(adapters::http_get(address, "/").wrong.find("is no address") != std::string::npos);
  }
}

TEST_CASE("asking where nobody listens gives a sentence, not a status") {
  std::string wrong;
  std::string address;
  {
    const auto server = adapters::HttpServer::open("127.0.0.1:0", {}, {}, wrong);
    address = server->address();
  }
  const auto got = adapters::http_get(address, "/livez");
  CHECK(got.status == 0);
  CHECK(got.wrong.find("no answer from http://127.0.0.1:") == 0);
}

TEST_CASE(
    "a POST acts with its member's value, but only where it is of type application/json and the path has an action") {
  std::string wrong;
  std::string seen = "nothing";
  const adapters::HttpActions actions{{"/do", {"which", [&seen](const std::string& value) {
                                                 seen = value;
                                                 return adapters::HttpAnswer{202, "text/plain", "done"};
                                               }}}};
  const auto server = adapters::HttpServer::open("127.0.0.1:0", {}, actions, wrong);
  REQUIRE_MESSAGE(server, wrong);
  CHECK(adapters::http_get(server->address(), "/do").status == 404);
  CHECK(adapters::http_post(server->address(), "/else").status == 404);
  CHECK(seen == "nothing");
  CHECK(adapters::http_post(server->address(), "/do?which=3").status == 202);
  CHECK(seen == "3");
  CHECK(adapters::http_post(server->address(), "/do").status == 202);
  CHECK(seen.empty());
}
