// mayfly replay show: what happened to a cart, an order, a session, a customer, and what came of each command.
#include "tools/console/exit_codes.h"
#include "tools/console/output.h"
#include "tools/console/printable.h"
#include "tools/console/progress.h"
#include "tools/console/text.h"
#include "tools/console/verbs.h"
#include "tools/replay/recorded_log.h"
#include "tools/replay/replay_timeline.h"

namespace mayfly::tools {

namespace {

constexpr std::size_t most_carts = 50;  // that one id is shown with

/// Says how far it is.
events::LogStatus find_carts(events::LogClient& log, const std::string& id, std::vector<std::string>& carts) {
  Progress progress("commands searched", 0);
  std::int64_t read = 0;
  return carts_of_id(log, id, carts, [&] { progress.at(++read); });
}

events::LogStatus read_them(events::LogClient& log, const Recorded& recorded, const std::vector<std::string>& carts,
                            std::vector<Timeline>& timelines) {
  std::int64_t all = 0;
  if (auto status = records_to_read(log, carts, all); !status.ok()) return status;
  Progress progress("records", all);
  std::int64_t read = 0;
  return read_timelines(log, recorded, carts, timelines, [&] { progress.at(++read); });
}

}  // namespace

int replay_show(const ReplayShowOptions& options) {
  RecordedLog opened;
  if (const int code = open_recorded(options, opened); code != exit_ok) return code;
  auto& log = *opened.log;
  const auto& recorded = opened.recorded;
  std::vector<std::string> carts;
  if (const auto status = find_carts(log, options.id, carts); !status.ok()) return complain_of(status);
  if (carts.empty()) {
    complain("No command names %s: not as a cart, an order, a session, a reservation, a reference or a customer.\n",
             printable(options.id).c_str());
    return exit_failed;
  }
  if (carts.size() > most_carts) {
    complain("%s leads to %s carts; the first %s are shown.\n", printable(options.id).c_str(),
             grouped(std::ssize(carts)).c_str(), grouped(most_carts).c_str());
    carts.resize(most_carts);
  }
  std::vector<Timeline> timelines;
  if (const auto status = read_them(log, recorded, carts, timelines); !status.ok()) return complain_of(status);
  if (!options.html) {
    for (const auto& timeline : timelines) print_timeline(timeline, options.json);
  }
  if (options.html) print_text(timeline_page(timelines, options.id));
  return exit_ok;
}

}  // namespace mayfly::tools
