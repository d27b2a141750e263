// What a running engine answers over HTTP, for the verbs that show it.
#pragma once

#include <nlohmann/json.hpp>

#include <string>

namespace mayfly::tools {

/// Asks the engine at `address` (HOST:PORT) for `path` and prints its JSON as it is, if `as_json`, else by `show`.
/// `member`: what Mayfly's answer has. Returns an ExitCode; what is wrong goes to standard error.
[[nodiscard]] int show_answer(const std::string& address, const std::string& path, const char* member, bool as_json,
                              void (*show)(const nlohmann::json&));

/// A number of an answer, with separators.
[[nodiscard]] std::string count_text(const nlohmann::json& of, const char* member);

}  // namespace mayfly::tools
