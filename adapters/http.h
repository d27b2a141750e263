// A small HTTP/1.1 server for probes, metrics and one page, and a client to ask it. Answers GET, and POST where it is
// told to; no TLS, no secrets: bind it to loopback or to a network that may see it. Knows nothing of what it serves.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>

namespace mayfly::adapters {

struct HttpAnswer {
  int status = 200;
  std::string type = "text/plain; charset=utf-8";
  std::string body;
};

/// What is at each path. Called from the server's threads, several at a time; outlives the server's life.
using HttpPaths = std::map<std::string, std::function<HttpAnswer()>>;
/// What to do at each path when it is POSTed to, with the value of a query's member, empty where it is not given. Only
/// requests of type application/json are heeded: a page of another site cannot send them.
struct HttpAction {
  std::string member;
  std::function<HttpAnswer(const std::string& value)> act;
};
using HttpActions = std::map<std::string, HttpAction>;

class HttpServer {
 public:
  /// Listens on "HOST:PORT" (port 0: any free one) and answers from threads of its own. Null with `wrong` set, a
  /// sentence, if it cannot.
  static std::unique_ptr<HttpServer> open(const std::string& address, HttpPaths, HttpActions, std::string& wrong);
  ~HttpServer();
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  /// "HOST:PORT" as bound.
  [[nodiscard]] const std::string& address() const;

 private:
  struct Listening;
  explicit HttpServer(std::unique_ptr<Listening>);
  std::unique_ptr<Listening> listening_;
};

/// GET http://`address``path`. `wrong` is a sentence if there was no answer.
struct HttpGot {
  int status = 0;
  std::string body;
  std::string wrong;
};
[[nodiscard]] HttpGot http_get(const std::string& address, const std::string& path);
/// POST without a body, of type application/json.
[[nodiscard]] HttpGot http_post(const std::string& address, const std::string& path);

}  // namespace mayfly::adapters
