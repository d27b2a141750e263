// Records as people and programs read them: aligned lines, NDJSON.
#pragma once

#include "events/log/record.h"
#include "tools/console/printable.h"

#include <cstdint>
#include <string>
#include <string_view>

namespace mayfly::tools {

[[nodiscard]] std::string_view header(const events::Record&, std::string_view name);
/// The short name of the record's type, or "".
[[nodiscard]] std::string_view short_type(const events::Record&);
/// One object: partition, offset, key, append_time, headers, data (or data_base64 if the value is no JSON).
[[nodiscard]] std::string as_ndjson(const events::Record&);
/// For a terminal long keys and data are shortened; a pipe gets all of them.
enum class TextWidth : std::uint8_t { terminal, whole };
/// Time, position, cart, sequence, type and the data.
[[nodiscard]] std::string as_line(const events::Record&, events::Stream, TextWidth);

}  // namespace mayfly::tools
