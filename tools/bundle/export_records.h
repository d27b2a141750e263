// The lines of a bundle, out of a log: whole, or from where an export that was ended left off.
#pragma once

#include "tools/bundle/export_resume.h"
#include "tools/bundle/pseudonyms.h"
#include "tools/console/verbs.h"
#include "tools/records/bundle_file.h"

#include <cstdint>
#include <optional>
#include <ostream>
#include <set>
#include <string>

namespace mayfly::tools {

class Export {
 public:
  /// `begun` is of that log. All outlive it.
  Export(events::LogClient& log, const ExportBegin& begun, const ReplayExportOptions& options, std::ostream& out);

  /// Before run(): what lines of the bundle there are already, in order. A sentence if they are no export's.
  [[nodiscard]] std::string there_is(const nlohmann::json& line);
  void go_on(const BundleBegin& whole) { bundle_.go_on(whole.lines, whole.next.number); }

  /// Writes the rest.
  [[nodiscard]] events::LogStatus run();

  [[nodiscard]] std::int64_t commands() const { return commands_; }
  [[nodiscard]] std::int64_t events() const { return events_; }
  /// Of those that were asked for.
  [[nodiscard]] const std::set<std::string>& carts_without_commands() const { return carts_without_commands_; }

 private:
  [[nodiscard]] bool wants(events::Partition p) const;
  [[nodiscard]] bool wants(const events::Record& record) const;
  [[nodiscard]] events::Offset end(events::Partition p) const {
    return begun_.recorded.ends[static_cast<std::size_t>(p)];
  }
  [[nodiscard]] std::optional<events::Offset> first(events::Partition, int place) const;
  void write(events::Stream stream, const events::Record& record);
  events::LogStatus write_stream(events::Stream, events::Partition, events::Offset from);
  events::LogStatus commands(events::Partition, events::Offset from);
  void begin(const events::Record& record);
  events::LogStatus results(events::Stream, events::Partition, events::Offset from);
  events::LogStatus state(events::Partition, events::Offset from);

  struct Last {
    events::Position at;
    int place = 0;  // of its stream among those of a partition
  };
  events::LogClient& log_;
  const ExportBegin& begun_;
  const ReplayExportOptions& options_;
  std::set<std::string> carts_;
  Pseudonyms pseudonyms_;
  MaskedRecord masked_;
  BundleWriter bundle_;
  bool begins_ = true;        // with the first line
  std::optional<Last> last_;  // of the records that are there already
  std::int64_t commands_ = 0;
  std::int64_t events_ = 0;
  std::set<std::string> carts_without_commands_;
};

}  // namespace mayfly::tools
