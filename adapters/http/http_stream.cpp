#include "adapters/http/http_stream.h"

#include <utility>

namespace mayfly::adapters {

bool HttpStream::write(std::string_view text) {
  const std::scoped_lock lock(mutex_);
  if (!open_ || finished_) return false;
  unsent_ += text;
  if (wake_) wake_();
  return true;
}

std::size_t HttpStream::unsent_bytes() const {
  const std::scoped_lock lock(mutex_);
  return unsent_.size();
}

bool HttpStream::open() const {
  const std::scoped_lock lock(mutex_);
  return open_;
}

void HttpStream::finish() {
  const std::scoped_lock lock(mutex_);
  finished_ = true;
  if (wake_) wake_();
}

std::shared_ptr<HttpStream> HttpStream::to_send(std::shared_ptr<HttpStream> stream) {
  auto* const same = stream.get();
  return {same, [kept = std::move(stream)](HttpStream*) { kept->close(); }};
}

void HttpStream::attach(std::function<void()> wake) {
  const std::scoped_lock lock(mutex_);
  wake_ = std::move(wake);
}

std::string HttpStream::take() {
  const std::scoped_lock lock(mutex_);
  return std::exchange(unsent_, {});
}

bool HttpStream::finished() const {
  const std::scoped_lock lock(mutex_);
  return finished_;
}

void HttpStream::close() {
  const std::scoped_lock lock(mutex_);
  open_ = false;
  wake_ = nullptr;
  unsent_ = {};
}

}  // namespace mayfly::adapters
