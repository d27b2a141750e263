// Numbers and texts in state records (docs/state-format.md): little-endian fixed fields, LEB128 varints, texts behind
// their length. Private to events/. Knows no record's layout.
#pragma once

#include "events/text/appender.h"

#include <cstdint>
#include <string>
#include <string_view>

namespace mayfly::events {

/// Appends to a string that outlives it, and that is not to be read before its end.
class ByteWriter : private Appender {
 public:
  using Appender::Appender;
  ~ByteWriter() { end(); }

  /// The `width` low bytes of `value`, lowest first. Precondition: 1 <= width <= 8, and the others are 0.
  void fixed(std::uint64_t value, int width);
  /// 7 bits a byte, lowest first, the high bit says that more follow: 1 byte below 128.
  void varint(std::uint64_t value);
  void text(std::string_view value) {
    varint(value.size());
    put(value);
  }
};

/// Reads what ByteWriter wrote and never beyond the bytes given. The first thing that cannot be read makes it fail for
/// good: from then on it gives zeros and empty texts, so a caller checks done() once, at the end.
class ByteReader {
 public:
  explicit ByteReader(std::string_view bytes) : bytes_(bytes) {}

  [[nodiscard]] std::uint64_t fixed(int width);
  [[nodiscard]] std::uint64_t varint();
  /// A varint of at most `most`; fails beyond.
  [[nodiscard]] std::uint64_t varint(std::uint64_t most);
  /// A view of the next `size` bytes given.
  [[nodiscard]] std::string_view view(std::uint64_t size);
  /// A view of the text behind its length.
  [[nodiscard]] std::string_view text() { return view(varint()); }
  /// One byte that is an enumerator, `last` being the highest.
  template <class Enum>
  [[nodiscard]] Enum one_of(Enum last) {
    return static_cast<Enum>(varint(static_cast<std::uint64_t>(last)));
  }

  /// For what the caller finds impossible in what it read.
  void fail() { failed_ = true; }
  [[nodiscard]] bool failed() const { return failed_; }
  /// Everything was read, to the last byte.
  [[nodiscard]] bool done() const { return !failed_ && at_ == bytes_.size(); }
  /// Where it stands; after a failure, where that was.
  [[nodiscard]] std::size_t position() const { return at_; }

 private:
  [[nodiscard]] bool has(std::uint64_t count);
  std::string_view bytes_;
  std::size_t at_ = 0;
  bool failed_ = false;
};

/// Sentences for a person. `what` is the record, e.g. "the cart's state".
[[nodiscard]] std::string damaged(std::string_view what, std::size_t at, std::size_t size);
/// Of a record that a newer program wrote.
[[nodiscard]] std::string newer_layout(std::string_view what, std::uint64_t found, std::uint64_t newest_known);

}  // namespace mayfly::events
