#include "tools/front_door/http_words.h"

#include "tools/console/numbers.h"

#include <nlohmann/json.hpp>

#include <algorithm>

namespace mayfly::tools {

adapters::HttpAnswer problem(int status, std::string_view code, std::string_view detail) {
  const nlohmann::json body = {{"type", "urn:mayfly:" + std::string(code)},
                               {"title", std::string(code)},
                               {"status", status},
                               {"detail", std::string(detail)}};
  return {status, "application/problem+json", body.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace)};
}

adapters::HttpAnswer no_token(bool given) {
  auto answer = problem(401, "unauthorized",
                        given ? "the bearer token is not one of the tokens' file"
                              : "a bearer token is needed: Authorization: Bearer TOKEN");
  answer.headers.emplace_back("WWW-Authenticate", "Bearer");
  return answer;
}

int status_of(std::string_view code) {
  if (code == "cart_unknown" || code == "session_unknown" || code == "line_unknown") return 404;
  if (code == "data_invalid" || code == "id_reused" || code == "card_number_refused" || code == "currency_unknown")
    return 422;
  if (code == "try_later") return 503;
  return 409;
}

bool has_entity_tag(std::string_view if_none_match, std::string_view tag) {
  while (!if_none_match.empty()) {
    auto part = if_none_match.substr(0, if_none_match.find(','));
    if_none_match.remove_prefix(std::min(part.size() + 1, if_none_match.size()));
    part.remove_prefix(std::min(part.find_first_not_of(" \t"), part.size()));
    part = part.substr(0, part.find_last_not_of(" \t") + 1);
    if (part.starts_with("W/")) part.remove_prefix(2);
    if (part == tag || part == "*") return true;
  }
  return false;
}

events::Millis wait_asked(std::string_view prefer, events::Millis longest) {
  while (!prefer.empty()) {
    auto part = prefer.substr(0, prefer.find_first_of(",;"));
    prefer.remove_prefix(std::min(part.size() + 1, prefer.size()));
    part.remove_prefix(std::min(part.find_first_not_of(' '), part.size()));
    constexpr std::string_view name = "wait=";
    if (!part.starts_with(name)) continue;
    part.remove_prefix(name.size());
    const auto s = number_from_text(part).value_or(0);
    return {s >= longest.count / 1000 ? longest.count : s * 1000};
  }
  return {};
}

}  // namespace mayfly::tools
