// Reads the members of a command's data, one after the other (contract.md 6). Private to events/wire/.
#pragma once

#include "events/rules/command.h"
#include "events/rules/identity.h"
#include "events/wire/json_reader.h"

#include <cstring>
#include <memory>
#include <memory_resource>
#include <optional>
#include <string>
#include <string_view>

namespace mayfly::events {

/// Reads the members of one object; the first that is wrong is kept as the reason.
class Members {
 public:
  Members(const JsonValue& object, std::pmr::memory_resource* arena) : object_(object), arena_(arena) {}

  [[nodiscard]] bool good() const { return about_.empty(); }
  [[nodiscard]] Text about() const { return about_; }
  [[nodiscard]] std::pmr::memory_resource* arena() const { return arena_; }

  Text text(std::string_view name, std::int64_t most_bytes) {
    const auto* v = needed(name);
    if (v == nullptr) return {};
    const auto read = string(name, *v, most_bytes);
    if (good() && read.empty()) wrong(name, "is empty");
    return read;
  }
  Text text_if(std::string_view name, std::int64_t most_bytes) {
    const auto* v = given(name);
    return v == nullptr ? Text{} : string(name, *v, most_bytes);
  }
  /// Text that people write: without card numbers.
  Text free_text(std::string_view name) { return masked(text(name, limits::text_bytes)); }
  Text free_text_if(std::string_view name) { return masked(text_if(name, limits::text_bytes)); }

  std::int64_t integer(std::string_view name) {
    const auto* v = needed(name);
    return v == nullptr ? 0 : number(name, *v);
  }
  std::optional<std::int64_t> integer_if(std::string_view name) {
    const auto* v = given(name);
    return v == nullptr ? std::nullopt : std::optional(number(name, *v));
  }
  std::int64_t integer_within(std::string_view name, std::int64_t least, std::int64_t most) {
    const auto* v = needed(name);
    return v == nullptr ? least : within(name, *v, least, most);
  }
  std::optional<std::int64_t> integer_within_if(std::string_view name, std::int64_t least, std::int64_t most) {
    const auto* v = given(name);
    return v == nullptr ? std::nullopt : std::optional(within(name, *v, least, most));
  }
  Minor amount(std::string_view name) {
    const auto minor = integer(name);
    if (minor < 0) wrong(name, "is negative");
    return minor;
  }
  void amount_if(std::string_view name) {
    if (given(name) != nullptr) amount(name);
  }
  bool boolean(std::string_view name) {
    const auto* v = needed(name);
    if (v == nullptr) return false;
    if (v->kind != JsonValue::Kind::boolean) wrong(name, "is not true or false");
    return v->truth;
  }
  /// False if absent.
  bool boolean_if(std::string_view name) { return given(name) != nullptr && boolean(name); }
  /// Without card numbers; in the arena if it had one.
  Text masked(Text text) {
    if (!may_hold_card_number(text)) return text;
    auto* bytes = static_cast<char*>(arena_->allocate(text.size(), 1));
    std::memcpy(bytes, text.data(), text.size());
    mask_card_numbers({bytes, text.size()});
    return {bytes, text.size()};
  }
  /// Null if absent or wrong.
  const JsonValue* needed(std::string_view name) {
    const auto* v = given(name);
    if (v == nullptr && good()) wrong(name, "is missing");
    return v;
  }
  const JsonValue* given(std::string_view name) {
    const JsonValue* found = nullptr;
    bool seen = false;
    for (const auto& member : object_.members) {
      if (member.name != name) continue;
      if (seen) {
        wrong(name, "is given twice");
        return nullptr;
      }
      seen = true;
      if (member.value.kind != JsonValue::Kind::null) found = &member.value;
    }
    return found;
  }
  void wrong(std::string_view name, std::string_view why) {
    if (!good()) return;
    about_ = joined(name, why);
  }
  void take_over(const Members& inner) {
    if (good()) about_ = inner.about_;
  }

 private:
  Text string(std::string_view name, const JsonValue& v, std::int64_t most_bytes) {
    if (v.kind != JsonValue::Kind::string) {
      wrong(name, "is not a string");
      return {};
    }
    if (std::ssize(v.text) > most_bytes) wrong(name, "is longer than " + std::to_string(most_bytes) + " bytes");
    return v.text;
  }
  std::int64_t number(std::string_view name, const JsonValue& v) {
    const auto read = v.integer();
    if (!read) wrong(name, "is not an integer that 64 bits hold");
    return read.value_or(0);
  }
  std::int64_t within(std::string_view name, const JsonValue& v, std::int64_t least, std::int64_t most) {
    const auto read = number(name, v);
    if (read < least || read > most) {
      wrong(name, "is not from " + std::to_string(least) + " to " + std::to_string(most));
    }
    return read;
  }
  Text joined(std::string_view name, std::string_view why) {
    auto* bytes = static_cast<char*>(arena_->allocate(name.size() + 1 + why.size(), 1));
    std::memcpy(bytes, name.data(), name.size());
    bytes[name.size()] = ' ';
    std::memcpy(bytes + name.size() + 1, why.data(), why.size());
    return {bytes, name.size() + 1 + why.size()};
  }

  const JsonValue& object_;
  std::pmr::memory_resource* arena_;
  Text about_;
};

constexpr std::int64_t currency_bytes = 64;

template <class T>
std::span<T> array_of(std::size_t count, std::pmr::memory_resource* arena) {
  auto* items = static_cast<T*>(arena->allocate(count * sizeof(T) + 1, alignof(T)));
  std::uninitialized_value_construct_n(items, count);
  return {items, count};
}

}  // namespace mayfly::events
