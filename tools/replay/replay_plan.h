// What a what-if changes: settings, and commands that are left out, altered, moved or put in (docs/replay.md).
#pragma once

#include "events/log/log.h"
#include "events/rules/settings.h"

#include <limits>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace mayfly::tools {

/// A record that owns its bytes.
struct OwnRecord {
  std::optional<std::string> key;
  std::optional<std::string> value;
  std::vector<std::pair<std::string, std::string>> headers;
};
[[nodiscard]] OwnRecord own(const events::Record&);
/// Calls `f` with the record as it would lie there.
template <class F>
void as_record(const OwnRecord& of, events::Position at, events::Timestamp time, F f) {
  std::vector<events::Header> headers;
  headers.reserve(of.headers.size());
  for (const auto& [name, value] : of.headers) headers.push_back({name, value});
  events::Record record;
  record.at = at;
  record.append_time = time;
  if (of.key) record.key = *of.key;
  if (of.value) record.value = *of.value;
  record.headers = headers;
  f(record);
}

struct ReplayPlan {
  /// Of a position that stands for the end of its partition.
  static constexpr events::Offset at_end = std::numeric_limits<events::Offset>::max();
  struct Here {
    bool dropped = false;
    std::optional<std::string> data;  // instead of the recorded
    std::vector<OwnRecord> before;    // taken first, with this command's time
  };
  std::string settings;  // a JSON object of names as in docs/configuration.md; empty: none
  std::map<events::Position, Here> commands;

  void change(events::Settings&) const;
};

/// Reads a plan; the log for the commands that it moves, and to see that all it names are there. A sentence if it is
/// wrong.
[[nodiscard]] std::string read_plan(const std::string& text, events::LogClient&, ReplayPlan&);

}  // namespace mayfly::tools
