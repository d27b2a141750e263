// mayfly replay show: what happened to a cart, an order, a session, a customer, and what came of each command.
#include "adapters/host/wall_clock.h"
#include "tools/console/client.h"
#include "tools/console/exit_codes.h"
#include "tools/console/output.h"
#include "tools/console/printable.h"
#include "tools/console/progress.h"
#include "tools/console/text.h"
#include "tools/console/verbs.h"
#include "tools/records/bundle_log.h"
#include "tools/replay/checkpoint.h"
#include "tools/replay/log_index.h"
#include "tools/replay/recorded_log.h"
#include "tools/replay/replay_timeline.h"

#include <algorithm>
#include <chrono>
#include <optional>

namespace mayfly::tools {

namespace {

constexpr std::size_t most_carts = 50;  // that one id is shown with

/// Says how far it is.
events::LogStatus find_carts(events::LogClient& log, const Recorded& recorded, const std::string& id,
                             std::vector<std::string>& carts) {
  Progress progress("commands searched", 0);
  std::int64_t read = 0;
  return carts_of_id_from(log, recorded, id, carts, [&] { progress.at(++read); });
}

events::LogStatus read_them(events::LogClient& log, const Recorded& recorded, const std::vector<std::string>& carts,
                            std::vector<Timeline>& timelines) {
  std::int64_t all = 0;
  if (auto status = records_to_read(log, carts, all); !status.ok()) return status;
  Progress progress("records", all);
  std::int64_t read = 0;
  return read_timelines(log, recorded, carts, timelines, [&] { progress.at(++read); });
}

void limit(std::vector<std::string>& carts, const std::string& id) {
  if (carts.size() <= most_carts) return;
  complain("%s leads to %s carts; the first %s are shown.\n", printable(id).c_str(), grouped(std::ssize(carts)).c_str(),
           grouped(most_carts).c_str());
  carts.resize(most_carts);
}

int print_them(const ReplayShowOptions& options, const std::vector<Timeline>& timelines) {
  if (options.html) {
    print_text(timeline_page(timelines, options.id));
  } else {
    for (const auto& timeline : timelines) print_timeline(timeline, options.json);
  }
  return exit_ok;
}

/// Nothing where all commands have to be read: it does not know the id, or does not fit, which it says.
std::optional<std::vector<Timeline>> by_index(events::LogClient& log, Recorded& recorded,
                                              const ReplayShowOptions& options, int& code) {
  const auto file = open_index(options.index, log, code);
  if (!file) return std::nullopt;
  LogIndex index(log, *file);
  std::vector<std::string> carts;
  std::vector<Timeline> timelines;
  auto status = index.recorded(recorded);
  if (!status.ok()) {
    code = complain_of(status);
    return std::nullopt;
  }
  if (status = index.carts_of(options.id, carts); status.ok() && carts.empty()) {
    complain("%s does not know %s: reading all commands.\n", options.index.c_str(), printable(options.id).c_str());
    return std::nullopt;
  }
  if (status.ok()) limit(carts, options.id);
  for (std::size_t i = 0; i < carts.size() && status.ok(); ++i) {
    status = index.timeline(recorded, carts[i], timelines.emplace_back());
  }
  if (status.ok()) return timelines;
  if (status.error != events::LogError::corrupt) {
    code = complain_of(status);
  } else {
    complain("%s: %s: reading all commands.\n", options.index.c_str(), printable(status.message).c_str());
  }
  return std::nullopt;
}

/// By reading all commands.
int show_all(events::LogClient& log, Recorded& recorded, const ReplayShowOptions& options) {
  if (const auto status = read_recorded(log, recorded); !status.ok()) return complain_of(status);
  std::vector<std::string> carts;
  if (const auto status = find_carts(log, recorded, options.id, carts); !status.ok()) return complain_of(status);
  if (carts.empty()) {
    complain("No command names %s: not as a cart, an order, a session, a reservation, a reference or a customer.\n",
             printable(options.id).c_str());
    return exit_failed;
  }
  limit(carts, options.id);
  std::vector<Timeline> timelines;
  if (const auto status = read_them(log, recorded, carts, timelines); !status.ok()) return complain_of(status);
  return print_them(options, timelines);
}

}  // namespace

int replay_show(const ReplayShowOptions& options) {
  if (!options.index.empty() && !options.checkpoint.empty()) {
    complain("Give --index or --from, not both: by the index a cart is read from its first command on.\n");
    return exit_usage;
  }
  RecordedLog opened;
  int code = open_unread(options, opened);
  if (code != exit_ok) return code;
  if (!options.index.empty()) {
    const auto timelines = by_index(*opened.log, opened.recorded, options, code);
    if (timelines) return print_them(options, *timelines);
    if (code != exit_ok) return code;
  }
  return show_all(*opened.log, opened.recorded, options);
}

int replay_index(const ReplayIndexOptions& options) {
  const adapters::WallClock clock;
  int code = exit_ok;
  const auto log = open_recorded_log(options, clock, code);
  if (!log) return code;
  const auto begun = std::chrono::steady_clock::now();
  const auto file = open_index(options.file, *log, code);
  if (!file) return code;
  const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - begun);
  const auto commands = LogIndex(*log, *file).commands();
  print("%s: %s commands, %s bytes, %s a command, in %.1f s\n", options.file.c_str(), grouped(commands).c_str(),
        grouped(file->bytes()).c_str(), grouped(file->bytes() / std::max<std::int64_t>(commands, 1)).c_str(),
        static_cast<double>(ms.count()) / 1'000);
  return exit_ok;
}

}  // namespace mayfly::tools
