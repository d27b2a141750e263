// Asks HTTP servers, many at a time and without waiting for any of them. Every request is bounded in time and its
// answer in bytes. HTTP/1.1, one connection for each request; a redirection is an answer like any other. With TLS the
// server must show a certificate of its name that a trusted authority has signed.
#pragma once

#include "adapters/http/http.h"
#include "adapters/http/http_names.h"
#include "adapters/http/tls.h"
#include "events/log/types.h"

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace mayfly::adapters {

/// Of "https://HOST[:PORT][/PATH][?QUERY]", or "http://..." without TLS.
struct HttpUrl {
  bool tls = false;
  HttpPlace place;
  std::string target;  // path and query; begins with '/'
};
/// None, with `wrong` a sentence, where it is not such a one.
[[nodiscard]] std::optional<HttpUrl> http_url(std::string_view text, std::string& wrong);

struct HttpCall {
  HttpUrl to;
  HttpHeaders headers;  // beside Host, User-Agent, Content-Length and Connection
  std::string body;
  events::Millis timeout{10'000};  // from looking the host up to the last byte of the answer
  std::size_t answer_bytes = 0;    // most of the answer's body; a longer one is no answer
};

/// `wrong` is a sentence if there was no answer.
struct HttpCalled {
  int status = 0;
  HttpHeaders headers;  // names in lower case
  std::string body;
  std::string wrong;

  /// The value of the first header of that name, which is given in lower case; empty where there is none.
  [[nodiscard]] std::string_view header(std::string_view name) const;
};

class HttpCaller {
 public:
  /// `trust`: whom servers' certificates must come from; null: no https is called.
  explicit HttpCaller(TlsContext trust = nullptr);
  /// Gives up what is under way; the `done` of each is still called.
  ~HttpCaller();
  HttpCaller(const HttpCaller&) = delete;
  HttpCaller& operator=(const HttpCaller&) = delete;

  /// POST. Any thread; returns at once. `done` is called once, from a thread of this, and must not wait.
  void post(HttpCall, std::function<void(HttpCalled)> done);

 private:
  struct Calling;  // http_caller.cpp
  std::unique_ptr<Calling> calling_;
};

}  // namespace mayfly::adapters
