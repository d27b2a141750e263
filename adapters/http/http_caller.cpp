#include "adapters/http/http_caller.h"

#include "adapters/http/http_wire.h"

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/ssl/host_name_verification.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <limits>
#include <thread>
#include <utility>

namespace mayfly::adapters {

namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using asio::ip::tcp;

constexpr int http_port = 80;
constexpr int https_port = 443;
constexpr std::uint32_t answer_header_bytes = 16'384;

/// Lives as long as one of its operations is under way.
class Call : public std::enable_shared_from_this<Call> {
 public:
  using Done = std::function<void(HttpCalled)>;
  Call(asio::io_context& io, TlsContext trust, HttpCall&& call, Done&& done)
      : call_(std::move(call)),
        done_(std::move(done)),
        resolver_(io),
        wire_(beast::tcp_stream(io), std::move(trust)),
        timer_(io) {}
  /// An operation ended without a word, for want of memory, or the caller ends.
  ~Call() {
    if (done_) done_({0, {}, {}, "the request was given up"});
  }
  Call(const Call&) = delete;
  Call& operator=(const Call&) = delete;

  void begin() {
    timer_.expires_after(std::chrono::milliseconds(call_.timeout.count));
    timer_.async_wait([me = shared_from_this()](beast::error_code cancelled) {
      if (!cancelled) me->fail("no answer within " + std::to_string(me->call_.timeout.count) + " ms");
    });
    const auto& place = call_.to.place;
    resolver_.async_resolve(place.host, std::to_string(place.port),
                            [me = shared_from_this()](beast::error_code wrong, const tcp::resolver::results_type& at) {
                              me->connect(wrong, at);
                            });
  }

 private:
  void connect(beast::error_code wrong, const tcp::resolver::results_type& at) {
    if (wrong) return fail("its host was not found: " + wrong.message());
    if (!done_) return;
    wire_.tcp().async_connect(
        at, [me = shared_from_this()](beast::error_code failed, const tcp::endpoint&) { me->shake_hands(failed); });
  }

  void shake_hands(beast::error_code wrong) {
    if (wrong) return fail("no connection: " + wrong.message());
    if (auto* tls = wire_.tls()) {
      auto host = call_.to.place.host;
      beast::error_code not_an_address;
      asio::ip::make_address(host, not_an_address);
      if (not_an_address)
        ::SSL_ctrl(tls->native_handle(), SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name, host.data());
      tls->set_verify_callback(asio::ssl::host_name_verification(host), wrong);
    }
    wire_.async_handshake(asio::ssl::stream_base::client,
                          [me = shared_from_this()](beast::error_code failed) { me->write(failed); });
  }

  void write(beast::error_code wrong) {
    if (wrong) return fail("no TLS: " + wrong.message());
    request_.method(http::verb::post);
    request_.target(call_.to.target);
    request_.version(11);
    for (const auto& [name, value] : call_.headers) request_.set(name, value);
    request_.set(http::field::host, call_.to.place.text());
    request_.set(http::field::user_agent, "mayfly");
    request_.keep_alive(false);
    request_.body() = std::move(call_.body);
    request_.prepare_payload();
    parser_.header_limit(answer_header_bytes);
    parser_.body_limit(std::numeric_limits<std::uint64_t>::max());
    http::async_write(wire_, request_,
                      [me = shared_from_this()](beast::error_code failed, std::size_t) { me->read(failed); });
  }

  /// Also where not all was written: a server may answer before it has read all.
  void read(beast::error_code) {
    http::async_read_header(wire_, buffer_, parser_, [me = shared_from_this()](beast::error_code failed, std::size_t) {
      me->parser_.eager(true);
      me->on_read(failed);
    });
  }

  /// Beast's own body_limit does not hold for answers (Boost 1.74), so the length is looked at before room is made for
  /// it.
  [[nodiscard]] bool too_long() const {
    return parser_.content_length().value_or(0) > call_.answer_bytes ||
           parser_.get().body().size() > call_.answer_bytes;
  }

  void on_read(beast::error_code wrong) {
    if (wrong) return fail("no answer: " + wrong.message());
    if (too_long()) return fail("its answer is longer than " + std::to_string(call_.answer_bytes) + " bytes");
    if (parser_.is_done()) return answer();
    http::async_read_some(wire_, buffer_, parser_,
                          [me = shared_from_this()](beast::error_code failed, std::size_t) { me->on_read(failed); });
  }

  void answer() {
    auto& message = parser_.get();
    HttpCalled called{static_cast<int>(message.result_int()), {}, std::move(message.body()), {}};
    for (const auto& field : message) {
      std::string name(field.name_string().data(), field.name_string().size());
      std::transform(name.begin(), name.end(), name.begin(),
                     [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
      called.headers.emplace_back(std::move(name), std::string(field.value().data(), field.value().size()));
    }
    end(std::move(called));
  }

  void fail(std::string why) { end({0, {}, {}, std::move(why)}); }

  void end(HttpCalled&& called) {
    if (!done_) return;
    timer_.cancel();
    resolver_.cancel();
    wire_.tcp().close();
    std::exchange(done_, nullptr)(std::move(called));
  }

  HttpCall call_;
  Done done_;
  tcp::resolver resolver_;
  HttpWire wire_;
  asio::steady_timer timer_;
  http::request<http::string_body> request_;
  beast::flat_buffer buffer_;
  http::response_parser<http::string_body> parser_;
};

}  // namespace

struct HttpCaller::Calling {
  explicit Calling(TlsContext t) : trust(std::move(t)), thread([this] { run(); }) {}
  ~Calling() {
    over = true;
    io.stop();
    thread.join();
  }
  /// What is thrown ends one request for want of memory: its Call says so when it goes.
  void run() noexcept {
    while (!over) {
      try {
        io.run();
      } catch (...) {
        std::this_thread::yield();
      }
    }
  }

  const TlsContext trust;
  asio::io_context io{1};
  asio::executor_work_guard<asio::io_context::executor_type> work{io.get_executor()};
  std::atomic<bool> over{false};
  std::thread thread;
};

std::string_view HttpCalled::header(std::string_view name) const {
  for (const auto& [known, value] : headers) {
    if (known == name) return value;
  }
  return {};
}

std::optional<HttpUrl> http_url(std::string_view text, std::string& wrong) {
  constexpr std::string_view http_scheme = "http://";
  constexpr std::string_view https_scheme = "https://";
  const bool tls = text.starts_with(https_scheme);
  const auto scheme = tls ? https_scheme : http_scheme;
  const auto rest = text.starts_with(scheme) ? text.substr(scheme.size()) : std::string_view();
  const auto authority = rest.substr(0, rest.find_first_of("/?"));
  const auto target = rest.substr(authority.size());
  const bool printable =
      std::all_of(rest.begin(), rest.end(), [](char c) { return c > ' ' && c <= '~' && c != '#' && c != '\\'; });
  const bool has_port = authority.find(':', authority.starts_with('[') ? authority.find(']') : 0) != std::string::npos;
  auto place =
      http_place(std::string(authority) + (has_port ? "" : ":" + std::to_string(tls ? https_port : http_port)));
  if (!printable || authority.find('@') != std::string_view::npos || !place || place->port == 0) {
    wrong = "give https://HOST/PATH or http://HOST:PORT/PATH, without a user's name and without '#'.";
    return std::nullopt;
  }
  return HttpUrl{tls, std::move(*place), (target.starts_with('/') ? "" : "/") + std::string(target)};
}

HttpCaller::HttpCaller(TlsContext trust) : calling_(std::make_unique<Calling>(std::move(trust))) {}
HttpCaller::~HttpCaller() = default;

void HttpCaller::post(HttpCall call, std::function<void(HttpCalled)> done) {
  if (call.to.tls && !calling_->trust) {
    return asio::post(calling_->io, [done = std::move(done)] { done({0, {}, {}, "no authority is trusted"}); });
  }
  auto trust = call.to.tls ? calling_->trust : nullptr;
  auto one = std::make_shared<Call>(calling_->io, std::move(trust), std::move(call), std::move(done));
  asio::post(calling_->io, [one = std::move(one)] { one->begin(); });
}

}  // namespace mayfly::adapters
