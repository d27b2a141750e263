// One connection of the server of http.h, and what all connections share. For http_server.cpp alone. Everything here
// belongs to the thread that reads, except where it says otherwise.
#pragma once

#include "adapters/http/client_address.h"
#include "adapters/http/http.h"
#include "adapters/http/http_names.h"
#include "adapters/http/http_turns.h"
#include "adapters/http/http_wire.h"

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <list>
#include <map>
#include <mutex>
#include <optional>
#include <sstream>
#include <thread>
#include <utility>

namespace mayfly::adapters {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using asio::ip::tcp;
using std::chrono::milliseconds;
using Steady = std::chrono::steady_clock;

constexpr int not_modified = 304;

/// Unless an answer brings its own: it may use nothing, and stand in no other page.
constexpr const char* content_policy =
    "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'";

inline HttpAnswer refusal(int status, const char* why) {
  return {status, "text/plain; charset=utf-8", std::string(why) + "\n"};
}

inline std::string text_of(beast::string_view view) { return {view.data(), view.size()}; }

/// What a request that could not be read is answered with; none: nothing, the other side is gone.
inline std::optional<HttpAnswer> answer_to(beast::error_code wrong) {
  if (wrong == http::error::end_of_stream || wrong == http::error::partial_message) return std::nullopt;
  if (wrong.category() != make_error_code(http::error::bad_method).category()) return std::nullopt;
  if (wrong == http::error::body_limit) return refusal(413, "the body is too long");
  if (wrong == http::error::header_limit || wrong == http::error::buffer_overflow)
    return refusal(431, "the request line and headers are too long");
  if (wrong == http::error::bad_version) return refusal(505, "only HTTP/1.1 and HTTP/1.0 are spoken here");
  return refusal(400, "no request of HTTP/1.1");
}

class HttpConnection;

/// The way of replies from other threads to the server, for as long as there is one.
struct ReplyBox {
  std::mutex mutex;
  HttpServer::Listening* server = nullptr;
};

struct HttpServer::Listening {
  Listening(HttpRoutes&& r, const HttpLimits& l, std::shared_ptr<const TlsCertificate> c)
      : routes(std::move(r)), limits(l), certificate(std::move(c)), turns(l, [this] { tell_made(); }) {}
  ~Listening();

  [[nodiscard]] std::string bind(const HttpPlace&);
  void run() noexcept;
  void accept();
  void take_in(tcp::socket&&);
  void make_room();
  void tell_made() noexcept;  // from the thread of turns
  void on_made();
  void on_reply(HttpTurns::Id, HttpAnswer&&);
  [[nodiscard]] HttpReply reply_to(HttpTurns::Id);
  void begin_stream(HttpTurns::Id, const std::shared_ptr<HttpConnection>&, HttpStream&);
  void hold(HttpConnection&, std::size_t bytes);
  [[nodiscard]] const HttpRoute* route_of(std::string_view method, std::string_view path) const;
  /// As an Allow header has them (RFC 9110, 10.2.1); empty where nothing is at the path.
  [[nodiscard]] std::string methods_of(std::string_view path) const;

  const HttpRoutes routes;
  HttpLimits limits;
  const std::shared_ptr<const TlsCertificate> certificate;  // null: no TLS
  std::string address;

  std::list<HttpConnection*> connections;                            // the one that began to wait first comes first
  std::size_t held_bytes = 0;                                        // of answers
  std::map<HttpTurns::Id, std::shared_ptr<HttpConnection>> in_turn;  // whose answers are made by `turns`, or come later
  std::map<HttpTurns::Id, std::shared_ptr<HttpConnection>> streams;  // whose answers have no end
  const std::shared_ptr<ReplyBox> replies = std::make_shared<ReplyBox>();
  HttpTurns::Id newest_id = 0;
  bool accepting = false;

  asio::io_context io{1};
  asio::executor_work_guard<asio::io_context::executor_type> work{io.get_executor()};
  tcp::acceptor acceptor{io};
  asio::steady_timer accept_timer{io};
  std::atomic<bool> over{false};
  HttpTurns turns;  // last: its thread uses `io`
  std::thread thread;
};

/// Lives as long as one of its operations is under way, it waits for its turn, or its answer is made.
class HttpConnection : public std::enable_shared_from_this<HttpConnection> {
 public:
  using Server = HttpServer::Listening;
  HttpConnection(Server& server, tcp::socket&& socket)
      : server_(server),
        client_(client_of(socket)),
        wire_(beast::tcp_stream(std::move(socket)), server.certificate ? server.certificate->context() : nullptr),
        later_(server.io),
        buffer_(static_cast<std::size_t>(server.limits.request_header_bytes + server.limits.request_body_bytes) + 1),
        end_(Steady::now() + milliseconds(server.limits.connection_ms)),
        place_(server.connections.insert(server.connections.end(), this)) {}
  ~HttpConnection() { leave_list(); }
  HttpConnection(const HttpConnection&) = delete;
  HttpConnection& operator=(const HttpConnection&) = delete;

  /// The time of the first request begins with it.
  void begin() {
    deadline_ = std::min(Steady::now() + milliseconds(server_.limits.request_ms), end_);
    wire_.tcp().expires_at(deadline_);
    wire_.async_handshake(asio::ssl::stream_base::server, [me = shared_from_this()](beast::error_code wrong) {
      if (wrong) return me->drop();
      if (me->open_) me->read();
    });
  }

  void read() {
    server_.connections.splice(server_.connections.end(), server_.connections, place_);
    parser_.emplace();
    parser_->header_limit(static_cast<std::uint32_t>(server_.limits.request_header_bytes));
    parser_->body_limit(static_cast<std::uint64_t>(server_.limits.request_body_bytes));
    deadline_ = std::min(Steady::now() + milliseconds(server_.limits.request_ms), end_);
    wire_.tcp().expires_at(deadline_);
    http::async_read_header(wire_, buffer_, *parser_,
                            [me = shared_from_this()](beast::error_code wrong, std::size_t) { me->on_header(wrong); });
  }

  /// Nothing, where it has ended.
  void answer(HttpAnswer&& made) {
    if (!open_) return;
    if (later_.cancel() > 0) wire_.tcp().expires_after(milliseconds(server_.limits.request_ms));
    if (made.stream) return stream(std::move(made));
    server_.hold(*this, made.body.size());
    auto& response = response_.emplace(static_cast<http::status>(made.status), version_);
    set_headers(response, made);
    if (made.status != not_modified) response.content_length(made.body.size());  // that has no body
    response.keep_alive(keep_);
    if (!head_) response.body() = std::move(made.body);
    http::async_write(wire_, response,
                      [me = shared_from_this()](beast::error_code wrong, std::size_t) { me->on_written(wrong); });
  }

  /// Sends what its stream has, if nothing is being sent; where it was all, ends.
  void send_on() {
    if (!open_ || sending_now_ || ending_) return;
    if (sending_.empty()) sending_ = body_->take();
    if (Steady::now() >= end_ || (sending_.empty() && body_->finished())) return end();
    if (sending_.empty()) return;
    server_.connections.splice(server_.connections.end(), server_.connections, place_);
    sending_now_ = true;
    wire_.tcp().expires_after(milliseconds(server_.limits.stream_write_ms));
    asio::async_write(wire_, asio::buffer(sending_),
                      [me = shared_from_this()](beast::error_code wrong, std::size_t) { me->on_sent(wrong); });
  }

  /// Ends it at once.
  void drop() {
    const auto me = shared_from_this();
    leave_list();
    server_.turns.remove(id_);
    server_.in_turn.erase(id_);
    server_.streams.erase(id_);
    later_.cancel();
    wire_.tcp().close();
  }

  /// Whose it is (client_address.h).
  [[nodiscard]] std::uint64_t client() const { return client_; }
  [[nodiscard]] std::size_t held_bytes() const { return held_bytes_; }
  void held_bytes(std::size_t bytes) { held_bytes_ = bytes; }

 private:
  static std::uint64_t client_of(const tcp::socket& socket) {
    beast::error_code wrong;
    const auto address = socket.remote_endpoint(wrong).address();
    return wrong ? 0 : adapters::client_of(address);
  }

  /// Ends it when the other side knows that all is sent, or in a request's time.
  void end() {
    ending_ = true;
    wire_.tcp().expires_after(milliseconds(server_.limits.request_ms));
    wire_.async_end([me = shared_from_this()](beast::error_code) { me->drop(); });
  }

  void leave_list() {
    if (!std::exchange(open_, false)) return;
    server_.connections.erase(place_);
    if (body_) body_->close();
    server_.held_bytes -= std::exchange(held_bytes_, 0);
  }

  template <class Response>
  void set_headers(Response& response, const HttpAnswer& made) const {
    response.set(http::field::content_type, made.type);
    response.set(http::field::cache_control, "no-store");
    response.set("X-Content-Type-Options", "nosniff");
    response.set("Content-Security-Policy", content_policy);
    for (const auto& [name, value] : made.headers) response.set(name, value);
  }

  /// The body ends with the connection. What the client sends meanwhile, its end above all, ends it too.
  void stream(HttpAnswer&& made) {
    http::response<http::empty_body> head(static_cast<http::status>(made.status), version_);
    set_headers(head, made);
    head.keep_alive(false);
    std::ostringstream text;
    text << head.base();
    sending_ = text.str();
    body_ = std::move(made.stream);
    if (head_) body_->finish();
    server_.begin_stream(id_, shared_from_this(), *body_);
    wire_.tcp().socket().async_wait(tcp::socket::wait_read, [me = shared_from_this()](beast::error_code wrong) {
      if (!wrong) me->drop();
    });
    send_on();
  }

  void on_sent(beast::error_code wrong) {
    sending_now_ = false;
    sending_ = {};
    if (wrong) return drop();
    wire_.tcp().expires_never();
    send_on();
  }

  /// Ends the connection after it: what comes behind is not looked at.
  void refuse(HttpAnswer&& why) {
    keep_ = false;
    answer(std::move(why));
  }

  void on_header(beast::error_code wrong) {
    if (!open_) return;
    const auto& header = parser_->get();
    version_ = header.version() == 10 ? 10 : 11;
    if (wrong) {
      if (auto why = answer_to(wrong)) refuse(std::move(*why));
      return;
    }
    keep_ = header.keep_alive() && ++requests_ < server_.limits.connection_requests;
    head_ = header.method() == http::verb::head;
    if (header.count(http::field::transfer_encoding) != 0)
      return refuse(refusal(411, "a body needs a Content-Length here"));
    if (parser_->is_done()) return on_request();
    http::async_read(wire_, buffer_, *parser_, [me = shared_from_this()](beast::error_code e, std::size_t) {
      if (!me->open_) return;
      if (!e) return me->on_request();
      if (auto why = answer_to(e)) me->refuse(std::move(*why));
    });
  }

  void on_request() {
    auto& message = parser_->get();
    HttpRequest request;
    request.method = head_ ? "GET" : text_of(message.method_string());
    const auto target = text_of(message.target());
    const auto question = target.find('?');
    request.path = target.substr(0, question);
    if (question != std::string::npos) request.query = target.substr(question + 1);
    request.body = std::move(message.body());
    for (const auto& field : message.base()) {
      auto name = text_of(field.name_string());
      std::transform(name.begin(), name.end(), name.begin(),
                     [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
      request.headers.emplace_back(std::move(name), text_of(field.value()));
    }
    const auto hosts = message.count(http::field::host);
    const auto host = text_of(message[http::field::host]);
    const auto type = text_of(message[http::field::content_type]);
    parser_.reset();
    if (!request.path.starts_with('/')) return refuse(refusal(400, "the path must begin with '/'"));
    const auto* route = server_.route_of(request.method, request.path);
    if (route == nullptr || route->when != HttpRoute::When::at_once) {
      if (hosts != 1) return refuse(refusal(400, "one Host, please"));
      if (!server_.limits.any_host && !is_host_of(host, server_.limits.hosts))
        return refuse(refusal(421, "no name of this server: ask it by its address, or add the name to http.hosts"));
    }
    if (route == nullptr) {
      if (const auto methods = server_.methods_of(request.path); !methods.empty()) {
        auto other = refusal(405, ("ask with " + methods).c_str());
        other.headers.emplace_back("Allow", methods);
        return answer(std::move(other));
      }
      route = server_.route_of("*", "*");
    }
    if (route == nullptr) return answer(refusal(404, "there is nothing here"));
    if (!route->takes.empty() && type != route->takes)
      return answer(refusal(415, ("Content-Type: " + route->takes + ", please").c_str()));
    if (route->when == HttpRoute::When::in_turn) return wait_for_turn(*route, std::move(request));
    if (route->when == HttpRoute::When::later) return wait_for_reply(*route, std::move(request));
    if (auto made = answer_of(*route, request)) answer(std::move(*made));
  }

  void wait_for_turn(const HttpRoute& route, HttpRequest&& request) {
    id_ = ++server_.newest_id;
    const auto refused = server_.turns.add(id_, client_, route, std::move(request), deadline_);
    auto why = refusal(503, "too many ask at once: ask again in a second");
    if (refused == id_) return answer(std::move(why));
    if (refused != 0) server_.on_reply(refused, std::move(why));
    server_.in_turn.emplace(id_, shared_from_this());
  }

  /// Its time to be sent begins with the answer.
  void wait_for_reply(const HttpRoute& route, HttpRequest&& request) {
    id_ = ++server_.newest_id;
    wire_.tcp().expires_never();
    server_.in_turn.emplace(id_, shared_from_this());
    later_.expires_after(milliseconds(server_.limits.later_ms));
    later_.async_wait([me = shared_from_this(), id = id_](beast::error_code canceled) {
      if (!canceled) me->server_.on_reply(id, refusal(503, "no answer came in time"));
    });
    route.begin(std::move(request), server_.reply_to(id_));
  }

  void on_written(beast::error_code wrong) {
    response_.reset();
    server_.held_bytes -= std::exchange(held_bytes_, 0);
    if (wrong || !open_) return;
    if (keep_) return read();
    end();
  }

  Server& server_;
  const std::uint64_t client_;
  HttpWire wire_;
  asio::steady_timer later_;  // set while an answer is to come later
  beast::flat_buffer buffer_;
  std::optional<http::request_parser<http::string_body>> parser_;
  std::optional<http::response<http::string_body>> response_;
  std::shared_ptr<HttpStream> body_;  // of an answer without an end
  std::string sending_;               // of it
  bool sending_now_ = false;
  const Steady::time_point end_;
  Steady::time_point deadline_;  // of the request
  std::int32_t requests_ = 0;
  unsigned version_ = 11;
  bool keep_ = false;
  bool head_ = false;
  bool open_ = true;
  bool ending_ = false;
  std::size_t held_bytes_ = 0;
  HttpTurns::Id id_ = 0;  // of its turn
  std::list<HttpConnection*>::iterator place_;
};

}  // namespace mayfly::adapters
