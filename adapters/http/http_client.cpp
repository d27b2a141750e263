#include "adapters/http/http_client.h"

#include "adapters/http/http_names.h"

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http.hpp>

#include <chrono>
#include <exception>
#include <limits>
#include <utility>

namespace mayfly::adapters {

namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;

constexpr std::chrono::seconds answer_timeout{10};  // from the first byte sent to the last of the answer

/// Starts an operation and waits until it is over; a stream's deadline holds for it.
template <class Start>
beast::error_code wait_for(asio::io_context& io, Start start) {
  beast::error_code wrong;
  start([&wrong](beast::error_code e, const auto&...) { wrong = e; });
  io.restart();
  io.run();
  return wrong;
}

using Parser = http::response_parser<http::string_body>;

/// Beast's own body_limit does not hold for answers whose body comes with their headers (Boost 1.74), so the length is
/// looked at before room is made for it.
bool is_longer(const Parser& parser, std::uint64_t most_bytes) {
  return parser.content_length().value_or(0) > most_bytes || parser.get().body().size() > most_bytes;
}

HttpGot ask(const std::string& address, const std::string& path, http::verb method, std::uint64_t most_bytes) {
  const auto place = http_place(address);
  if (!place) return {0, {}, not_http_place(address)};
  asio::io_context io{1};
  beast::tcp_stream stream(io);
  beast::error_code wrong;
  const auto found = asio::ip::tcp::resolver(io).resolve(place->host, std::to_string(place->port), wrong);
  http::request<http::empty_body> request(method, path, 11);
  request.set(http::field::host, place->text());
  if (method == http::verb::post) {
    request.set(http::field::content_type, "application/json");
    request.content_length(0);
  }
  request.keep_alive(false);
  beast::flat_buffer buffer;
  Parser parser;
  parser.body_limit(std::numeric_limits<std::uint64_t>::max());
  stream.expires_after(answer_timeout);
  if (!wrong) wrong = wait_for(io, [&](auto over) { stream.async_connect(found, over); });
  if (!wrong) wrong = wait_for(io, [&](auto over) { http::async_write(stream, request, over); });
  if (!wrong) wrong = wait_for(io, [&](auto over) { http::async_read_header(stream, buffer, parser, over); });
  parser.eager(true);
  while (!wrong && !parser.is_done() && !is_longer(parser, most_bytes)) {
    wrong = wait_for(io, [&](auto over) { http::async_read_some(stream, buffer, parser, over); });
  }
  if (!wrong && is_longer(parser, most_bytes)) {
    return {
        0, {}, "The answer of http://" + address + path + " is longer than " + std::to_string(most_bytes) + " bytes."};
  }
  if (wrong) return {0, {}, "no answer from http://" + address + path + ": " + wrong.message() + "."};
  return {static_cast<int>(parser.get().result_int()), std::move(parser.get().body()), {}};
}

HttpGot safely_ask(const std::string& address, const std::string& path, http::verb method, std::uint64_t most_bytes) {
  try {
    return ask(address, path, method, most_bytes);
  } catch (const std::exception& why) {
    return {0, {}, "no answer from http://" + address + path + ": " + why.what() + "."};
  }
}

}  // namespace

HttpGot http_get(const std::string& address, const std::string& path, std::uint64_t most_bytes) {
  return safely_ask(address, path, http::verb::get, most_bytes);
}
HttpGot http_post(const std::string& address, const std::string& path) {
  return safely_ask(address, path, http::verb::post, http_answer_bytes);
}

}  // namespace mayfly::adapters
