// mayfly replay whatif: what would have come of other settings, or of a command that had not come, or had come in time.
#include "tools/console/exit_codes.h"
#include "tools/console/output.h"
#include "tools/console/printable.h"
#include "tools/console/text.h"
#include "tools/console/verbs.h"
#include "tools/replay/recorded_log.h"
#include "tools/replay/replay_state.h"
#include "tools/replay/replay_whatif.h"

#include <fstream>
#include <iterator>

namespace mayfly::tools {

namespace {

constexpr std::size_t carts_listed = 20;  // in text; --json has all

void print_cart(const std::string& cart, const CartDifference& d, bool json) {
  if (json) {
    const OrderedJson line = {{"cart", cart},
                              {"position", position_text(d.at)},
                              {"time", time_text(d.time)},
                              {"command", d.command},
                              {"as_recorded", d.as_recorded},
                              {"as_changed", d.as_changed},
                              {"phase_recorded", d.phase_recorded},
                              {"phase_changed", d.phase_changed}};
    return print_json(line.dump(-1, ' ', false, OrderedJson::error_handler_t::replace));
  }
  print("cart %s: %s%s\n", printable(cart).c_str(), d.phase_recorded.c_str(),
        d.phase_changed == d.phase_recorded ? " in both" : (" -> " + d.phase_changed).c_str());
  print("  first at %s %s, %s\n", position_text(d.at).c_str(), time_text(d.time).c_str(), printable(d.command).c_str());
  print("    as recorded: %s\n    changed:     %s\n", d.as_recorded.c_str(), d.as_changed.c_str());
}

void print_sums(const WhatIf& result, bool json) {
  OrderedJson line = {
      {"commands", result.commands}, {"carts_differing", result.carts.size()}, {"sums", OrderedJson::object()}};
  each_differing_sum(result.recorded, result.changed,
                     [&](const std::string& name, std::int64_t before, std::int64_t after) {
                       line["sums"][name] = {{"recorded", before}, {"changed", after}};
                       if (!json) print_text(sum_line(name, before, after));
                     });
  if (json) print_json(line.dump());
}

}  // namespace

int replay_whatif(const ReplayWhatIfOptions& options) {
  RecordedLog opened;
  if (const int code = open_recorded(options, opened); code != exit_ok) return code;
  auto& log = *opened.log;
  const auto& recorded = opened.recorded;
  std::ifstream file(options.file);
  if (!file) {
    complain("%s cannot be read.\n", options.file.c_str());
    return exit_usage;
  }
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  ReplayPlan plan;
  if (const auto wrong = read_plan(text, log, plan); !wrong.empty()) {
    complain("%s: %s\n", options.file.c_str(), wrong.c_str());
    return exit_usage;
  }
  WhatIf result;
  if (const auto status = what_if(log, recorded, plan, result); !status.ok()) return complain_of(status);
  std::size_t listed = 0;
  for (const auto& [cart, difference] : result.carts) {
    if (!options.json && ++listed > carts_listed) break;
    print_cart(cart, difference, options.json);
  }
  if (!options.json && result.carts.size() > carts_listed)
    print("... and %s more; --json lists all\n",
          grouped(static_cast<std::int64_t>(result.carts.size() - carts_listed)).c_str());
  if (!options.json) {
    print("%s of the log's commands decided twice: %s carts differ\n", grouped(result.commands).c_str(),
          grouped(std::ssize(result.carts)).c_str());
  }
  print_sums(result, options.json);
  return exit_ok;
}

}  // namespace mayfly::tools
