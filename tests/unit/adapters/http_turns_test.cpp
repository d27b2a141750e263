// Whose turn is next, and who is refused when too many wait. A request is named by its client, a letter, and a number;
// the very first is being answered while the others come.
#include "adapters/http/http_turns.h"
#include "adapters/http/client_address.h"

#include <doctest/doctest.h>

#include <chrono>
#include <condition_variable>
#include <map>
#include <mutex>
#include <string>
#include <vector>

using namespace mayfly;
using adapters::HttpAnswer;
using adapters::HttpLimits;
using adapters::HttpRequest;
using adapters::HttpRoute;
using adapters::HttpTurns;

namespace {

class Turns {
 public:
  explicit Turns(int most_waiting) {
    HttpLimits limits;
    limits.waiting_requests = most_waiting;
    limits.answer_cpu_percent = 100;
    route_.answer = [this](const HttpRequest& request) {
      std::unique_lock lock(mutex_);
      made_.push_back(request.path);
      changed_.notify_all();
      changed_.wait(lock, [this] { return released_; });
      return HttpAnswer{};
    };
    turns_.emplace(limits, [this] { static_cast<void>(turns_->take()); });
  }
  ~Turns() { release(); }  // also where a check failed while one is being answered
  Turns(const Turns&) = delete;
  Turns& operator=(const Turns&) = delete;
  /// The path of the request that is refused for it; empty: none.
  std::string add(const std::string& path) {
    const auto id = ++ids_;
    paths_[id] = path;
    HttpRequest request;
    request.path = path;
    const auto refused = turns_->add(id, static_cast<std::uint64_t>(path[0]), route_, std::move(request),
                                     std::chrono::steady_clock::now() + std::chrono::hours(1));
    if (id == 1) wait_for(1);  // it is being answered, and waits no more
    return refused == 0 ? "" : paths_[refused];
  }
  std::vector<std::string> order(std::size_t count) {
    release();
    wait_for(count);
    return made_;
  }

 private:
  void release() {
    const std::scoped_lock lock(mutex_);
    released_ = true;
    changed_.notify_all();
  }
  void wait_for(std::size_t count) {
    std::unique_lock lock(mutex_);
    REQUIRE(changed_.wait_for(lock, std::chrono::minutes(5), [&] { return made_.size() >= count; }));
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::string> made_;
  bool released_ = false;
  HttpRoute route_;
  std::map<HttpTurns::Id, std::string> paths_;
  HttpTurns::Id ids_ = 0;
  std::optional<HttpTurns> turns_;
};

using Paths = std::vector<std::string>;

}  // namespace

TEST_CASE("clients take turns, each its own requests in the order in which they came") {
  const struct {
    Paths come, order;
  } rows[] = {
      {{"a1", "a2", "a3", "a4", "b1", "b2"}, {"a1", "a2", "b1", "a3", "b2", "a4"}},
      {{"a1", "a2", "a3", "b1", "b2", "c1"}, {"a1", "a2", "b1", "c1", "a3", "b2"}},
      {{"a1", "b1", "b2", "b3", "a2", "a3"}, {"a1", "b1", "a2", "b2", "a3", "b3"}},
      {{"a1", "a2", "a3"}, {"a1", "a2", "a3"}},
  };
  for (const auto& row : rows) {
    Turns turns(16);
    for (const auto& path : row.come) CHECK(turns.add(path) == "");
    CHECK(turns.order(row.come.size()) == row.order);
  }
}

TEST_CASE("when too many wait, the client with the most gives way, or the one that asks is refused") {
  Turns turns(3);
  const struct {
    const char* comes;
    const char* refused;
  } rows[] = {
      {"a1", ""},                                              // is being answered
      {"a2", ""},   {"a3", ""},   {"a4", ""},   {"a5", "a5"},  // all are its own
      {"b1", "a4"},                                            // the last of the client that has most
      {"b2", "b2"},                                            // a has no more than b would have
      {"c1", "a3"}, {"a6", "a6"}, {"d1", "d1"},                // each has one
  };
  for (const auto& row : rows) CHECK_MESSAGE(turns.add(row.comes) == std::string(row.refused), std::string(row.comes));
  CHECK(turns.order(4) == Paths{"a1", "a2", "b1", "c1"});
}

TEST_CASE("a client is an address of IPv4, however it is seen, or a network of IPv6") {
  const struct {
    const char* one;
    const char* other;
    bool same;
  } rows[] = {
      {"192.0.2.1", "192.0.2.1", true},        {"192.0.2.1", "192.0.2.2", false},
      {"::ffff:192.0.2.1", "192.0.2.1", true}, {"::ffff:192.0.2.1", "::ffff:192.0.2.2", false},
      {"2001:db8::1", "2001:db8::2", true},    {"2001:db8:0:1::1", "2001:db8:0:2::1", false},
  };
  const auto client_of = [](const char* address) {
    return adapters::client_of(boost::asio::ip::make_address(address));
  };
  for (const auto& row : rows) {
    CHECK_MESSAGE((client_of(row.one) == client_of(row.other)) == row.same, (std::string(row.one) + " " + row.other));
  }
}
