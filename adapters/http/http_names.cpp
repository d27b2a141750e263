#include "adapters/http/http_names.h"

#include "adapters/http/http.h"
#include "events/text/number.h"

#include <arpa/inet.h>

#include <algorithm>
#include <utility>

namespace mayfly::adapters {

namespace {

bool is_address(int family, std::string_view text) {
  in6_addr address{};
  return ::inet_pton(family, std::string(text).c_str(), &address) == 1;
}

std::string lower_case(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  return text;
}

bool is_port(std::string_view text) {
  constexpr std::size_t longest = 5;
  return text.size() <= longest && std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

/// The name is in lower case and without the root's dot.
bool matches(std::string_view name, std::string_view pattern) {
  if (!pattern.starts_with("*.")) return name == pattern;
  const auto below = pattern.substr(1);
  return name.size() > below.size() && name.ends_with(below);
}

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

}  // namespace

const std::string* HttpRequest::find(std::string_view name) const {
  for (const auto& [known, value] : headers) {
    if (known == name) return &value;
  }
  return nullptr;
}

std::string_view HttpRequest::header(std::string_view name) const {
  const auto* value = find(name);
  return value == nullptr ? std::string_view() : *value;
}

std::string HttpRequest::member(std::string_view name) const {
  for (std::size_t at = 0; at < query.size();) {
    const auto end = std::min(query.find('&', at), query.size());
    const auto part = std::string_view(query).substr(at, end - at);
    if (part.size() > name.size() && part.starts_with(name) && part[name.size()] == '=')
      return std::string(part.substr(name.size() + 1));
    at = end + 1;
  }
  return {};
}

std::string HttpPlace::text() const {
  const bool brackets = host.find(':') != std::string::npos;
  return (brackets ? "[" + host + "]" : host) + ":" + std::to_string(port);
}

std::optional<HttpPlace> http_place(std::string_view address) {
  const auto colon = address.rfind(':');
  if (colon == std::string_view::npos || colon == 0) return std::nullopt;
  const auto port = events::number_in<int>(address.substr(colon + 1));
  if (!port || *port < 0 || *port > 65'535) return std::nullopt;
  HttpPlace place{std::string(address.substr(0, colon)), *port};
  if (place.host.front() == '[') {
    if (place.host.back() != ']') return std::nullopt;
    place.host = place.host.substr(1, place.host.size() - 2);
    if (!is_address(AF_INET6, place.host)) return std::nullopt;
  }
  return place;
}

std::string not_http_place(const std::string& address) {
  return "'" + address + "' is no address. Give HOST:PORT, for example 127.0.0.1:9290.";
}

std::string read_host_names(const std::string& text, std::vector<std::string>& names) {
  std::vector<std::string> found;
  for (std::size_t at = 0; at < text.size();) {
    const auto end = std::min(text.find_first_of(", ", at), text.size());
    const auto word = text.substr(at, end - at);
    at = end + 1;
    if (word.empty()) continue;
    const auto name = lower_case(word.starts_with("*.") ? word.substr(2) : word);
    const bool fine = !name.empty() && name.front() != '.' && name.back() != '.' &&
                      name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789.-_") == std::string::npos;
    if (!fine)
      return "'" + word + "' is no host's name. Give names without scheme or port: shop.example.com, *.example.com.";
    found.push_back(lower_case(word));
  }
  names = std::move(found);
  return {};
}

bool is_loopback(std::string_view address) {
  return address.starts_with("127.") || address.starts_with("localhost:") || address.starts_with("[::1]:");
}

bool is_host_of(std::string_view host, const std::vector<std::string>& names) {
  const auto bracket = host.starts_with('[') ? host.find(']') : 0;
  if (bracket == std::string_view::npos) return false;
  const auto colon = host.find(':', bracket);
  if (colon != std::string_view::npos && !is_port(host.substr(colon + 1))) return false;
  auto name = lower_case(std::string(host.substr(0, colon)));
  if (name.starts_with('[')) return name.ends_with(']') && is_address(AF_INET6, name.substr(1, name.size() - 2));
  if (name.ends_with('.')) name.pop_back();
  if (name.empty()) return false;
  return is_address(AF_INET, name) || matches(name, "localhost") || matches(name, "*.localhost") ||
         std::any_of(names.begin(), names.end(),
                     [&](const auto& pattern) { return matches(name, lower_case(pattern)); });
}

std::optional<std::string> percent_decoded(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      out += text[i];
      continue;
    }
    if (i + 2 >= text.size()) return std::nullopt;
    const int high = hex_digit(text[i + 1]);
    const int low = hex_digit(text[i + 2]);
    if (high < 0 || low < 0) return std::nullopt;
    out += static_cast<char>(high * 16 + low);
    i += 2;
  }
  return out;
}

std::string percent_encoded(std::string_view text) {
  constexpr std::string_view digits = "0123456789ABCDEF";
  constexpr std::string_view marks = "-._~";
  std::string out;
  for (const char c : text) {
    const bool plain = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                       marks.find(c) != std::string_view::npos;
    if (plain) {
      out += c;
    } else {
      const auto byte = static_cast<unsigned char>(c);
      out += '%';
      out += digits[byte / 16];
      out += digits[byte % 16];
    }
  }
  return out;
}

}  // namespace mayfly::adapters
