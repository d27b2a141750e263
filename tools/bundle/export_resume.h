// What an export has to know when it goes on after it was ended: its words, the log's ends when it began, the key of
// its pseudonyms. A file of mode 0600 beside the bundle, from the first block until the bundle is whole.
#pragma once

#include "events/log/log.h"
#include "events/rules/identity.h"
#include "tools/replay/replay_recorded.h"

#include <nlohmann/json.hpp>

#include <array>
#include <string>
#include <vector>

namespace mayfly::tools {

struct ExportBegin {
  struct Part {
    std::string last_sha256;                                  // of the last command that was decided, as a line
    std::array<events::Offset, events::stream_count> ends{};  // of each stream, but state
    nlohmann::ordered_json position;                          // the record that says how far the engine was; null: none
  };
  std::string words;  // of the command line, but the file and the log
  events::HashKey key{};
  Recorded recorded;  // all but what supervision took out
  std::vector<Part> parts;
};

/// The log as it is now.
[[nodiscard]] events::LogStatus begin_export(events::LogClient&, ExportBegin&);
/// `invalid` if it was another log that the export began with.
[[nodiscard]] events::LogStatus is_log_of(events::LogClient&, const ExportBegin&);

/// As a file's text, and the way back: false if it is none.
[[nodiscard]] std::string text_of(const ExportBegin&);
[[nodiscard]] bool read_text(const std::string&, ExportBegin&);

}  // namespace mayfly::tools
