#include "adapters/http/http.h"

#include "adapters/http/http_client.h"
#include "adapters/http/http_names.h"

#include <doctest/doctest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <future>
#include <new>
#include <stdexcept>
#include <utility>
#include <vector>

using namespace mayfly;
using adapters::HttpAnswer;
using adapters::HttpLimits;
using adapters::HttpRequest;
using adapters::HttpRoute;
using adapters::HttpRoutes;
using adapters::HttpServer;

namespace {

HttpRoute route(std::string path, std::function<HttpAnswer(const HttpRequest&)> answer,
                HttpRoute::When when = HttpRoute::When::in_turn) {
  return {"GET", std::move(path), std::move(answer), when, {}};
}

HttpRoute says(std::string path, int status, std::string body, HttpRoute::When when = HttpRoute::When::in_turn) {
  return route(
      std::move(path),
      [=](const HttpRequest&) {
        return HttpAnswer{status, "text/plain", body};
      },
      when);
}

/// Answers one connection with these bytes, sent at once, and closes it.
class RawServer {
 public:
  explicit RawServer(std::string answer) : socket_(::socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in at{};
    at.sin_family = AF_INET;
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof at;
    REQUIRE(::bind(socket_, reinterpret_cast<const sockaddr*>(&at), size) == 0);
    REQUIRE(::listen(socket_, 1) == 0);
    REQUIRE(::getsockname(socket_, reinterpret_cast<sockaddr*>(&at), &size) == 0);
    port_ = ntohs(at.sin_port);
    answering_ = std::async(std::launch::async, [this, answer = std::move(answer)] {
      const int client = ::accept(socket_, nullptr, nullptr);
      std::array<char, 4096> request{};
      if (::recv(client, request.data(), request.size(), 0) > 0) {
        (void)::send(client, answer.data(), answer.size(), MSG_NOSIGNAL);
      }
      ::close(client);
    });
  }
  ~RawServer() {
    answering_.wait();
    ::close(socket_);
  }
  RawServer(const RawServer&) = delete;
  RawServer& operator=(const RawServer&) = delete;
  [[nodiscard]] std::string address() const { return "127.0.0.1:" + std::to_string(port_); }

 private:
  int socket_;
  int port_ = 0;
  std::future<void> answering_;
};

/// A connection of the loopback address `from` that has not yet asked for anything.
class Client {
 public:
  Client(const std::string& address, std::uint32_t from) : socket_(::socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in at{};
    at.sin_family = AF_INET;
    at.sin_addr.s_addr = htonl(from);
    REQUIRE(::bind(socket_, reinterpret_cast<const sockaddr*>(&at), sizeof at) == 0);
    at.sin_port = htons(static_cast<std::uint16_t>(adapters::http_place(address)->port));
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    REQUIRE(::connect(socket_, reinterpret_cast<const sockaddr*>(&at), sizeof at) == 0);
  }
  ~Client() { ::close(socket_); }
  Client(Client&& other) noexcept : socket_(std::exchange(other.socket_, -1)) {}
  Client& operator=(Client&&) = delete;
  /// The beginning of the answer; empty where the connection was ended.
  [[nodiscard]] std::string ask(const std::string& path) const {
    const auto request = "GET " + path + " HTTP/1.1\r\nHost: localhost\r\n\r\n";
    (void)::send(socket_, request.data(), request.size(), MSG_NOSIGNAL);
    std::array<char, 100> answer{};
    const auto size = ::recv(socket_, answer.data(), answer.size(), 0);
    return size > 0 ? std::string(answer.data(), static_cast<std::size_t>(size)) : std::string();
  }

 private:
  int socket_;
};

std::unique_ptr<HttpServer> serve(HttpRoutes routes, const HttpLimits& limits = {}) {
  std::string wrong;
  auto server = HttpServer::open("127.0.0.1:0", std::move(routes), limits, wrong);
  REQUIRE_MESSAGE(server, wrong);
  return server;
}

}  // namespace

TEST_CASE("a path is answered with its status and body, another with 404, and an address can be chosen freely") {
  const auto server = serve({says("/fine", 200, "fine"), says("/not-yet", 503, "not yet")});
  const auto fine = adapters::http_get(server->address(), "/fine");
  CHECK(fine.status == 200);
  CHECK(fine.body == "fine");
  CHECK(adapters::http_get(server->address(), "/fine?with=a&query").status == 200);
  CHECK(adapters::http_get(server->address(), "/not-yet").status == 503);
  CHECK(adapters::http_get(server->address(), "/else").status == 404);
  CHECK(adapters::http_get(server->address(), "/fine/").status == 404);
}

TEST_CASE("an answer that is longer than the client takes is none, however it is sent") {
  const struct {
    const char* what;
    const char* answer;
    const char* wrong;  // empty: it is taken
  } rows[] = {
      {"as long as may be", "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n0123456789", ""},
      {"with its length", "HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\n0123456789a", "longer than 10 bytes"},
      {"a length that does not come", "HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n", "longer than 10 bytes"},
      {"in pieces", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n6\r\n012345\r\n5\r\n6789a\r\n0\r\n\r\n",
       "longer than 10 bytes"},
      {"in short pieces", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n6\r\n012345\r\n4\r\n6789\r\n0\r\n\r\n",
       ""},
      {"until it closes", "HTTP/1.1 200 OK\r\n\r\n0123456789a", "longer than 10 bytes"},
      {"until it closes, short", "HTTP/1.1 200 OK\r\n\r\n0123456789", ""},
  };
  for (const auto& row : rows) {
    CAPTURE(row.what);
    const RawServer server(row.answer);
    const auto got = adapters::http_get(server.address(), "/", 10);
    CHECK_MESSAGE((*row.wrong == '\0') == got.wrong.empty(), got.wrong);
    CHECK_MESSAGE(got.wrong.find(row.wrong) != std::string::npos, got.wrong);
    CHECK(got.body == (*row.wrong == '\0' ? "0123456789" : ""));
  }
}

TEST_CASE("a star in a route's path is any one segment, and what no route has is answered by the route of stars") {
  const auto server = serve({says("/a/*", 200, "one"), says("/a/*/b", 200, "one and b"), says("/a/very", 200, "very")});
  struct Row {
    const char* path;
    std::string body;  // empty: 404
  };
  for (const auto& row : {Row{"/a/x", "one"}, Row{"/a/x/b", "one and b"}, Row{"/a/very", "very"},
                          Row{"/a/very/b", "one and b"}, Row{"/a", ""}, Row{"/a/", ""}, Row{"/a//b", ""},
                          Row{"/a/x/c", ""}, Row{"/a/x/b/", ""}, Row{"/b/x", ""}, Row{"/a/x/b/c", ""}}) {
    const auto got = adapters::http_get(server->address(), row.path);
    CAPTURE(row.path);
    CHECK(got.status == (row.body.empty() ? 404 : 200));
    if (!row.body.empty()) CHECK(got.body == row.body);
  }
  auto other = says("*", 404, "not here");
  other.method = "*";
  const auto kind = serve({says("/fine", 200, "fine"), other});
  CHECK(adapters::http_get(kind->address(), "/fine").body == "fine");
  CHECK(adapters::http_get(kind->address(), "/else").body == "not here");
}

TEST_CASE("a port that is taken, and words that are no address, are refused with a sentence") {
  std::string wrong;
  const auto first = serve({});
  CHECK(!HttpServer::open(first->address(), {}, {}, wrong));
  CHECK(wrong.find("cannot be listened on") != std::string::npos);
  for (const auto* address :
       {"", "9290", ":9290", "127.0.0.1:", "127.0.0.1:99999", "127.0.0.1:92x", "[::1:9290", "[a]:1"}) {
    wrong.clear();
    CHECK_MESSAGE(!HttpServer::open(address, {}, {}, wrong), address);
    CHECK(wrong.find("is no address") != std::string::npos);
    CHECK(adapters::http_get(address, "/").wrong.find("is no address") != std::string::npos);
  }
}

TEST_CASE("asking where nobody listens gives a sentence, not a status") {
  const auto address = serve({})->address();
  const auto got = adapters::http_get(address, "/livez");
  CHECK(got.status == 0);
  CHECK(got.wrong.find("no answer from http://127.0.0.1:") == 0);
}

TEST_CASE("a POST acts with its member's value, but only where it is of the type that is taken and the path has it") {
  std::string seen = "nothing";
  const auto act = [&seen](const HttpRequest& request) {
    seen = request.member("which");
    return HttpAnswer{202, "text/plain", "done"};
  };
  const auto server = serve({{"POST", "/do", act, HttpRoute::When::in_turn, "application/json"},
                             {"POST", "/else", act, HttpRoute::When::in_turn, "text/plain"}});
  CHECK(adapters::http_get(server->address(), "/do").status == 405);
  CHECK(adapters::http_post(server->address(), "/nowhere").status == 404);
  CHECK(adapters::http_post(server->address(), "/else").status == 415);
  CHECK(seen == "nothing");
  CHECK(adapters::http_post(server->address(), "/do?which=3").status == 202);
  CHECK(seen == "3");
  CHECK(adapters::http_post(server->address(), "/do").status == 202);
  CHECK(seen.empty());
}

TEST_CASE("a member of a query is found whole, the first of its name") {
  const auto member = [](const char* query, const char* name) {
    return HttpRequest{{}, {}, query, {}, {}}.member(name);
  };
  CHECK(member("a=1&b=2", "a") == "1");
  CHECK(member("a=1&b=2", "b") == "2");
  CHECK(member("ab=1&b=2&b=3", "b") == "2");
  for (const auto* none : {"", "&", "b", "b=", "=b", "ab=1", "a=b=1", "&&&"})
    CHECK_MESSAGE(member(none, "b").empty(), none);
}

TEST_CASE("what an answer throws is a 500 and want of memory ends its connection; neither ends the server") {
  for (const auto when : {HttpRoute::When::at_once, HttpRoute::When::in_turn}) {
    const auto throws = [](const HttpRequest&) -> HttpAnswer { throw std::runtime_error("a bug's words"); };
    const auto exhausts = [](const HttpRequest&) -> HttpAnswer { throw std::bad_alloc(); };
    const auto server =
        serve({route("/throws", throws, when), route("/exhausts", exhausts, when), says("/fine", 200, "fine")});
    const auto thrown = adapters::http_get(server->address(), "/throws");
    CHECK(thrown.status == 500);
    CHECK(thrown.body.find("bug") == std::string::npos);
    CHECK(adapters::http_get(server->address(), "/exhausts").status == 0);
    CHECK(adapters::http_get(server->address(), "/fine").status == 200);
  }
}

TEST_CASE(
    "while an answer is being made and more wait than may, a probe answers and the next one is told to come back") {
  std::promise<void> begun;
  std::promise<void> go_on;
  HttpLimits limits;
  limits.waiting_requests = 1;
  const auto server = serve({route("/long",
                                   [&](const HttpRequest&) {
                                     begun.set_value();
                                     go_on.get_future().wait();
                                     return HttpAnswer{};
                                   }),
                             says("/short", 200, "short"), says("/probe", 200, "fine", HttpRoute::When::at_once)},
                            limits);
  const auto ask = [&](const char* path) {
    return std::async(std::launch::async, [&, path] { return adapters::http_get(server->address(), path).status; });
  };
  auto first = ask("/long");
  begun.get_future().wait();
  auto second = ask("/short");
  auto third = ask("/short");
  CHECK(adapters::http_get(server->address(), "/probe").status == 200);
  // One of the two waits, the other was refused; which one is chance.
  while (second.wait_for(std::chrono::milliseconds(1)) != std::future_status::ready &&
         third.wait_for(std::chrono::milliseconds(1)) != std::future_status::ready) {
  }
  CHECK(adapters::http_get(server->address(), "/probe").status == 200);
  go_on.set_value();
  CHECK(first.get() == 200);
  CHECK(second.get() + third.get() == 200 + 503);
}

TEST_CASE("whoever opens connections without end takes the place of its own, and a probe keeps its own") {
  HttpLimits limits;
  limits.connections = 8;
  const auto server = serve({says("/probe", 200, "fine", HttpRoute::When::at_once)}, limits);
  const auto flood = [&](std::vector<Client>& clients, std::uint32_t from, int count) {
    for (int i = 0; i < count; ++i) clients.emplace_back(server->address(), from);
  };
  std::vector<Client> others;
  flood(others, INADDR_LOOPBACK + 1, 6);
  Client probe(server->address(), INADDR_LOOPBACK);
  flood(others, INADDR_LOOPBACK + 1, 20);
  flood(others, INADDR_LOOPBACK + 2, 3);
  CHECK(others.back().ask("/probe").starts_with("HTTP/1.1 200"));  // so all before it have been taken in
  CHECK(probe.ask("/probe").starts_with("HTTP/1.1 200"));
  CHECK(others.front().ask("/probe") == "");
}

TEST_CASE("a server ends at once while a client is silent and another does not read its answer") {
  auto server = serve({says("/large", 200, std::string(4'000'000, 'a')), says("/fine", 200, "fine")});
  const auto place = adapters::http_place(server->address());
  REQUIRE(place);
  std::array<int, 2> clients{};
  for (auto& client : clients) {
    client = ::socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(static_cast<std::uint16_t>(place->port));
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    REQUIRE(::connect(client, reinterpret_cast<const sockaddr*>(&to), sizeof to) == 0);
  }
  const std::string_view request = "GET /large HTTP/1.1\r\nHost: localhost\r\n\r\n";
  REQUIRE(::send(clients[0], request.data(), request.size(), 0) == static_cast<ssize_t>(request.size()));
  CHECK(adapters::http_get(server->address(), "/fine").status == 200);
  server.reset();
  for (const auto client : clients) ::close(client);
}

TEST_CASE("a Host is ours if it is an address, localhost, or a name that is given") {
  const std::vector<std::string> names{"shop.example.com", "*.pods.example.com", "Box"};
  for (const auto* ours :
       {"127.0.0.1", "10.0.0.7:9290", "[::1]", "[fd00::7]:9290", "localhost", "LOCALHOST:1", "localhost.",
        "a.localhost", "shop.example.com", "Shop.Example.COM:80", "a.pods.example.com", "box:9290", "box:"})
    CHECK_MESSAGE(adapters::is_host_of(ours, names), ours);
  for (const auto* other : {"",
                            ":",
                            ":80",
                            ".",
                            "example.com",
                            "localhost.example.com",
                            "alocalhost",
                            "pods.example.com",
                            ".pods.example.com",
                            "xpods.example.com",
                            "a.shop.example.com",
                            "boxes",
                            "1.2.3",
                            "1.2.3.4.5",
                            "256.1.1.1",
                            "0x7f.0.0.1",
                            "2130706433",
                            "::1",
                            "[::1",
                            "[::1]x",
                            "[::1]:x",
                            "[127.0.0.1]",
                            "[]",
                            "127.0.0.1:999999",
                            "127.0.0.1:8:8",
                            "a@127.0.0.1",
                            "127.0.0.1 ",
                            "127.0.0.1/",
                            "*.pods.example.com.evil.example"})
    CHECK_MESSAGE(!adapters::is_host_of(other, names), other);
}

TEST_CASE("names of hosts are read from a text, and what is none is said") {
  std::vector<std::string> names{"before"};
  CHECK(adapters::read_host_names(" A.example,*.B-c.example  box,", names).empty());
  CHECK(names == std::vector<std::string>{"a.example", "*.b-c.example", "box"});
  for (const auto* wrong : {"a:80", "http://a", "*", "*.", "a.*", "a/b", ".a", "a.", "ä"}) {
    CHECK_MESSAGE(adapters::read_host_names(wrong, names).find("is no host's name") != std::string::npos, wrong);
    CHECK(names.size() == 3);
  }
  CHECK(adapters::read_host_names("", names).empty());
  CHECK(names.empty());
}
