// The report of a re-enactment: what terminal and page have in common, and its two forms.
#pragma once

#include "tools/reenact/verdict.h"

#include <array>
#include <string>
#include <vector>

namespace mayfly::tools {

/// A row of the comparison: one cell for each run.
struct ReportRow {
  std::string label;
  std::array<std::string, roles.size()> cells;
};
[[nodiscard]] std::vector<ReportRow> report_rows(const Plan&, const Verdict&);
/// "minute 3.4" of the outage.
[[nodiscard]] std::string minute_text(const Plan&, events::Millis since_begin);
/// What happened then, in one sentence.
[[nodiscard]] std::string story(const Plan&);
/// How it was played, one sentence each.
[[nodiscard]] std::vector<std::string> circumstances(const Plan&);

/// Of one that was stopped.
[[nodiscard]] std::string stopped_text(const Plan&, events::Millis stopped);

/// For a terminal.
[[nodiscard]] std::string report_text(const Plan&, const Verdict&);
/// One HTML file that needs nothing else. `command` repeats it.
[[nodiscard]] std::string report_page(const Plan&, const Recordings&, const Verdict&, const std::string& command);

}  // namespace mayfly::tools
