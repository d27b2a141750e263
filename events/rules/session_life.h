// How long a payment session lives at most while its engine attends to it: a session that is older has no end.
#pragma once

#include "events/rules/session.h"
#include "events/rules/settings.h"

namespace mayfly::events {

/// By its type: what is left to happen before an order is placed, or after. The sum of all waits that can follow each
/// other (decisions.md 5), and a quarter of it for waits that begin late because the engine lags.
[[nodiscard]] Millis longest_life(const Settings&, const Session&);

}  // namespace mayfly::events
