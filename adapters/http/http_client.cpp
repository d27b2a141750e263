#include "adapters/http/http_client.h"

#include "adapters/http/http_names.h"

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http.hpp>

#include <chrono>
#include <exception>
#include <utility>

namespace mayfly::adapters {

namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;

constexpr std::chrono::seconds answer_timeout{10};  // from the first byte sent to the last of the answer
constexpr std::uint64_t answer_bytes = 67'108'864;

/// Starts an operation and waits until it is over; a stream's deadline holds for it.
template <class Start>
beast::error_code wait_for(asio::io_context& io, Start start) {
  beast::error_code wrong;
  start([&wrong](beast::error_code e, const auto&...) { wrong = e; });
  io.restart();
  io.run();
  return wrong;
}

HttpGot ask(const std::string& address, const std::string& path, http::verb method) {
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
  http::response_parser<http::string_body> parser;
  parser.body_limit(answer_bytes);
  stream.expires_after(answer_timeout);
  if (!wrong) wrong = wait_for(io, [&](auto over) { stream.async_connect(found, over); });
  if (!wrong) wrong = wait_for(io, [&](auto over) { http::async_write(stream, request, over); });
  if (!wrong) wrong = wait_for(io, [&](auto over) { http::async_read(stream, buffer, parser, over); });
  if (wrong) return {0, {}, "no answer from http://" + address + path + ": " + wrong.message() + "."};
  return {static_cast<int>(parser.get().result_int()), std::move(parser.get().body()), {}};
}

HttpGot safely_ask(const std::string& address, const std::string& path, http::verb method) {
  try {
    return ask(address, path, method);
  } catch (const std::exception& why) {
    return {0, {}, "no answer from http://" + address + path + ": " + why.what() + "."};
  }
}

}  // namespace

HttpGot http_get(const std::string& address, const std::string& path) {
  return safely_ask(address, path, http::verb::get);
}
HttpGot http_post(const std::string& address, const std::string& path) {
  return safely_ask(address, path, http::verb::post);
}

}  // namespace mayfly::adapters
