// A small HTTP/1.1 server, for those who may also be hostile: every connection is bounded in bytes and in time, all of
// them in number, and probes are answered ahead of everything else. No login. Knows nothing of what it serves.
#pragma once

#include "adapters/http/http_stream.h"
#include "adapters/http/tls.h"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace mayfly::adapters {

using HttpHeaders = std::vector<std::pair<std::string, std::string>>;

struct HttpRequest {
  std::string method;  // a HEAD is answered as a GET whose body is left out
  std::string path;    // begins with '/'; without the query
  std::string query;   // what follows '?', as it was sent
  std::string body;
  HttpHeaders headers;  // names in lower case

  /// The value of the first header of that name, which is given in lower case; null where there is none.
  [[nodiscard]] const std::string* find(std::string_view name) const;
  /// The same; empty where there is none.
  [[nodiscard]] std::string_view header(std::string_view name) const;
  /// The value of a member of the query, as it was sent; empty where it is not given.
  [[nodiscard]] std::string member(std::string_view name) const;
};

struct HttpAnswer {
  int status = 200;
  std::string type = "text/plain; charset=utf-8";
  std::string body;
  HttpHeaders headers{};                 // further ones
  std::shared_ptr<HttpStream> stream{};  // HttpStream::to_send; `later` only: in place of the body, ends its connection
};

/// Gives a request its answer: once, from any thread. Nothing happens where its connection has ended meanwhile.
using HttpReply = std::function<void(HttpAnswer)>;

/// What is answered at a path. What `answer` throws is a 500, want of memory ends the connection. A path that has
/// routes for other methods only is answered with 405; one that has none by the route whose method and path are "*",
/// else 404.
struct HttpRoute {
  /// `at_once`: by the thread that reads, before all else, whatever Host the request names: a probe, which never waits.
  /// `in_turn`: by a second thread, one at a time. `later`: `begin` is called by the thread that reads and must not
  /// wait; whoever has the reply then answers within `HttpLimits::later_ms`.
  enum class When { at_once, in_turn, later };

  std::string method;
  std::string path;  // a segment "*": any that is not empty; a route with the very path goes before
  std::function<HttpAnswer(const HttpRequest&)> answer;
  When when = When::in_turn;
  std::string takes{};  // the Content-Type that a request must have, else 415; empty: any
  std::function<void(HttpRequest&&, HttpReply)> begin{};  // `later`
};
using HttpRoutes = std::vector<HttpRoute>;

/// What clients may take, together and each (docs/configuration.md, [http]).
struct HttpLimits {
  std::int32_t connections = 64;           // open at a time; one more ends the one that has waited longest
  std::int64_t connection_ms = 60'000;     // of a connection, whatever it does
  std::int32_t connection_requests = 100;  // on one connection, which ends after them
  std::int64_t request_ms = 5'000;         // from waiting for a request to the last byte of its answer
  std::int64_t later_ms = 65'000;          // until a request that is answered later has its answer, else 503
  std::int64_t stream_write_ms = 30'000;   // until what was written to a stream is taken, else its connection ends
  std::int32_t request_header_bytes = 8192;
  std::int32_t request_body_bytes = 1024;
  std::int32_t waiting_requests = 16;          // whose turn has not come; one more is answered with 503
  std::int64_t answer_bytes = 16'777'216;      // of all answers not sent yet; beyond it the oldest connection ends
  std::int32_t answer_cpu_percent = 25;        // of one processor, for answers made in turn
  std::int32_t socket_receive_bytes = 16'384;  // that the system keeps of one connection before it is read
  std::int32_t socket_send_bytes = 131'072;    // that the system keeps of one connection's answers
  /// Names beside addresses, localhost and this machine's own that a request may have as its Host: "shop.example.com",
  /// or "*.example.com" for all below it. Another name is answered with 421, so that no page of another
  /// site, whose name was pointed here, can read or act (DNS rebinding).
  std::vector<std::string> hosts;
  /// For a server whose every request proves who sent it, which no page of another site can: any name will do.
  bool any_host = false;
};

class HttpServer {
 public:
  /// Listens on "HOST:PORT" (port 0: any free one) and answers from two threads of its own: HTTPS with a certificate,
  /// which was read before, else HTTP. Null with `wrong` set, a sentence, if it cannot.
  static std::unique_ptr<HttpServer> open(const std::string& address, HttpRoutes, const HttpLimits&, std::string& wrong,
                                          std::shared_ptr<const TlsCertificate> = nullptr);
  /// Waits for an answer that is being made; connections end as they are.
  ~HttpServer();
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  /// "HOST:PORT" as bound.
  [[nodiscard]] const std::string& address() const;

  struct Listening;  // http_server.cpp

 private:
  explicit HttpServer(std::unique_ptr<Listening>);
  std::unique_ptr<Listening> listening_;
};

}  // namespace mayfly::adapters
