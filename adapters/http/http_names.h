// Where an HTTP server is, in words: HOST:PORT, the Host header that a request carries, and what a URL escapes.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace mayfly::adapters {

struct HttpPlace {
  std::string host;  // an IPv6 address without its brackets
  int port = 0;      // 0..65,535

  /// As it stands in a URL.
  [[nodiscard]] std::string text() const;
};
/// Of "HOST:PORT" or "[IPv6]:PORT"; none for other words.
[[nodiscard]] std::optional<HttpPlace> http_place(std::string_view address);
/// Says that it is none, and how one looks.
[[nodiscard]] std::string not_http_place(const std::string& address);

/// Of HOST:PORT: only programs on this machine reach it.
[[nodiscard]] bool is_loopback(std::string_view address);

/// Whether a Host header names this server: by any IP address, which no page of another site can have as its own name;
/// as localhost; or by one of `names`, where "*.example.com" stands for all names below example.com.
[[nodiscard]] bool is_host_of(std::string_view host, const std::vector<std::string>& names);
/// Such names, separated by commas and spaces, in any case. Empty, or a sentence what is wrong, with `names` as they
/// were.
[[nodiscard]] std::string read_host_names(const std::string& text, std::vector<std::string>& names);

/// Of a path's segment or a query's value (RFC 3986); none where "%" is not followed by two hexadecimal digits.
[[nodiscard]] std::optional<std::string> percent_decoded(std::string_view);
[[nodiscard]] std::string percent_encoded(std::string_view);

}  // namespace mayfly::adapters
