// The bytes of an HTTP connection, as they are or within TLS. An AsyncStream of Boost.Asio, for one thread.
#pragma once

#include "adapters/http/tls.h"

#include <boost/asio/ssl/error.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/beast/core/error.hpp>
#include <boost/beast/core/tcp_stream.hpp>

#include <optional>
#include <utility>

namespace mayfly::adapters {

class HttpWire {
 public:
  using executor_type = boost::beast::tcp_stream::executor_type;
  using Tls = boost::asio::ssl::stream<boost::beast::tcp_stream&>;

  /// Without a context there is no TLS.
  HttpWire(boost::beast::tcp_stream&& tcp, TlsContext context) : tcp_(std::move(tcp)), context_(std::move(context)) {
    if (context_) tls_.emplace(tcp_, *context_);
  }
  HttpWire(const HttpWire&) = delete;
  HttpWire& operator=(const HttpWire&) = delete;

  [[nodiscard]] executor_type get_executor() { return tcp_.get_executor(); }
  /// For deadlines, which hold for everything below, and to connect.
  [[nodiscard]] boost::beast::tcp_stream& tcp() { return tcp_; }
  /// Null where there is no TLS.
  [[nodiscard]] Tls* tls() { return tls_ ? &*tls_ : nullptr; }

  /// `done` is given an error code. At once where there is no TLS.
  template <class Done>
  void async_handshake(boost::asio::ssl::stream_base::handshake_type side, Done&& done) {
    if (tls_) return void(tls_->async_handshake(side, std::forward<Done>(done)));
    std::forward<Done>(done)(boost::beast::error_code());
  }

  /// Tells the other side that nothing more is sent. Within TLS it is waited for to say the same; `done` is called when
  /// it has, or has failed to.
  template <class Done>
  void async_end(Done&& done) {
    if (tls_) return tls_->async_shutdown(std::forward<Done>(done));
    boost::beast::error_code wrong;
    tcp_.socket().shutdown(boost::asio::ip::tcp::socket::shutdown_send, wrong);
    std::forward<Done>(done)(wrong);
  }

  template <class Buffers, class Handler>
  void async_read_some(const Buffers& buffers, Handler&& handler) {
    if (tls_) {
      tls_->async_read_some(buffers, std::forward<Handler>(handler));
    } else {
      tcp_.async_read_some(buffers, std::forward<Handler>(handler));
    }
  }

  template <class Buffers, class Handler>
  void async_write_some(const Buffers& buffers, Handler&& handler) {
    if (tls_) {
      tls_->async_write_some(buffers, std::forward<Handler>(handler));
    } else {
      tcp_.async_write_some(buffers, std::forward<Handler>(handler));
    }
  }

 private:
  boost::beast::tcp_stream tcp_;
  TlsContext context_;  // outlives tls_
  std::optional<Tls> tls_;
};

}  // namespace mayfly::adapters
