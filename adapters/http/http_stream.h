// The body of an answer that has no end of its own, such as server-sent events.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

namespace mayfly::adapters {

/// Shared by whoever writes, in any thread, and the connection that sends. The connection ends when what was written is
/// not taken within HttpLimits::stream_write_ms. How much may wait unsent is up to the writer.
class HttpStream {
 public:
  /// False where the connection has ended: nothing more will be sent.
  bool write(std::string_view text);
  /// What was written and not yet given to a connection.
  [[nodiscard]] std::size_t unsent_bytes() const;
  [[nodiscard]] bool open() const;
  /// Nothing more comes: the connection ends when all is sent.
  void finish();
  /// The same stream, for HttpAnswer: it is closed when the last copy of what this returns goes, so that a stream that
  /// no connection took is closed too.
  static std::shared_ptr<HttpStream> to_send(std::shared_ptr<HttpStream>);

  // For the connection.
  /// `wake` is called from writing threads whenever there is something to take. It must not call back.
  void attach(std::function<void()> wake);
  [[nodiscard]] std::string take();
  [[nodiscard]] bool finished() const;
  void close();

 private:
  mutable std::mutex mutex_;
  std::function<void()> wake_;
  std::string unsent_;
  bool open_ = true;
  bool finished_ = false;
};

}  // namespace mayfly::adapters
