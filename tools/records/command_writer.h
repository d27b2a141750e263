// Commands as records: CloudEvents in binary mode, gathered and appended in batches of a bounded size.
#pragma once

#include "events/log/log.h"
#include "events/rules/words.h"

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace mayfly::tools {

/// A command that a shop or a connector sends.
struct OutgoingCommand {
  std::string key;
  std::string type;  // short, e.g. "cart.add_line"
  std::string id;
  std::string source;
  std::string data;
  std::string correlation_id;
  std::vector<std::pair<std::string, std::string>> headers;  // further ones, as they are
};

[[nodiscard]] std::string ce_type_of(const OutgoingCommand&);
/// The record's headers. They view the command and `ce_type`.
[[nodiscard]] std::vector<events::Header> headers_of(const OutgoingCommand&, std::string_view ce_type);

class CommandWriter {
 public:
  static constexpr std::size_t most_gathered = 500;

  /// `log` outlives the writer.
  explicit CommandWriter(events::LogClient& log) : log_(log) {}
  /// Gathers; appends when enough are gathered. A status that is not ok ends the writing.
  events::LogStatus write(OutgoingCommand);
  /// Appends what is gathered.
  events::LogStatus flush();
  [[nodiscard]] std::int64_t written() const { return written_; }
  /// Where the commands of the last append lie.
  [[nodiscard]] const std::vector<events::Position>& last() const { return last_; }

 private:
  events::LogClient& log_;
  std::vector<OutgoingCommand> gathered_;
  std::vector<events::Position> last_;
  std::int64_t written_ = 0;
};

/// A time-ordered random UUID (version 7, RFC 9562).
[[nodiscard]] std::string new_id();

}  // namespace mayfly::tools
