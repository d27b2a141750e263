// CloudEvents 1.0 in the Kafka protocol binding: reads binary and structured mode, writes binary mode.
#pragma once

#include "events/log/record.h"
#include "events/rules/command.h"
#include "events/rules/identity.h"
#include "events/rules/words.h"
#include "events/wire/tick_proof.h"

#include <memory_resource>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

namespace mayfly::events {

/// W3C Trace Context's traceparent, 55 characters of version "-" trace id "-" parent id "-" flags in lower-case hex;
/// not version ff, no id all zero. Whatever else comes under that name is not carried on.
[[nodiscard]] bool is_traceparent(std::string_view);

/// ce_source of what `mayfly deadletters` writes. Its ticks let a cart out of quarantine or mark a place in the
/// commands; they set nothing and start no wait.
inline constexpr std::string_view deadletters_source = "/mayfly/deadletters";

/// A record that cannot be a command (decisions.md 1): goes to the dead letters.
struct Unreadable {
  DeadLetterReason reason;
  Text about;                       // what exactly, for a person; never quotes data
  std::optional<CommandType> type;  // where it was still readable
  Text id;
  Text correlation_id;
  Text traceparent;
};

/// A command and what its record says around it.
struct ReadCommand {
  Text cart_id;  // the key; empty for clock.tick
  Command command;
  Text correlation_id;  // empty: none
  Text traceparent;
};

using ReadResult = std::variant<ReadCommand, Unreadable>;

/// Reads records, one after the other. Not shared between threads; keeps its parser's buffers.
class CommandReader {
 public:
  CommandReader(std::string_view engine, std::int32_t partition_count, TickSecrets secrets = {});
  ~CommandReader();
  CommandReader(CommandReader&&) noexcept;
  CommandReader& operator=(CommandReader&&) noexcept;

  /// The ladder of decisions.md 1 up to and with "member missing": in its order, first true guard wins. What the
  /// result views lies in the record or in `arena`. `current`: what a tick's partial settings are merged into.
  /// A clock.tick is always a command: one that nobody who may write it has written comes with ClockTick::refused.
  [[nodiscard]] ReadResult read(const Record&, const Settings& current, std::pmr::memory_resource* arena);

 private:
  struct Parser;
  std::unique_ptr<Parser> parser_;
  Fingerprinter fingerprinter_;
  [[nodiscard]] std::string_view why_source_refused(const ReadCommand&, Text source, const Settings&) const;

  std::string own_source_;
  TickSecrets secrets_;
  std::int32_t partition_count_;
};

/// The form of the ids that the engine gives what it writes: three numbers with `-` between (contract.md 3.2).
[[nodiscard]] bool is_engine_id(std::string_view);

/// Writes `settings` of a tick (only what differs from `base`), and a whole tick's data.
void append_tick_data(std::string& out, Timestamp at, Offset through, const Settings* settings, const Settings& base);

/// A tick's data that starts no wait and lets a cart out of quarantine (docs/actors.md).
void append_release_data(std::string& out, Timestamp at, std::string_view cart_id);

}  // namespace mayfly::events
