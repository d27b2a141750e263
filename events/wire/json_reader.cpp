#include "events/wire/json_reader.h"

#include "events/text/number.h"

#include <simdjson.h>

#include <cstring>
#include <vector>

namespace mayfly::events {

namespace {

namespace ondemand = simdjson::ondemand;

struct Malformed {};

void check(simdjson::error_code error) {
  if (error != simdjson::SUCCESS) throw Malformed{};
}

std::string_view trimmed(std::string_view token) {
  while (!token.empty() &&
         (token.back() == ' ' || token.back() == '\n' || token.back() == '\r' || token.back() == '\t')) {
    token.remove_suffix(1);
  }
  return token;
}

/// RFC 8259 section 6.
bool is_number(std::string_view text) {
  const auto digits = [&] {
    std::size_t count = 0;
    while (!text.empty() && text[0] >= '0' && text[0] <= '9') text.remove_prefix(1), ++count;
    return count;
  };
  const auto skip = [&](std::string_view any) {
    if (text.empty() || any.find(text[0]) == std::string_view::npos) return false;
    text.remove_prefix(1);
    return true;
  };
  skip("-");
  const bool zero = !text.empty() && text[0] == '0';
  const auto whole = digits();
  if (whole == 0 || (zero && whole > 1)) return false;
  if (skip(".") && digits() == 0) return false;
  if (skip("eE")) {
    skip("+-");
    if (digits() == 0) return false;
  }
  return text.empty();
}

}  // namespace

struct JsonReader::Parser {
  ondemand::parser parser;
  std::vector<char> padded;
  std::vector<JsonValue> items;     // of arrays that are being read, innermost last
  std::vector<JsonMember> members;  // of objects, likewise
  std::pmr::memory_resource* arena = nullptr;

  std::string_view keep(std::string_view text) {
    if (text.empty()) return std::string_view("");
    auto* bytes = static_cast<char*>(arena->allocate(text.size(), 1));
    std::memcpy(bytes, text.data(), text.size());
    return {bytes, text.size()};
  }

  /// Moves what was gathered since `begin` into the arena.
  template <class T>
  std::span<const T> gathered(std::vector<T>& from, std::size_t begin) {
    const std::size_t count = from.size() - begin;
    auto* kept = static_cast<T*>(arena->allocate(count * sizeof(T) + 1, alignof(T)));
    std::uninitialized_copy(from.begin() + static_cast<std::ptrdiff_t>(begin), from.end(), kept);
    from.resize(begin);
    return {kept, count};
  }

  JsonValue scalar(std::string_view token) {
    JsonValue v;
    token = trimmed(token);
    if (token == "true" || token == "false") {
      v.kind = JsonValue::Kind::boolean;
      v.truth = token == "true";
    } else if (token == "null") {
      v.kind = JsonValue::Kind::null;
    } else if (is_number(token)) {
      v.kind = JsonValue::Kind::number;
      v.text = keep(token);
    } else {
      throw Malformed{};
    }
    return v;
  }

  JsonValue value(ondemand::value from, int depth) {
    ondemand::json_type type{};
    check(from.type().get(type));
    switch (type) {
      case ondemand::json_type::object: {
        ondemand::object inner;
        check(from.get_object().get(inner));
        return object(inner, depth + 1);
      }
      case ondemand::json_type::array: return array(from, depth + 1);
      case ondemand::json_type::string: {
        std::string_view text;
        check(from.get_string().get(text));
        JsonValue v;
        v.kind = JsonValue::Kind::string;
        v.text = keep(text);
        return v;
      }
      default: return scalar(from.raw_json_token());
    }
  }

  JsonValue array(ondemand::value from, int depth) {
    if (depth > deepest) throw Malformed{};
    ondemand::array inner;
    check(from.get_array().get(inner));
    const auto begin = items.size();
    for (auto element : inner) {
      ondemand::value item;
      check(element.get(item));
      auto read = value(item, depth);
      items.push_back(read);
    }
    JsonValue v;
    v.kind = JsonValue::Kind::array;
    v.items = gathered(items, begin);
    return v;
  }

  JsonValue object(ondemand::object from, int depth) {
    if (depth > deepest) throw Malformed{};
    const auto begin = members.size();
    for (auto element : from) {
      ondemand::field field;
      check(std::move(element).get(field));
      std::string_view name;
      check(field.unescaped_key().get(name));
      name = keep(name);
      auto read = value(field.value(), depth);
      members.push_back({name, read});
    }
    JsonValue v;
    v.kind = JsonValue::Kind::object;
    v.members = gathered(members, begin);
    return v;
  }
};

std::optional<std::int64_t> JsonValue::integer() const {
  if (kind != Kind::number) return std::nullopt;
  return number_in<std::int64_t>(text);
}

JsonReader::JsonReader() : parser_(std::make_unique<Parser>()) {}
JsonReader::~JsonReader() = default;
JsonReader::JsonReader(JsonReader&&) noexcept = default;
JsonReader& JsonReader::operator=(JsonReader&&) noexcept = default;

std::optional<JsonValue> JsonReader::read(std::string_view json, std::pmr::memory_resource* arena) {
  auto& p = *parser_;
  p.arena = arena;
  p.items.clear();
  p.members.clear();
  p.padded.resize(json.size() + simdjson::SIMDJSON_PADDING);
  if (!json.empty()) std::memcpy(p.padded.data(), json.data(), json.size());
  std::memset(p.padded.data() + json.size(), 0, simdjson::SIMDJSON_PADDING);
  if (json.starts_with("\xef\xbb\xbf")) return std::nullopt;
  try {
    ondemand::document document;
    check(p.parser.iterate(p.padded.data(), json.size(), p.padded.size()).get(document));
    bool is_scalar = true;
    check(document.is_scalar().get(is_scalar));
    if (is_scalar) return std::nullopt;  // no command's data and no event's envelope is one
    ondemand::value whole;
    check(document.get_value().get(whole));
    auto read = p.value(whole, 0);
    const char* more = nullptr;
    if (document.current_location().get(more) == simdjson::SUCCESS) return std::nullopt;  // something follows
    return read;
  } catch (const Malformed&) {
    return std::nullopt;
  }
}

}  // namespace mayfly::events
