#include "events/state/bytes.h"

#include "events/text/precondition.h"

namespace mayfly::events {

void ByteWriter::fixed(std::uint64_t value, int width) {
  precondition(width >= 1 && width <= 8 && (width == 8 || value >> (8 * width) == 0),
               "ByteWriter::fixed: the value fits");
  make_room(static_cast<std::size_t>(width));
  for (int i = 0; i < width; ++i) *at_++ = static_cast<char>(static_cast<unsigned char>(value >> (8 * i)));
}

void ByteWriter::varint(std::uint64_t value) {
  constexpr std::size_t most_bytes = 10;
  make_room(most_bytes);
  for (; value >= 0x80; value >>= 7) *at_++ = static_cast<char>(static_cast<unsigned char>(value | 0x80));
  *at_++ = static_cast<char>(value);
}

bool ByteReader::has(std::uint64_t count) {
  if (!failed_ && count <= bytes_.size() - at_) return true;
  failed_ = true;
  return false;
}

std::uint64_t ByteReader::fixed(int width) {
  if (!has(static_cast<std::uint64_t>(width))) return 0;
  std::uint64_t value = 0;
  for (int i = 0; i < width; ++i) value |= std::uint64_t{static_cast<unsigned char>(bytes_[at_++])} << (8 * i);
  return value;
}

std::uint64_t ByteReader::varint() {
  std::uint64_t value = 0;
  for (int shift = 0; shift < 64; shift += 7) {
    const auto byte = fixed(1);
    if (failed_) return 0;
    if (shift == 63 && byte > 1) break;  // more than 64 bits
    value |= (byte & 0x7f) << shift;
    if (byte < 0x80) {
      if (byte == 0 && shift != 0) break;  // not the shortest form: we did not write that
      return value;
    }
  }
  fail();
  return 0;
}

std::uint64_t ByteReader::varint(std::uint64_t most) {
  const auto value = varint();
  if (value <= most) return value;
  fail();
  return 0;
}

std::string_view ByteReader::view(std::uint64_t size) {
  if (!has(size)) return {};
  const auto viewed = bytes_.substr(at_, size);
  at_ += size;
  return viewed;
}

std::string damaged(std::string_view what, std::size_t at, std::size_t size) {
  return std::string(what) + " is cut short or damaged: it cannot be read at byte " + std::to_string(at) + " of " +
         std::to_string(size) +
         ". Restore the log from a copy that is whole, or replay its commands from the beginning.";
}

std::string newer_layout(std::string_view what, std::uint64_t found, std::uint64_t newest_known) {
  return std::string(what) + " has layout version " + std::to_string(found) +
         ", but this program reads layouts up to version " + std::to_string(newest_known) +
         ". Run a Mayfly at least as new as the one that wrote it.";
}

}  // namespace mayfly::events
