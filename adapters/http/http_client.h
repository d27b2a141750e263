// Asks an HTTP server one thing and waits for the answer, for a bounded time.
#pragma once

#include <string>

namespace mayfly::adapters {

/// `wrong` is a sentence if there was no answer.
struct HttpGot {
  int status = 0;
  std::string body;
  std::string wrong;
};
/// GET http://`address``path`, the address as HOST:PORT.
[[nodiscard]] HttpGot http_get(const std::string& address, const std::string& path);
/// POST without a body, of type application/json.
[[nodiscard]] HttpGot http_post(const std::string& address, const std::string& path);

}  // namespace mayfly::adapters
