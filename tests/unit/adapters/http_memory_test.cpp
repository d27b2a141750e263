// Want of memory at each place where the server's threads take some: this program's own operator new fails where it is
// told to.
#include "adapters/http/http.h"
#include "adapters/http/http_client.h"

#include <doctest/doctest.h>

#include <cstdlib>
#include <new>
#include <string>

using namespace mayfly;
using adapters::HttpAnswer;
using adapters::HttpRequest;
using adapters::HttpRoute;

namespace {

constexpr int never = -1;
// Of this thread: so many more succeed, the next one fails, those behind it succeed again.
thread_local int allocations_left = never;
thread_local int failures = 0;

}  // namespace

// NOLINTBEGIN(cppcoreguidelines-no-malloc)
void* operator new(std::size_t size) {
  if (allocations_left != never && allocations_left-- == 0) {
    ++failures;
    throw std::bad_alloc();
  }
  if (void* memory = std::malloc(size == 0 ? 1 : size)) return memory;
  throw std::bad_alloc();
}
// std::stable_sort's; without it a sanitizer's own goes with our delete.
void* operator new(std::size_t size, const std::nothrow_t&) noexcept { return std::malloc(size == 0 ? 1 : size); }
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }
// NOLINTEND(cppcoreguidelines-no-malloc)

TEST_CASE(
    "whichever allocation of the server's threads fails, it costs a connection at most and the next are answered") {
  for (const auto when : {HttpRoute::When::at_once, HttpRoute::When::in_turn}) {
    const auto arm = [](const HttpRequest& request) {
      allocations_left = std::stoi(request.member("after"));
      return HttpAnswer{};
    };
    const auto disarm = [](const HttpRequest&) {
      const int was = failures;
      allocations_left = never;
      return HttpAnswer{200, "text/plain", std::to_string(was)};
    };
    const auto fine = [](const HttpRequest&) { return HttpAnswer{200, "text/plain", std::string(1000, 'a')}; };
    std::string wrong;
    const auto server = adapters::HttpServer::open("127.0.0.1:0",
                                                   {{"GET", "/arm", arm, when, {}},
                                                    {"GET", "/disarm", disarm, when, {}},
                                                    {"POST", "/at-once", fine, HttpRoute::When::at_once, {}},
                                                    {"POST", "/in-turn", fine, HttpRoute::When::in_turn, {}}},
                                                   {}, wrong);
    REQUIRE_MESSAGE(server, wrong);
    int failed = 0;
    int costly = 0;
    constexpr int places = 150;  // more than three requests take
    for (int after = 0; after < places; ++after) {
      const int begun = failed;
      (void)adapters::http_get(server->address(), "/arm?after=" + std::to_string(after));
      for (const auto* path : {"/at-once", "/in-turn"}) {
        const auto got = adapters::http_post(server->address(), path);
        if (got.status != 200) ++costly;
        CHECK((got.status == 200 || got.status == 0 || got.status == 500));
      }
      for (int tries = 0; failed == begun && tries < 2; ++tries) {  // one of them may be the connection it costs
        const auto got = adapters::http_get(server->address(), "/disarm");
        if (got.status == 200) failed = std::stoi(got.body);
        if (got.status == 200) break;
        CHECK(tries == 0);
      }
    }
    CHECK(failed > 0);
    CHECK(costly <= failed);
    MESSAGE(failed << " allocations failed, " << costly << " connections were the price");
  }
}
