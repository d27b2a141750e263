// What HTTP's standards say about the texts of requests and answers at the front door.
#pragma once

#include "adapters/http/http.h"
#include "events/log/types.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace mayfly::tools {

inline constexpr int multi_status = 207;  // RFC 4918: the body has a status for each command of a batch

/// A problem document (RFC 9457): its type is urn:mayfly:CODE.
[[nodiscard]] adapters::HttpAnswer problem(int status, std::string_view code, std::string_view detail);

/// 401: there is no token, or one that nobody has.
[[nodiscard]] adapters::HttpAnswer no_token(bool given);

/// The status for a rejection code of docs/contract.md.
[[nodiscard]] int status_of(std::string_view code);

/// Whether an If-None-Match header (RFC 9110) has that tag, which is given in its quotation marks, or is "*".
[[nodiscard]] bool has_entity_tag(std::string_view if_none_match, std::string_view tag);

/// `wait` in seconds of a Prefer header (RFC 7240), at most `longest`; 0 where it has none.
[[nodiscard]] events::Millis wait_asked(std::string_view prefer, events::Millis longest);

}  // namespace mayfly::tools
