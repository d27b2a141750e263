// The page to watch an engine on (tools/serve/page/), one document that loads nothing from elsewhere; and the runbooks
// (docs/runbooks/), so that they can be read where the page is.
#pragma once

#include <string>
#include <string_view>

namespace mayfly::tools {

struct Page {
  std::string html;
  std::string content_policy;  // Content-Security-Policy: its own style and script by their hashes, and nothing else
};
[[nodiscard]] Page make_page();

/// The text of docs/runbooks/NAME.md; empty: there is none.
[[nodiscard]] std::string_view runbook(std::string_view name);

}  // namespace mayfly::tools
