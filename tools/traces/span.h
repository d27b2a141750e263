// What becomes a span of a trace: a command that was committed, and a transaction. Names and attributes are those of
// OpenTelemetry's semantic conventions for messaging; docs/tracing.md lists them.
#pragma once

#include "events/log/log.h"
#include "events/rules/words.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace mayfly::tools {

/// Ids in lower-case hexadecimal digits.
struct SpanContext {
  std::array<char, 32> trace{};
  std::array<char, 16> span{};
};

/// Nanoseconds since 1970-01-01T00:00:00Z.
using UnixNanos = std::int64_t;

struct CommandSpan {
  static constexpr std::size_t most_events = 32;       // that are named; the attribute mayfly.event_count has all
  static constexpr std::size_t most_text_bytes = 256;  // of an id; what is longer is cut

  SpanContext self;
  std::optional<std::array<char, 16>> parent;  // in the same trace
  SpanContext commit;                          // the span of its transaction
  UnixNanos appended = 0;                      // by the log's clock, in whole milliseconds
  UnixNanos begun = 0;                         // its batch was handed to its partition
  UnixNanos ended = 0;                         // its transaction was committed
  events::Position at;
  std::string cart;  // empty: not known
  std::string id;
  std::string correlation_id;               // empty: none
  std::optional<events::CommandType> type;  // none: not readable
  std::vector<events::EventType> events;    // in order
  std::int64_t event_count = 0;
  std::optional<events::Code> code;  // it was rejected
  std::optional<events::DeadLetterReason> dead_letter;
};

struct CommitSpan {
  static constexpr std::size_t most_links = 128;  // as OpenTelemetry's limit for a span is by default

  SpanContext self;
  UnixNanos begun = 0;
  UnixNanos ended = 0;
  events::CommitOutcome outcome = events::CommitOutcome::committed;
  std::int64_t commands = 0;
  std::int64_t events = 0;
  std::int64_t partitions = 0;
  std::vector<SpanContext> links;  // of commands in it that have a span; where it was not committed, of their parents
  std::int64_t links_left_out = 0;
};

using Span = std::variant<CommandSpan, CommitSpan>;

/// What all spans of a process share.
struct TracedEngine {
  std::string system;                                         // messaging.system: "kafka", "sqlite"
  std::string topic;                                          // of the commands
  std::string group;                                          // that the engine consumes as; empty: the log has none
  std::vector<std::pair<std::string, std::string>> resource;  // attributes of the process; service.name among them
};

/// One ExportTraceServiceRequest (OTLP 1.x) as JSON: ids in hexadecimal, enumerations and 32-bit numbers as integers,
/// 64-bit numbers as text. Text that is no UTF-8 comes with U+FFFD in its place.
[[nodiscard]] std::string otlp_json(const std::vector<Span>&, const TracedEngine&);

}  // namespace mayfly::tools
