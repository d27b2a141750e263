// Asks an HTTP server one thing and waits for the answer, for a bounded time.
#pragma once

#include <cstdint>
#include <string>

namespace mayfly::adapters {

/// `wrong` is a sentence if there was no answer.
struct HttpGot {
  int status = 0;
  std::string body;
  std::string wrong;
};
inline constexpr std::uint64_t http_answer_bytes = 67'108'864;
/// GET http://`address``path`, the address as HOST:PORT. An answer whose body is longer than `most_bytes` is none.
[[nodiscard]] HttpGot http_get(const std::string& address, const std::string& path,
                               std::uint64_t most_bytes = http_answer_bytes);
/// POST without a body, of type application/json.
[[nodiscard]] HttpGot http_post(const std::string& address, const std::string& path);

}  // namespace mayfly::adapters
