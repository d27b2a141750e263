// mayfly reenact: plays an outage again, and not.
#include "tools/console/exit_codes.h"
#include "tools/console/output.h"
#include "tools/console/temporary_folder.h"
#include "tools/console/verbs.h"
#include "tools/reenact/children.h"
#include "tools/reenact/report.h"
#include "tools/reenact/watch_rows.h"

#include <fmt/format.h>

#include <filesystem>
#include <fstream>

namespace mayfly::tools {

namespace {

Plan plan_of(const ReenactOptions& options) {
  Plan plan;
  plan.outage = options.outage == name(Outage::cart_leak) ? Outage::cart_leak : Outage::session_leak;
  const bool first = plan.outage == Outage::cart_leak;
  if (options.real) {  // from the bug's begin to the outage's end in its own time
    plan.length = {plan.outage_length().count * 100 / (first ? 80 - 5 : 85 - 5)};
    plan.carts_per_s = first ? 20 : 10;
  }
  if (options.seconds > 0) plan.length = {options.seconds * ms_per_s};
  if (options.carts_per_s > 0) plan.carts_per_s = options.carts_per_s;
  plan.limit_bytes = options.limit_mib << 20;
  plan.seed = options.seed;
  plan.given_bug_bytes = options.bug_bytes;
  return plan;
}

/// As it is said to repeat it, without options that have their default.
std::string command_of(const ReenactOptions& options) {
  const ReenactOptions usual;
  auto words =
      fmt::format("mayfly reenact {}{} --seed {}", options.outage, options.real ? " --real" : "", options.seed);
  if (options.seconds != usual.seconds) words += fmt::format(" --seconds {}", options.seconds);
  if (options.limit_mib != usual.limit_mib) words += fmt::format(" --limit-mib {}", options.limit_mib);
  if (options.carts_per_s != usual.carts_per_s) words += fmt::format(" --carts-per-second {}", options.carts_per_s);
  if (options.bug_bytes != usual.bug_bytes) words += fmt::format(" --bug-bytes {}", options.bug_bytes);
  return words;
}

/// Makes the file where it is not there.
bool write_page(const std::string& file, const std::string& page, std::ios::openmode mode) {
  std::ofstream out(file, std::ios::binary | mode);
  out << page;
  out.close();
  if (!out.good()) complain("%s cannot be written\n", file.c_str());
  return out.good();
}

/// A run that said nothing was no run.
bool all_began(const Recordings& runs, bool whole, const std::string& folder) {
  for (const auto& run : runs) {
    if (!run.samples.empty()) continue;
    if (!whole) {
      complain("Stopped before anything was seen: there is no report.\n");
      return false;
    }
    complain("The run '%s' did not begin: %s. What it said is in %s\n", std::string(name(run.role)).c_str(),
             run.ending.c_str(), folder.c_str());
    return false;
  }
  return true;
}

}  // namespace

int reenact(const ReenactOptions& options) {
  const auto plan = plan_of(options);
  const auto html = options.html.empty() ? fmt::format("reenact-{}.html", options.outage) : options.html;
  const bool made_page = html != "off" && !std::filesystem::exists(html);
  if (html != "off" && !write_page(html, {}, std::ios::app)) return exit_usage;
  TemporaryFolder folder("mayfly-reenact");
  if (options.keep) folder.keep();
  if (!options.json) {
    print_text(story(plan) + "\n\n");
    for (const auto& sentence : circumstances(plan)) print_text(sentence + "\n");
    if (options.keep) print_text(fmt::format("Logs are kept in {}\n", folder.path()));
    print_text("\n" + WatchRows::head());
    if (!output_written()) return exit_failed;
  }
  Recordings runs;
  WatchRows rows(plan);
  const bool whole = play_all(plan, folder, runs, [&] {
    if (!options.json) print_text(rows.step(runs));
    return output_written();
  });
  const bool began = all_began(runs, whole, folder.path());
  if (whole && !began) folder.keep();
  if (!began) {
    if (made_page) std::filesystem::remove(html);
    return exit_failed;
  }
  const auto verdict = judge(plan, runs, whole);
  const bool written =
      html == "off" || write_page(html, report_page(plan, runs, verdict, command_of(options)), std::ios::trunc);
  if (options.json) {
    print_json(to_json(plan, verdict));
  } else {
    print_text(report_text(plan, verdict));
    print_text(fmt::format("\nAgain: {}\n", command_of(options)));
    if (written && html != "off") print_text(fmt::format("The same with curves: {}\n", html));
  }
  return written && verdict.all_reached() ? exit_ok : exit_failed;
}

}  // namespace mayfly::tools
