#include "tools/replay/first_difference.h"

#include "events/state/snapshot.h"
#include "events/state/state_difference.h"
#include "tools/console/parsed_json.h"

#include <nlohmann/json.hpp>

#include <algorithm>

namespace mayfly::tools {

using Json = nlohmann::json;

namespace {

constexpr std::size_t shown_bytes = 200;

std::string shown(std::string_view text) {
  std::string out(text.substr(0, shown_bytes));
  return text.size() > shown_bytes ? out + " ..." : out;
}

std::string differ(const std::string& field, std::string_view recorded, std::string_view again) {
  return field + ": recorded " + shown(recorded) + ", again " + shown(again);
}

std::string dumped(const Json& json) { return json.dump(-1, ' ', false, Json::error_handler_t::replace); }

/// The first member, in the order of their names, that differs.
std::string data_difference(const std::string& path, const Json& recorded, const Json& again) {
  if (recorded.is_object() && again.is_object()) {
    for (const auto& member : recorded.items()) {
      const auto found = again.find(member.key());
      if (found == again.end()) return differ(path + "." + member.key(), dumped(member.value()), "nothing");
      if (*found != member.value()) return data_difference(path + "." + member.key(), member.value(), *found);
    }
    for (const auto& member : again.items()) {
      if (!recorded.contains(member.key())) return differ(path + "." + member.key(), "nothing", dumped(member.value()));
    }
  }
  if (recorded.is_array() && again.is_array()) {
    for (std::size_t i = 0; i < std::min(recorded.size(), again.size()); ++i) {
      if (recorded[i] != again[i]) return data_difference(path + "[" + std::to_string(i) + "]", recorded[i], again[i]);
    }
  }
  return differ(path, dumped(recorded), dumped(again));
}

}  // namespace

std::string first_difference(const RecordContent& recorded, const RecordContent& again) {
  if (recorded.key != again.key) return differ("key", recorded.key.value_or("none"), again.key.value_or("none"));
  for (std::size_t i = 0; i < std::max(recorded.headers.size(), again.headers.size()); ++i) {
    if (i == recorded.headers.size())
      return differ(std::string(again.headers[i].name), "nothing", again.headers[i].value);
    const auto& r = recorded.headers[i];
    if (i == again.headers.size()) return differ(std::string(r.name), r.value, "nothing");
    const auto& a = again.headers[i];
    if (r.name != a.name) return differ("header " + std::to_string(i), r.name, a.name);
    if (r.value != a.value) return differ(std::string(r.name), r.value, a.value);
  }
  if (recorded.value == again.value) return {};
  const auto r = parsed_json(recorded.value.value_or("null"));
  const auto a = parsed_json(again.value.value_or("null"));
  if (r.is_discarded() || a.is_discarded() || r == a)
    return differ("data", recorded.value.value_or("none"), again.value.value_or("none"));
  return data_difference("data", r, a);
}

std::string first_difference_of_state(std::string_view key, std::string_view recorded, std::string_view again) {
  auto bytes = differ("bytes", std::to_string(recorded.size()) + " bytes", std::to_string(again.size()) + " bytes");
  std::optional<events::StateDifference> found;
  if (key == events::position_key) {
    const auto r = events::decode_position(recorded);
    const auto a = events::decode_position(again);
    if (r.index() != 0 || a.index() != 0) return bytes;
    found = events::first_difference(std::get<events::PositionRecord>(r), std::get<events::PositionRecord>(a));
  } else if (!key.starts_with('\x01')) {
    const auto r = events::split_snapshot(recorded);
    const auto a = events::split_snapshot(again);
    if (r.index() != 0 || a.index() != 0) return bytes;
    found = events::first_difference(key, std::get<events::SnapshotParts>(r), std::get<events::SnapshotParts>(a));
  }
  return found ? differ("state." + found->field, found->one, found->other) : bytes;
}

std::string summary(std::span<const events::Header> headers, const std::optional<events::Bytes>& value) {
  std::string type = "?";
  for (const auto& h : headers) {
    if (h.name == "ce_type") type = h.value;
  }
  return type + " " + shown(value.value_or("nothing"));
}

}  // namespace mayfly::tools
