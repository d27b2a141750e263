#include "tools/serve/page.h"

#include "events/text/base64.h"
#include "tools/serve/page_parts.h"

#include <algorithm>

namespace mayfly::tools {

namespace {

/// As Content-Security-Policy has a hash.
std::string source_of(std::string_view sha256) {
  const auto digit = [](char c) { return c <= '9' ? c - '0' : c - 'a' + 10; };
  std::string bytes;
  for (std::size_t i = 0; i + 1 < sha256.size(); i += 2) {
    bytes += static_cast<char>(digit(sha256[i]) * 16 + digit(sha256[i + 1]));
  }
  return "'sha256-" + events::to_base64(bytes) + "'";
}

}  // namespace

Page make_page() {
  const auto parts = page_parts();
  Page page;
  page.html = parts.html;
  const auto put = [&](std::string_view before, std::string_view begin, std::string_view text, std::string_view end) {
    std::string element(begin);
    element.append(text).append(end);
    page.html.insert(page.html.find(before), element);
  };
  put("</head>", "<style>", parts.style, "</style>\n");
  put("</body>", "<script>", parts.script, "</script>\n");
  page.content_policy =
      "default-src 'none'; style-src " + source_of(parts.style_sha256) + "; script-src " +
      source_of(parts.script_sha256) +
      "; connect-src 'self'; img-src data:; frame-ancestors 'none'; base-uri 'none'; form-action 'none'";
  return page;
}

std::string_view runbook(std::string_view name) {
  const auto all = runbook_texts();
  const auto found = std::find_if(all.begin(), all.end(), [&](const RunbookText& one) { return one.name == name; });
  return found == all.end() ? std::string_view{} : found->text;
}

}  // namespace mayfly::tools
