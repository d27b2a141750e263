#include "adapters/sqlite/headers_blob.h"

#include <cstdint>
#include <optional>

namespace mayfly::adapters {

namespace {

void append_bytes(std::string& out, std::string_view bytes) {
  std::uint64_t size = bytes.size();
  for (; size >= 0x80; size >>= 7) out += static_cast<char>((size & 0x7f) | 0x80);
  out += static_cast<char>(size);
  out.append(bytes);
}

std::optional<std::string_view> take_bytes(std::string_view& blob) {
  std::uint64_t size = 0;
  for (int shift = 0;; shift += 7) {
    if (blob.empty() || shift > 56) return std::nullopt;
    const auto byte = static_cast<unsigned char>(blob.front());
    blob.remove_prefix(1);
    size |= std::uint64_t{byte & 0x7fu} << shift;
    if (byte < 0x80) break;
  }
  if (size > blob.size()) return std::nullopt;
  const auto bytes = blob.substr(0, size);
  blob.remove_prefix(size);
  return bytes;
}

}  // namespace

void append_headers(std::string& out, std::span<const events::Header> headers) {
  for (const auto& h : headers) {
    append_bytes(out, h.name);
    append_bytes(out, h.value);
  }
}

bool read_headers(std::string_view blob, std::vector<events::Header>& out) {
  while (!blob.empty()) {
    const auto name = take_bytes(blob);
    const auto value = name ? take_bytes(blob) : std::nullopt;
    if (!value) return false;
    out.push_back({*name, *value});
  }
  return true;
}

}  // namespace mayfly::adapters
