// mayfly replay verify --carts and --against, and replay decisions: does this build decide as the one that wrote the
// log, or as another program, and where does it begin to differ in each cart?
#include "tools/console/client.h"
#include "tools/console/exit_codes.h"
#include "tools/console/output.h"
#include "tools/console/printable.h"
#include "tools/console/text.h"
#include "tools/console/verbs.h"
#include "tools/records/bundle_log.h"
#include "tools/replay/program_output.h"
#include "tools/replay/recorded_log.h"
#include "tools/replay/replay_compare.h"

#include <algorithm>

namespace mayfly::tools {

namespace {

constexpr std::size_t carts_told = 20;

void print_difference(const std::string& cart, const FirstDifference& d, const char* other) {
  print("cart %s: first difference at %d:%lld %s\n", cart.empty() ? "(none)" : printable(cart).c_str(), d.at.partition,
        static_cast<long long>(d.at.offset), printable(d.command).c_str());
  if (!d.before.is_null()) {
    const auto before = d.before.dump(-1, ' ', false, OrderedJson::error_handler_t::replace);
    print("  before   %s\n", printable(before).c_str());
  }
  for (std::size_t i = 0; i < std::max(d.other.size(), d.again.size()); ++i) {
    const auto one = i < d.other.size() ? d.other[i] : "nothing";
    const auto two = i < d.again.size() ? d.again[i] : "nothing";
    if (one == two) {
      print("  both     %s\n", printable(one).c_str());
    } else {
      print("  %-8s %s\n  again    %s\n", other, printable(one).c_str(), printable(two).c_str());
    }
  }
}

int say_comparison(const Comparison& result, const char* other) {
  std::size_t listed = 0;
  for (const auto& [cart, difference] : result.carts) {
    if (++listed <= carts_told) print_difference(cart, difference, other);
  }
  if (listed > carts_told) print("... and %s more\n", grouped(static_cast<std::int64_t>(listed - carts_told)).c_str());
  print("%s commands decided again, %s events said: %s carts differ\n", grouped(result.commands).c_str(),
        grouped(result.events).c_str(), grouped(std::ssize(result.carts)).c_str());
  if (!result.carts.empty()) print("in sum, %s -> again:\n", other);
  each_differing_sum(result.other, result.again, [](const std::string& name, std::int64_t one, std::int64_t two) {
    print_text(sum_line(printable(name), one, two));
  });
  return result.carts.empty() ? exit_ok : exit_failed;
}

}  // namespace

int replay_verify_carts(const ReplayVerifyOptions& options) {
  RecordedLog results;
  int code = open_recorded(options, results);
  if (code != exit_ok) return code;
  const auto commands = open_recorded_log(options, results.clock, code);
  if (!commands) return code;
  const auto& recorded = results.recorded;
  Comparison result;
  if (options.against.empty()) {
    RecordedSide other(*results.log);
    const auto status = compare_with(*commands, recorded, other, result);
    return status.ok() ? say_comparison(result, "recorded") : complain_of(status);
  }
  ProgramOutput output(command_on(options.against, "replay decisions", options));
  ProgramSide other([&](std::string& line) { return output.read(line); });
  const auto status = compare_with(*commands, recorded, other, result);
  const int ended = output.close();
  if (!status.ok() || ended != 0) {
    complain("%s cannot be compared with: %s\n", printable(options.against).c_str(),
             status.ok() ? "it failed" : status.message.c_str());
    return exit_usage;
  }
  return say_comparison(result, "other");
}

int replay_decisions(const ReplayDecisionsOptions& options) {
  RecordedLog opened;
  if (const int code = open_recorded(options, opened); code != exit_ok) return code;
  auto& log = *opened.log;
  const auto& recorded = opened.recorded;
  const auto status = each_decision(log, recorded, [](const OtherEvent& event) { print_json(decision_line(event)); });
  return status.ok() ? exit_ok : complain_of(status);
}

}  // namespace mayfly::tools
