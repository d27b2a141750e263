// Ways for a command to kill what decides it. Only in the program mayfly_poison, a test-only build.
#pragma once

#include "events/log/record.h"

#include <string_view>

namespace mayfly::poison {

/// Misbehaves if the record's value holds `word` and one of these behind it: throw, throw_int, loop, stack, null,
/// abort, memory, exit, free, terminate; and wait, for ever without CPU time. Says `poison KIND PARTITION OFFSET` on
/// standard error before.
void take(std::string_view word, const events::Record&);

}  // namespace mayfly::poison
