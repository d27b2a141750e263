// The page to watch an engine on: tools/serve/page.html as text. One document, nothing loaded from elsewhere.
#pragma once

namespace mayfly::tools {

extern const char* const page;

}  // namespace mayfly::tools
