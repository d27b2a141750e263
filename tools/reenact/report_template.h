// The page of a re-enactment, tools/reenact/report.html, with {{NAMES}} where its text goes.
#pragma once

namespace mayfly::tools {

extern const char* const report_template;

}  // namespace mayfly::tools
