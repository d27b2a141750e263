// mayfly funds: every amount authorized, captured or asked for whose cart is over or whose answer is missing.
#include "adapters/host/wall_clock.h"
#include "tools/console/client.h"
#include "tools/console/exit_codes.h"
#include "tools/console/output.h"
#include "tools/console/printable.h"
#include "tools/console/text.h"
#include "tools/console/verbs.h"
#include "tools/funds/funds_reader.h"

#include <cstdio>

namespace mayfly::tools {

namespace {

std::string amount_text(events::Minor amount, const std::string& code) {
  const auto currency = events::currency_in_force(code);
  return currency ? money(amount, *currency) : grouped(amount) + " minor units " + code;
}

void print_table(const std::vector<Risk>& risks, events::Timestamp now) {
  if (risks.empty()) return void(print_text("No money is at risk.\n"));
  print("%-24s %20s %8s %-9s %10s  %-40s %s\n", "state", "amount", "age", "cart is", "event", "session", "order");
  for (const auto& r : risks) {
    const auto where = std::to_string(r.at.partition) + ":" + std::to_string(r.at.offset);
    print("%-24s %20s %8s %-9s %10s  %-40s %s\n", std::string(name(r.state)).c_str(),
          amount_text(r.amount_minor, r.currency).c_str(), age_text(age_s(r, now)).c_str(),
          r.cart_over ? "over" : "open", where.c_str(), padded(printable(r.session), 40).c_str(),
          printable(r.order).c_str());
  }
  print_text("\n");
  for (const auto& [of, total] : totals_of(risks)) {
    print("%-24s %20s %8s rows\n", std::string(name(of.second)).c_str(),
          amount_text(total.amount_minor, of.first).c_str(), grouped(total.rows).c_str());
  }
}

}  // namespace

int funds(const FundsOptions& options) {
  const adapters::WallClock clock;
  int code = exit_ok;
  const auto log = open_history(options, clock, code);
  if (!log) return code;
  std::vector<Risk> risks;
  std::vector<events::Position> cut;
  if (const auto status = read_risks(*log, options.cart, risks, cut); !status.ok()) {
    complain("%s\n", status.message.c_str());
    return exit_code_of(status.error);
  }
  leave_to_a_person(risks, clock.now());
  if (options.metrics) {
    print_text(risks_as_metrics(risks, clock.now()));
  } else if (options.json) {
    const auto lines = risks_as_ndjson(risks, cut, clock.now());
    print_text(printable_json(lines));
  } else {
    print_table(risks, clock.now());
  }
  for (const auto& first : cut) {
    complain(
        "partition %d: events before offset %lld are no longer there, money that was at risk then is not listed; "
        "keep events for longer than money can be at risk\n",
        first.partition, static_cast<long long>(first.offset));
  }
  return exit_ok;
}

}  // namespace mayfly::tools
