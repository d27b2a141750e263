#include "adapters/http/http.h"
#include "adapters/http/http_client.h"
#include "adapters/http/http_names.h"

#include <arpa/inet.h>
#include <doctest/doctest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <future>
#include <thread>

using namespace mayfly;
using adapters::HttpAnswer;
using adapters::HttpLimits;
using adapters::HttpRequest;
using adapters::HttpRoute;
using adapters::HttpServer;
using adapters::HttpStream;

namespace {

/// A server that gives every request at /stream a stream, which the test writes to.
struct Streaming {
  explicit Streaming(const HttpLimits& limits = {}) {
    adapters::HttpRoutes routes;
    routes.push_back(
        {"GET", "/stream", {}, HttpRoute::When::later, {}, [this](HttpRequest&&, const adapters::HttpReply& reply) {
           auto stream = std::make_shared<HttpStream>();
           HttpAnswer answer{200, "text/event-stream", {}};
           answer.stream = HttpStream::to_send(stream);
           reply(std::move(answer));
           begun.set_value(std::move(stream));
         }});
    std::string wrong;
    server = HttpServer::open("127.0.0.1:0", std::move(routes), limits, wrong);
    REQUIRE_MESSAGE(server, wrong);
  }
  std::shared_ptr<HttpStream> next() {
    auto stream = begun.get_future().get();
    begun = {};
    return stream;
  }
  std::promise<std::shared_ptr<HttpStream>> begun;
  std::unique_ptr<HttpServer> server;
};

/// A client that has asked for the stream.
struct Asking {
  explicit Asking(const std::string& address) {
    const auto place = adapters::http_place(address);
    sockaddr_in at{};
    at.sin_family = AF_INET;
    at.sin_port = htons(static_cast<std::uint16_t>(place->port));
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    REQUIRE(::connect(socket, reinterpret_cast<sockaddr*>(&at), sizeof at) == 0);
    const std::string request = "GET /stream HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n";
    REQUIRE(::send(socket, request.data(), request.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(request.size()));
  }
  ~Asking() { ::close(socket); }
  Asking(const Asking&) = delete;
  Asking& operator=(const Asking&) = delete;
  /// All that comes until it holds those words, or the other side ends.
  std::string read_until(const std::string& words) {
    std::array<char, 4096> some{};
    while (got.find(words) == std::string::npos) {
      const auto n = ::recv(socket, some.data(), some.size(), 0);
      if (n <= 0) break;
      got.append(some.data(), static_cast<std::size_t>(n));
    }
    return got;
  }
  int socket = ::socket(AF_INET, SOCK_STREAM, 0);
  std::string got;
};

}  // namespace

TEST_CASE("what is written to a stream is sent at once, in order, until it is finished") {
  Streaming at;
  Asking client(at.server->address());
  const auto stream = at.next();
  CHECK(stream->write("first\n"));
  const auto begin = client.read_until("first\n");
  CHECK(begin.find("HTTP/1.1 200") == 0);
  CHECK(begin.find("Content-Type: text/event-stream\r\n") != std::string::npos);
  CHECK(begin.find("Content-Length") == std::string::npos);
  CHECK(stream->write("second\n"));
  CHECK(client.read_until("second\n").ends_with("\r\n\r\nfirst\nsecond\n"));
  CHECK(stream->write("last\n"));
  stream->finish();
  CHECK(client.read_until("never").ends_with("second\nlast\n"));
  CHECK_FALSE(stream->write("more"));
}

TEST_CASE("a stream whose client is gone is closed, though nothing is written to it") {
  Streaming at;
  {
    const Asking client(at.server->address());
    CHECK(at.next()->open());
    at.begun = {};
  }
  Asking client(at.server->address());
  const auto stream = at.next();
  ::shutdown(client.socket, SHUT_RDWR);
  while (stream->open()) std::this_thread::yield();
  CHECK_FALSE(stream->write("nobody"));
}

TEST_CASE("a client that does not read its stream is cut, and what was not sent is freed") {
  HttpLimits limits;
  limits.stream_write_ms = 50;
  Streaming at(limits);
  const Asking client(at.server->address());
  const auto stream = at.next();
  const std::string much(65'536, 'x');
  while (stream->open()) {
    if (stream->unsent_bytes() < much.size()) stream->write(much);
    std::this_thread::yield();
  }
  CHECK(stream->unsent_bytes() == 0);
}

TEST_CASE("a stream whose client is gone before it begins is closed") {
  HttpLimits limits;
  limits.connections = 1;
  std::promise<adapters::HttpReply> asked;
  adapters::HttpRoutes routes;
  routes.push_back({"GET", "/stream", {}, HttpRoute::When::later, {}, [&](HttpRequest&&, const adapters::HttpReply& r) {
                      asked.set_value(r);
                    }});
  std::string wrong;
  const auto server = HttpServer::open("127.0.0.1:0", std::move(routes), limits, wrong);
  REQUIRE_MESSAGE(server, wrong);
  const Asking client(server->address());
  const auto reply = asked.get_future().get();
  CHECK(adapters::http_get(server->address(), "/else").status == 404);  // in the client's place
  const auto stream = std::make_shared<HttpStream>();
  HttpAnswer answer;
  answer.stream = HttpStream::to_send(stream);
  reply(std::move(answer));
  while (stream->open()) std::this_thread::yield();
  CHECK_FALSE(stream->write("nobody"));
}

TEST_CASE("a stream outlives its server, and then nothing is sent") {
  auto at = std::make_unique<Streaming>();
  const Asking client(at->server->address());
  const auto stream = at->next();
  at.reset();
  CHECK_FALSE(stream->write("nobody"));
}

TEST_CASE("streams that get something do not keep others from being answered, and end as the oldest that waits") {
  HttpLimits limits;
  limits.connections = 2;
  Streaming at(limits);
  Asking first(at.server->address());
  const auto one = at.next();
  Asking second(at.server->address());
  const auto two = at.next();
  second.read_until("\r\n\r\n");  // it waits since then
  CHECK(one->write("news\n"));
  CHECK(first.read_until("news\n").ends_with("news\n"));
  CHECK(adapters::http_get(at.server->address(), "/else").status == 404);  // in the place of the second
  while (two->open()) std::this_thread::yield();
  CHECK(one->open());
}
