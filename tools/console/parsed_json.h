// JSON of any origin: a record's value, a request's body.
#pragma once

#include <nlohmann/json.hpp>

#include <string_view>

namespace mayfly::tools {

/// Arrays and objects within each other. An engine reads fewer; what prints or walks a value needs stack for each.
inline constexpr int deepest_parsed_json = 500;

/// Discarded where the text is no JSON, or deeper than that.
template <class Json = nlohmann::json>
[[nodiscard]] Json parsed_json(std::string_view text) {
  bool too_deep = false;
  auto json = Json::parse(
      text,
      [&too_deep](int depth, typename Json::parse_event_t, Json&) {
        too_deep = too_deep || depth >= deepest_parsed_json;
        return !too_deep;
      },
      false);
  return too_deep ? Json(Json::value_t::discarded) : json;
}

}  // namespace mayfly::tools
