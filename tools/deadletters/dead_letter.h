// A record of the dead letters' stream: a dead letter, or a mark that says what was done about one
// (docs/deadletters.md).
#pragma once

#include "events/log/record.h"
#include "events/rules/words.h"
#include "events/wire/tick_proof.h"

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace mayfly::tools {

/// Views the record that it was read from.
struct DeadLetter {
  std::string_view reason;  // its name, e.g. "keeps_failing"
  std::string_view message;
  std::string_view attempts;
  events::Position command;                 // where the record lay among the commands
  events::Timestamp command_time;           // its append time
  std::span<const events::Header> headers;  // the record's own
  std::span<const events::Header> cut;      // sizes and hash of the record; empty if the dead letter has all of it
};

/// The engine puts its headers last, in a fixed order; a record that does not end with them is no dead letter.
[[nodiscard]] std::optional<DeadLetter> read_dead_letter(const events::Record&);

/// Why it makes no sense to send it again; empty: it may be sent.
[[nodiscard]] std::string_view why_not_sent_again(const DeadLetter&);

/// A command that was sent again has this header: "PARTITION-OFFSET" of its dead letter.
inline constexpr std::string_view retry_header = "mayfly.retry_of";
[[nodiscard]] std::string retry_name(events::Position dead_letter);
/// And this one: how often it has been sent again, with this time.
inline constexpr std::string_view redriven_header = "mayfly.redriven";
/// How often what became this dead letter had been sent again; 0: never.
[[nodiscard]] std::int64_t times_redriven(const DeadLetter&);

/// Who did something about dead letters, and why; both may be empty.
struct Handler {
  std::string by;   // USER@HOST
  std::string why;  // in the person's words
};

enum class MarkKind : std::uint8_t {
  retry_begun,  // it may be among the commands from `to` on, or not
  retried,      // it is: at `to`
  dropped,      // a person has looked at it: nothing more is to be done
};
[[nodiscard]] std::string_view name(MarkKind);

struct Mark {
  MarkKind kind = MarkKind::dropped;
  events::Offset of = 0;  // of the dead letter, in the mark's partition
  events::Position to;    // dropped: none
  std::string run;        // which run of the program wrote it
  Handler handler{};
};

[[nodiscard]] std::optional<Mark> read_mark(const events::Record&);

/// A record with its own bytes; moving it keeps the views valid.
struct OwnedRecord {
  OwnedRecord() = default;
  OwnedRecord(OwnedRecord&&) = default;
  OwnedRecord& operator=(OwnedRecord&&) = default;
  OwnedRecord(const OwnedRecord&) = delete;
  OwnedRecord& operator=(const OwnedRecord&) = delete;
  events::NewRecord record;
  std::vector<std::string> bytes;
  std::vector<events::Header> headers;
};

/// The mark as it is written: to the dead letter's partition, under its key.
[[nodiscard]] OwnedRecord mark_record(const Mark&, const events::Record& dead_letter, events::Timestamp now);

/// A clock.tick that starts no wait. `release`: the cart that it lets out of quarantine; empty: none.
/// `secret` proves it; null: nothing does.
[[nodiscard]] OwnedRecord tick_record(events::Partition, std::string_view release, events::Timestamp now,
                                      const events::TickSecret* secret);

}  // namespace mayfly::tools
