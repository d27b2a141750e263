// Small texts for people: numbers with separators, money, times; and the wish of a user to stop.
#pragma once

#include "events/log/types.h"
#include "events/rules/money.h"

#include <cstdint>
#include <functional>
#include <stop_token>
#include <string>
#include <string_view>

namespace mayfly::tools {

/// 1234567 -> "1,234,567".
[[nodiscard]] std::string grouped(std::int64_t);
/// 1999 GBP -> "19.99 GBP".
[[nodiscard]] std::string money(events::Minor, events::Currency);
/// Seconds in the unit that a person would use: "90 s", "35 min", "12 h", "3 d".
[[nodiscard]] std::string age_text(std::int64_t s);
/// "PARTITION:OFFSET".
[[nodiscard]] std::string position_text(events::Position);
/// RFC 3339 with milliseconds.
[[nodiscard]] std::string time_text(events::Timestamp);
/// A label's value in Prometheus's text format, without the quotation marks around it: quotation marks, backslashes and
/// line feeds are escaped.
[[nodiscard]] std::string label_value(std::string_view);
/// Resident memory of this process in bytes.
[[nodiscard]] std::int64_t resident_bytes();

/// From here on SIGTERM and SIGINT end nothing but ask to stop. Call before any other thread is made; a second signal
/// ends the process at once, after `before_end`, which a thread of its own calls while all others go on: nothing that
/// it uses may ever end before the process does.
[[nodiscard]] std::stop_source stop_on_signals(std::function<void()> before_end = [] {});

/// True when standard output (1) or standard error (2) is a terminal.
[[nodiscard]] bool is_terminal(int descriptor);

}  // namespace mayfly::tools
