// Records as people and programs read them: aligned lines, NDJSON.
#pragma once

#include "events/record.h"

#include <string>
#include <string_view>

namespace mayfly::tools {

[[nodiscard]] std::string_view header(const events::Record&, std::string_view name);
/// The short name of the record's type, or "".
[[nodiscard]] std::string_view short_type(const events::Record&);
/// Text as it is; of anything else each byte that is no printable ASCII as \xHH.
[[nodiscard]] std::string printable(std::string_view bytes);
/// One object: partition, offset, key, append_time, headers, data (or data_base64 if the value is no JSON).
[[nodiscard]] std::string as_ndjson(const events::Record&);
/// Time, position, cart, sequence, type and the beginning of the data.
[[nodiscard]] std::string as_line(const events::Record&, events::Stream);

}  // namespace mayfly::tools
