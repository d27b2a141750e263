// The server of http.h: one thread reads, writes and answers what is answered at once; what is answered in turn is made
// by another (http_turns.h), what is answered later by whoever has the reply.
#include "adapters/http/http_connection.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <iterator>
#include <map>
#include <thread>
#include <utility>

namespace mayfly::adapters {

namespace {

constexpr milliseconds accept_pause{100};  // where no connection can be taken: no file descriptor is left
constexpr milliseconds memory_pause{10};   // where there is no memory to go on
constexpr std::size_t looked_at = 64;      // connections that have waited longest, when one must make room

/// Whether a path fits a route's, segment by segment.
bool is_below(std::string_view route, std::string_view path) {
  if (route.find('*') == std::string_view::npos) return false;
  while (!route.empty() && !path.empty()) {
    const auto wanted = route.substr(1, route.find('/', 1) - 1);
    const auto given = path.substr(1, path.find('/', 1) - 1);
    if (wanted == "*" ? given.empty() : wanted != given) return false;
    route.remove_prefix(std::min(wanted.size() + 1, route.size()));
    path.remove_prefix(std::min(given.size() + 1, path.size()));
  }
  return route.empty() && path.empty();
}

}  // namespace

HttpServer::Listening::~Listening() {
  {
    const std::scoped_lock lock(replies->mutex);
    replies->server = nullptr;
  }
  over = true;
  io.stop();
  if (thread.joinable()) thread.join();
  std::exchange(in_turn, {}).clear();
  std::exchange(streams, {}).clear();
}

/// Empty, or a sentence why it cannot listen there.
std::string HttpServer::Listening::bind(const HttpPlace& place) {
  beast::error_code wrong;
  const auto flags = tcp::resolver::passive | tcp::resolver::numeric_service;
  const auto found = tcp::resolver(io).resolve(place.host, std::to_string(place.port), flags, wrong);
  for (const auto& entry : found) {
    const auto endpoint = entry.endpoint();
    acceptor.close(wrong);
    if (acceptor.open(endpoint.protocol(), wrong)) continue;
    // Not SO_REUSEPORT: two engines would share the port. The buffers are those of all connections taken.
    if (acceptor.set_option(tcp::acceptor::reuse_address(true), wrong)) continue;
    if (acceptor.set_option(asio::socket_base::receive_buffer_size(limits.socket_receive_bytes), wrong)) continue;
    if (acceptor.set_option(asio::socket_base::send_buffer_size(limits.socket_send_bytes), wrong)) continue;
    if (acceptor.bind(endpoint, wrong) || acceptor.listen(asio::socket_base::max_listen_connections, wrong)) continue;
    address = HttpPlace{place.host, acceptor.local_endpoint().port()}.text();
    return {};
  }
  return place.text() + " cannot be listened on: it is taken or not of this machine. Give another with --http.";
}

/// Nothing thrown leaves it: what a handler did not do for want of memory ends with its connection.
void HttpServer::Listening::run() noexcept {
  while (!over) {
    try {
      if (!accepting) accept();
      io.run();
    } catch (...) {
      std::this_thread::sleep_for(memory_pause);
    }
  }
}

void HttpServer::Listening::accept() {
  acceptor.async_accept([this](beast::error_code wrong, tcp::socket socket) {
    accepting = false;
    if (!wrong) {
      take_in(std::move(socket));
    } else if (wrong != asio::error::connection_aborted) {
      accept_timer.expires_after(accept_pause);
      accept_timer.async_wait([this](beast::error_code) {
        accepting = false;
        accept();
      });
      accepting = true;
    }
    if (!accepting) accept();
  });
  accepting = true;
}

void HttpServer::Listening::take_in(tcp::socket&& socket) {
  while (connections.size() >= static_cast<std::size_t>(limits.connections)) make_room();
  beast::error_code ignored;
  socket.set_option(tcp::no_delay(true), ignored);
  std::make_shared<HttpConnection>(*this, std::move(socket))->begin();
}

/// Of those that have waited longest, the first of the client that has most of them: one that opens connections without
/// end takes its own, and not the one on which a probe has not yet said what it wants.
void HttpServer::Listening::make_room() {
  std::map<std::uint64_t, std::size_t> open;
  const auto end = std::next(connections.begin(), static_cast<std::ptrdiff_t>(std::min(looked_at, connections.size())));
  std::size_t most = 0;
  for (auto at = connections.begin(); at != end; ++at) most = std::max(most, ++open[(*at)->client()]);
  const auto first = std::find_if(connections.begin(), end, [&](const auto* c) { return open[c->client()] == most; });
  (*first)->drop();
}

const HttpRoute* HttpServer::Listening::route_of(std::string_view method, std::string_view path) const {
  const HttpRoute* fits = nullptr;
  for (const auto& route : routes) {
    if (route.method != method) continue;
    if (route.path == path) return &route;
    if (fits == nullptr && is_below(route.path, path)) fits = &route;
  }
  return fits;
}

std::string HttpServer::Listening::methods_of(std::string_view path) const {
  std::string methods;
  if (route_of("GET", path) != nullptr) methods = "GET, HEAD";
  if (route_of("POST", path) != nullptr) methods += methods.empty() ? "POST" : ", POST";
  return methods;
}

/// What a reply throws for want of memory ends with the request's time.
HttpReply HttpServer::Listening::reply_to(HttpTurns::Id id) {
  return [box = replies, id](HttpAnswer answer) {
    const std::scoped_lock lock(box->mutex);
    if (box->server == nullptr) return;
    asio::post(box->server->io, [server = box->server, id, made = std::move(answer)]() mutable {
      server->on_reply(id, std::move(made));
    });
  };
}

void HttpServer::Listening::on_reply(HttpTurns::Id id, HttpAnswer&& answer) {
  const auto waits = in_turn.extract(id);
  if (waits) waits.mapped()->answer(std::move(answer));
}

void HttpServer::Listening::begin_stream(HttpTurns::Id id, const std::shared_ptr<HttpConnection>& who,
                                         HttpStream& body) {
  streams.emplace(id, who);
  body.attach([box = replies, id] {
    const std::scoped_lock lock(box->mutex);
    if (box->server == nullptr) return;
    asio::post(box->server->io, [server = box->server, id] {
      const auto found = server->streams.find(id);
      if (found == server->streams.end()) return;
      const auto connection = found->second;  // it may end
      connection->send_on();
    });
  });
}

void HttpServer::Listening::tell_made() noexcept {
  while (!over) {
    try {
      asio::post(io, [this] { on_made(); });
      return;
    } catch (...) {
      std::this_thread::sleep_for(memory_pause);
    }
  }
}

void HttpServer::Listening::on_made() {
  auto made = turns.take();
  const auto waits = in_turn.extract(made.id);
  if (!waits) return;  // gone meanwhile
  if (made.answer) {
    waits.mapped()->answer(std::move(*made.answer));
  } else {
    waits.mapped()->drop();
  }
}

void HttpServer::Listening::hold(HttpConnection& who, std::size_t bytes) {
  who.held_bytes(bytes);
  held_bytes += bytes;
  for (auto at = connections.begin(); at != connections.end();) {
    if (held_bytes <= static_cast<std::size_t>(limits.answer_bytes)) return;
    auto* other = *at++;
    if (other != &who && other->held_bytes() > 0) other->drop();
  }
}

HttpServer::HttpServer(std::unique_ptr<Listening> listening) : listening_(std::move(listening)) {}
HttpServer::~HttpServer() = default;

const std::string& HttpServer::address() const { return listening_->address; }

std::unique_ptr<HttpServer> HttpServer::open(const std::string& address, HttpRoutes routes, const HttpLimits& limits,
                                             std::string& wrong, std::shared_ptr<const TlsCertificate> certificate) {
  const auto place = http_place(address);
  if (!place) {
    wrong = not_http_place(address);
    return nullptr;
  }
  auto listening = std::make_unique<Listening>(std::move(routes), limits, std::move(certificate));
  listening->replies->server = listening.get();
  listening->limits.hosts.push_back(place->host);
  constexpr std::size_t longest_name = 256;
  if (std::array<char, longest_name> name{}; ::gethostname(name.data(), name.size() - 1) == 0)
    listening->limits.hosts.emplace_back(name.data());
  wrong = listening->bind(*place);
  if (!wrong.empty()) return nullptr;
  listening->thread = std::thread([&l = *listening] { l.run(); });
  return std::unique_ptr<HttpServer>(new HttpServer(std::move(listening)));
}

}  // namespace mayfly::adapters
