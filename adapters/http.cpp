#include "adapters/http.h"

#include <httplib.h>

#include <atomic>
#include <charconv>
#include <optional>
#include <thread>
#include <utility>

namespace mayfly::adapters {

namespace {

constexpr std::size_t threads = 4;
constexpr std::time_t read_timeout_s = 5;
constexpr std::size_t request_body_bytes = 1024;

/// The page may use nothing but itself.
constexpr const char* content_policy =
    "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; connect-src 'self'; img-src data:";

struct Place {
  std::string host;
  int port = 0;
};

std::optional<Place> place_of(const std::string& address) {
  const auto colon = address.rfind(':');
  if (colon == std::string::npos || colon == 0) return std::nullopt;
  Place place{address.substr(0, colon), 0};
  const char* end = address.data() + address.size();
  const auto [stopped, error] = std::from_chars(address.data() + colon + 1, end, place.port);
  if (error != std::errc{} || stopped != end || place.port < 0 || place.port > 65'535) return std::nullopt;
  return place;
}

std::string not_an_address(const std::string& address) {
  return "'" + address + "' is no address. Give HOST:PORT, for example 127.0.0.1:9290.";
}

}  // namespace

struct HttpServer::Listening {
  HttpPaths paths;
  HttpActions actions;
  std::string address;
  httplib::Server server;
  std::atomic<bool> ended{false};
  std::thread thread;
};

HttpServer::HttpServer(std::unique_ptr<Listening> listening) : listening_(std::move(listening)) {}

HttpServer::~HttpServer() {
  listening_->server.stop();
  listening_->thread.join();
}

const std::string& HttpServer::address() const { return listening_->address; }

std::unique_ptr<HttpServer> HttpServer::open(const std::string& address, HttpPaths paths, HttpActions actions,
                                             std::string& wrong) {
  const auto place = place_of(address);
  if (!place) {
    wrong = not_an_address(address);
    return nullptr;
  }
  auto listening = std::make_unique<Listening>();
  listening->paths = std::move(paths);
  listening->actions = std::move(actions);
  auto& server = listening->server;
  server.new_task_queue = [] { return new httplib::ThreadPool(threads); };
  server.set_socket_options([](socket_t socket) {  // not SO_REUSEPORT, the default: two engines would share the port
    const int yes = 1;
    ::setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  });
  server.set_keep_alive_max_count(1);  // a thread is not kept by a reader that rests
  server.set_read_timeout(read_timeout_s);
  server.set_write_timeout(read_timeout_s);
  server.set_payload_max_length(request_body_bytes);
  server.set_default_headers({{"Cache-Control", "no-store"},
                              {"X-Content-Type-Options", "nosniff"},
                              {"Content-Security-Policy", content_policy}});
  for (const auto& path : listening->paths) {
    server.Get(path.first, [&answer = path.second](const httplib::Request&, httplib::Response& response) {
      const auto made = answer();
      response.status = made.status;
      response.set_content(made.body, made.type);
    });
  }
  for (const auto& path : listening->actions) {
    server.Post(path.first, [&action = path.second](const httplib::Request& request, httplib::Response& response) {
      const bool heeded = request.get_header_value("Content-Type") == "application/json";
      const auto made = heeded
                            ? action.act(request.get_param_value(action.member))
                            : HttpAnswer{415, "text/plain; charset=utf-8", "Content-Type: application/json, please\n"};
      response.status = made.status;
      response.set_content(made.body, made.type);
    });
  }
  const int port = place->port == 0                                ? server.bind_to_any_port(place->host)
                   : server.bind_to_port(place->host, place->port) ? place->port
                                                                   : -1;
  if (port < 0) {
    wrong = address + " cannot be listened on: it is taken or not of this machine. Give another with --http.";
    return nullptr;
  }
  listening->address = place->host + ":" + std::to_string(port);
  listening->thread = std::thread([&l = *listening] {
    l.server.listen_after_bind();
    l.ended = true;
  });
  while (!server.is_running() && !listening->ended) std::this_thread::yield();  // a stop before that would be lost
  return std::unique_ptr<HttpServer>(new HttpServer(std::move(listening)));
}

namespace {

HttpGot ask(const std::string& address, const std::string& path,
            httplib::Result (*how)(httplib::Client&, const char*)) {
  const auto place = place_of(address);
  if (!place) return {0, {}, not_an_address(address)};
  httplib::Client client(place->host, place->port);
  client.set_connection_timeout(read_timeout_s);
  client.set_read_timeout(read_timeout_s);
  const auto result = how(client, path.c_str());
  if (!result)
    return {0, {}, "no answer from http://" + address + path + ": " + httplib::to_string(result.error()) + "."};
  return {result->status, result->body, {}};
}

}  // namespace

HttpGot http_get(const std::string& address, const std::string& path) {
  return ask(address, path, [](httplib::Client& client, const char* p) { return client.Get(p); });
}
HttpGot http_post(const std::string& address, const std::string& path) {
  return ask(address, path,
             [](httplib::Client& client, const char* p) { return client.Post(p, std::string(), "application/json"); });
}

}  // namespace mayfly::adapters
