// Prints every name and default that leaves the engine as one JSON object, for the test that compares docs/contract.md
// and docs/decisions.md with it (test_rulebook.py).
#include "events/log/log.h"
#include "events/rules/command.h"
#include "events/rules/words.h"
#include "events/wire/event_json.h"
#include "events/wire/json_writer.h"
#include "events/wire/settings_json.h"

#include <array>
#include <bit>
#include <cstdio>
#include <string>

namespace {

using namespace mayfly::events;

/// The names of an enumeration's first `count` values, from 0 on.
template <class Enum>
void add(JsonObject& json, std::string_view member, int count) {
  std::string list = "[";
  for (int i = 0; i < count; ++i) {
    if (i > 0) list += ',';
    append_json_string(list, name(static_cast<Enum>(i)));
  }
  json.member(member) += list + "]";
}

/// As many values as come before `last`, and that one.
template <class Enum>
constexpr int count_to(Enum last) {
  return static_cast<int>(last) + 1;
}

/// The default of each setting: all of them differ from one whose bytes are all 1.
void add_settings(JsonObject& json) {
  std::array<unsigned char, sizeof(Settings)> ones{};
  ones.fill(1);
  append_settings(json.member("settings"), default_settings(), std::bit_cast<Settings>(ones));
}

}  // namespace

int main() {
  std::string out;
  JsonObject json(out);
  add<CommandType>(json, "commands", command_type_count);
  add<EventType>(json, "events", event_type_count);
  add<Code>(json, "codes", code_count);
  add<DeadLetterReason>(json, "dead_letters", dead_letter_reason_count);
  add<SessionOutcome>(json, "outcomes", session_outcome_count);
  add<Why>(json, "whys", why_count);
  add<AdjustmentKind>(json, "adjustment_kinds", count_to(AdjustmentKind::fee));
  add<StatusState>(json, "status_states", count_to(StatusState::refund_pending));
  add<WaitKind>(json, "waits", count_to(WaitKind::merge));
  add<Stream>(json, "topics", stream_count);
  add_settings(json);
  json.close();
  std::puts(out.c_str());
}
