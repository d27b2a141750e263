// mayfly replay export: records of a log as one file that can be sent, with pseudonyms unless asked otherwise.
#include "adapters/host/private_file.h"
#include "adapters/host/random_key.h"
#include "adapters/host/wall_clock.h"
#include "events/rules/identity.h"
#include "events/state/snapshot.h"
#include "tools/bundle/pseudonyms.h"
#include "tools/console/client.h"
#include "tools/console/exit_codes.h"
#include "tools/console/output.h"
#include "tools/console/printable.h"
#include "tools/console/text.h"
#include "tools/console/verbs.h"
#include "tools/records/bundle_file.h"
#include "tools/records/each_record.h"
#include "tools/records/record_text.h"
#include "tools/replay/replay_recorded.h"

#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>

namespace mayfly::tools {

using events::Record;
using events::Stream;

namespace {

class Export {
 public:
  Export(events::LogClient& log, const Recorded& recorded, const ReplayExportOptions& options, std::ostream& out)
      : log_(log),
        recorded_(recorded),
        options_(options),
        carts_(options.carts.begin(), options.carts.end()),
        pseudonyms_(adapters::random_key()),
        bundle_(out) {}

  events::LogStatus run() {
    carts_without_commands = carts_;
    bundle_.line({{"mayfly_bundle", bundle_version},
                  {"partitions", log_.partitions()},
                  {"engine", recorded_.engine},
                  {"pseudonyms", !options_.plain},
                  {"whole", carts_.empty()}});
    events::LogStatus status;
    for (events::Partition p = 0; p < log_.partitions() && status.ok(); ++p) {
      if (!wants(p)) continue;
      status = commands(p);
      for (const auto stream : {Stream::events, Stream::deadletters, Stream::alerts}) {
        if (status.ok()) status = results(stream, p);
      }
      if (status.ok()) status = state(p);
    }
    if (status.ok() && !bundle_.finish()) status = {events::LogError::full, "the file cannot be written to its end"};
    return status;
  }
  std::int64_t commands_written = 0;
  std::int64_t events_written = 0;
  std::set<std::string> carts_without_commands;

 private:
  [[nodiscard]] bool wants(events::Partition p) const {
    if (carts_.empty()) return options_.partitions.empty() || std::ranges::count(options_.partitions, p) > 0;
    return std::ranges::any_of(carts_, [&](const auto& c) { return events::partition_of(c, log_.partitions()) == p; });
  }
  [[nodiscard]] bool wants(const Record& record) const {
    return carts_.empty() || (record.key && carts_.contains(std::string(*record.key)));
  }
  [[nodiscard]] events::Offset end(events::Partition p) const { return recorded_.ends[static_cast<std::size_t>(p)]; }

  void write(Stream stream, const Record& record) {
    if (options_.plain) return bundle_.line(bundle_line(stream, record));
    pseudonyms_.mask(stream, record, masked_);
    bundle_.line(bundle_line(stream, masked_.record));
  }

  events::LogStatus commands(events::Partition p) {
    bool first = true;
    return each_record(log_, Stream::commands, p, [&](const Record& record) {
      if (record.at.offset >= end(p)) return false;
      const bool tick = !record.key && short_type(record) == "clock.tick";
      const bool wanted = tick || wants(record);
      if (wanted) write(Stream::commands, record);
      if (wanted && record.key) carts_without_commands.erase(std::string(*record.key));
      if (!wanted && first) begin(record);
      commands_written += wanted ? 1 : 0;
      first = false;
      return true;
    });
  }
  /// In the place of a partition's first command, if it is another cart's: a tick that is ignored, so that a replay
  /// sees the partition from its begin.
  void begin(const Record& record) {
    static constexpr events::Header headers[] = {{"ce_specversion", "1.0"},
                                                 {"ce_id", "bundle"},
                                                 {"ce_source", "/mayfly/bundle"},
                                                 {"ce_type", "dev.mayfly.clock.tick.v1"},
                                                 {"content-type", "application/json"}};
    Record tick = record;
    tick.key.reset();
    tick.value = "{}";
    tick.headers = headers;
    bundle_.line(bundle_line(Stream::commands, tick));
  }
  events::LogStatus results(Stream stream, events::Partition p) {
    return each_record(log_, stream, p, [&](const Record& record) {
      if (stream == Stream::events && cause_offset(record) >= end(p)) return false;
      const bool mine =
          wants(record) || (stream == Stream::alerts && carts_.contains(std::string(header(record, "ce_subject"))));
      if (!mine) return true;
      write(stream, record);
      events_written += stream == Stream::events ? 1 : 0;
      return true;
    });
  }
  /// How far the engine got; and the newest state, which cannot be masked and is whole only with all carts.
  events::LogStatus state(events::Partition p) {
    const bool all = options_.plain && carts_.empty();
    // A log that is not compacted yet has older records of a key too.
    std::map<std::string, events::Offset> newest;
    const auto each = [&](const auto& f) {
      return each_record(log_, Stream::state, p, [&](const Record& record) {
        const bool known = record.key && record.at.offset <= recorded_.position_at[static_cast<std::size_t>(p)];
        if (known && (all || record.key == events::position_key)) f(std::string(*record.key), record);
        return true;
      });
    };
    auto status = each([&](const std::string& key, const Record& record) { newest[key] = record.at.offset; });
    if (!status.ok()) return status;
    return each([&](const std::string& key, const Record& record) {
      if (newest[key] == record.at.offset) bundle_.line(bundle_line(Stream::state, record));
    });
  }

  events::LogClient& log_;
  const Recorded& recorded_;
  const ReplayExportOptions& options_;
  std::set<std::string> carts_;
  Pseudonyms pseudonyms_;
  MaskedRecord masked_;
  BundleWriter bundle_;
};

}  // namespace

int replay_export(const ReplayExportOptions& options) {
  if (!options.carts.empty() && !options.partitions.empty()) {
    complain("Give --cart or --partition, not both.\n");
    return exit_usage;
  }
  if (std::filesystem::exists(options.file)) {
    complain("%s is there already. An export makes a new file.\n", options.file.c_str());
    return exit_usage;
  }
  const adapters::WallClock clock;
  int code = exit_ok;
  const auto log = open_history(options, clock, code);
  if (!log) return code;
  Recorded recorded;
  if (const auto status = read_recorded(*log, recorded); !status.ok()) return complain_of(status);
  for (const auto partition : options.partitions) {
    if (partition < log->partitions()) continue;
    complain("There is no partition %d: the log has 0 to %d.\n", partition, log->partitions() - 1);
    return exit_failed;
  }
  const auto partial = options.file + ".partial";
  events::LogStatus status;
  const int made_private = adapters::open_private(partial, status);
  if (made_private < 0) return complain_of(status);
  ::close(made_private);
  std::ofstream out(partial, std::ios::binary | std::ios::trunc);
  Export made(*log, recorded, options, out);
  status = made.run();
  if (const auto& none = made.carts_without_commands; status.ok() && !none.empty()) {
    std::filesystem::remove(partial);
    complain("The log has no decided command of cart %s.\n", printable(*none.begin()).c_str());
    return exit_failed;
  }
  out.close();
  std::error_code failed;
  if (status.ok()) std::filesystem::rename(partial, options.file, failed);
  if (failed) status = {events::LogError::invalid, options.file + ": " + failed.message()};
  if (!status.ok()) {
    std::filesystem::remove(partial, failed);
    return complain_of(status);
  }
  print("%s: %s commands, %s events%s, %s bytes\n", options.file.c_str(), grouped(made.commands_written).c_str(),
        grouped(made.events_written).c_str(), options.plain ? "" : " under pseudonyms",
        grouped(static_cast<std::int64_t>(std::filesystem::file_size(options.file))).c_str());
  return exit_ok;
}

}  // namespace mayfly::tools
