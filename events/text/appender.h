// Appends to a string piece by piece. Knows no format.
#pragma once

#include <charconv>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

namespace mayfly::events {

/// The growing end of a string. It takes room ahead of what is written, so that the string is asked for it once in some
/// hundred bytes: the string is as it should be after end(), and until the next call. The string outlives it.
class Appender {
 public:
  explicit Appender(std::string& out) : out_(out) {}
  Appender(const Appender&) = delete;
  Appender& operator=(const Appender&) = delete;

  void put(char c) {
    make_room(1);
    *at_++ = c;
  }
  void put(std::string_view text) {
    make_room(text.size());
    copy(text);
  }
  /// In decimal digits.
  void put_digits(std::int64_t number) {
    constexpr std::size_t most_digits = 20;
    make_room(most_digits);
    at_ = std::to_chars(at_, limit_, number).ptr;
  }
  /// Gives the room back that is not written.
  std::string& end() {
    if (at_ != nullptr) out_.resize(static_cast<std::size_t>(at_ - out_.data()));
    at_ = limit_ = nullptr;
    return out_;
  }

 protected:
  void make_room(std::size_t bytes) {
    if (static_cast<std::size_t>(limit_ - at_) < bytes) grow(bytes);
  }
  void copy(std::string_view text) {
    if (text.empty()) return;
    std::memcpy(at_, text.data(), text.size());
    at_ += text.size();
  }

  char* at_ = nullptr;  // in the string; null: nothing is written since end()

 private:
  void grow(std::size_t bytes);

  std::string& out_;
  char* limit_ = nullptr;
};

}  // namespace mayfly::events
