// What a user's words say about which dead letters are meant.
#pragma once

#include "tools/console/verbs.h"
#include "tools/deadletters/dead_letter_reading.h"

#include <string>

namespace mayfly::tools {

/// A sentence if the words do not fit; else empty, and `selection` is what they say. `now`: what ages count from.
[[nodiscard]] std::string read_selection(const DeadLettersOptions&, std::int32_t partitions, events::Timestamp now,
                                         Selection& selection);

}  // namespace mayfly::tools
