// What was seen of the runs, as values: what the children said, and how they ended.
#pragma once

#include "tools/reenact/plan.h"

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace mayfly::tools {

/// A run at one moment; counts since its begin.
struct Sample {
  events::Millis at{};
  std::int64_t used_bytes = 0;  // anonymous memory of the process
  std::int64_t offered = 0;
  std::int64_t admitted = 0;
  std::int64_t refused = 0;
  std::int64_t checkouts = 0;
  std::int64_t orders = 0;
  std::int64_t slow = 0;
  std::int64_t failed = 0;
  std::int64_t carts_open = 0;
  std::int64_t cart_actors = 0;
  std::int64_t sessions_open = 0;
  std::int64_t session_actors = 0;
  std::int64_t connections = 0;  // to the payment provider, taken
  std::int64_t dead_letters = 0;
  std::vector<std::int64_t> answers_ms;  // since the sample before
};

struct SeenAlert {
  events::Millis at{};
  std::string name;     // as in the alerts stream: "leak"
  std::string purpose;  // of a leak: "cart.lines"
  std::string kind;
  std::string message;
  std::int64_t bytes = 0;
};

struct Recording {
  Role role = Role::mended;
  std::vector<Sample> samples;
  std::vector<SeenAlert> alerts;
  std::optional<events::Millis> died;  // before the run was over
  std::string ending;                  // a few words: how it died
  std::string last_words;              // the last line that it wrote to standard error then; or what that line says
};

using Recordings = std::array<Recording, roles.size()>;

/// Takes over a line that a run said. False: it is none.
bool add_line(Recording&, const std::string& line);
/// Of a log line its message, else the line.
[[nodiscard]] std::string message_of(const std::string& line);

}  // namespace mayfly::tools
