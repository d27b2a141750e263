// Reads one JSON document (RFC 8259) completely into a small tree: simdjson behind an interface without its header.
#pragma once

#include <cstdint>
#include <memory>
#include <memory_resource>
#include <optional>
#include <span>
#include <string_view>

namespace mayfly::events {

struct JsonMember;

/// A value. Numbers keep their text, so that none is too large to be read.
struct JsonValue {
  enum class Kind : std::uint8_t { null, boolean, number, string, array, object } kind = Kind::null;
  bool truth = false;
  std::string_view text;  // of a number as written; of a string without escapes
  std::span<const JsonValue> items;
  std::span<const JsonMember> members;  // in order, doubled ones too

  /// An integer without fraction or exponent that int64 can hold.
  [[nodiscard]] std::optional<std::int64_t> integer() const;
};

struct JsonMember {
  std::string_view name;
  JsonValue value;
};

class JsonReader {
 public:
  static constexpr int deepest = 64;  // arrays and objects within each other

  JsonReader();
  ~JsonReader();
  JsonReader(JsonReader&&) noexcept;
  JsonReader& operator=(JsonReader&&) noexcept;

  /// The whole document, or nothing if it is not well-formed JSON in UTF-8, is deeper than `deepest`, or has a string
  /// that is no Unicode text (a lone surrogate). What the tree views lies in `arena`.
  [[nodiscard]] std::optional<JsonValue> read(std::string_view json, std::pmr::memory_resource* arena);

 private:
  struct Parser;
  std::unique_ptr<Parser> parser_;
};

}  // namespace mayfly::events
