// The answer to one command, made of what it came to. docs/http.md, Answers.
#pragma once

#include "adapters/http/http.h"
#include "tools/front_door/keyed_exchange.h"

#include <string>

namespace mayfly::tools {

/// 200 with its events, 202 where it is durable and not decided yet, 503 where the log did not take it. A refused
/// command is a problem with the contract's code.
[[nodiscard]] adapters::HttpAnswer answer_to(const std::string& cart, const std::string& id, const CommandOutcome&);

/// The same of a command with a key; 422 or 409 where another request has that key.
[[nodiscard]] adapters::HttpAnswer answer_to(const std::string& cart, const std::string& id, const KeyedOutcome&);

}  // namespace mayfly::tools
