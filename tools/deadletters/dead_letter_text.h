// Dead letters as people and programs read them.
#pragma once

#include "tools/deadletters/dead_letter_dry_run.h"
#include "tools/deadletters/dead_letter_reading.h"

#include <string>

namespace mayfly::tools {

/// Position, time, reason, type, key, where it lay among the commands, what became of it.
[[nodiscard]] std::string as_line(const Found&);
/// Everything, over several lines.
[[nodiscard]] std::string as_page(const Found&);
/// Position, type, key, and what it would come to.
[[nodiscard]] std::string as_line(const Found&, const DryOutcome&);
[[nodiscard]] std::string as_ndjson(const Found&, const DryOutcome&);
/// One object. `whole`: with the record itself.
[[nodiscard]] std::string as_ndjson(const Found&, bool whole);

}  // namespace mayfly::tools
