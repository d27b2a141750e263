// mayfly deadletters: what lies there, sending it again, letting carts out of quarantine (docs/deadletters.md).
#include "adapters/host/wall_clock.h"
#include "events/rules/identity.h"
#include "events/state/snapshot.h"
#include "events/text/utf8.h"
#include "tools/console/client.h"
#include "tools/console/exit_codes.h"
#include "tools/console/output.h"
#include "tools/console/progress.h"
#include "tools/console/prometheus_text.h"
#include "tools/console/text.h"
#include "tools/console/verbs.h"
#include "tools/deadletters/dead_letter_dry_run.h"
#include "tools/deadletters/dead_letter_retry.h"
#include "tools/deadletters/dead_letter_selection.h"
#include "tools/deadletters/dead_letter_text.h"
#include "tools/deadletters/handled_by.h"
#include "tools/records/each_record.h"

#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <deque>
#include <iostream>
#include <map>
#include <string>

namespace mayfly::tools {

namespace {

using events::LogStatus;

int failed(const LogStatus& status) {
  complain("%s\n", status.message.c_str());
  return exit_code_of(status.error);
}

int refused(const std::string& why) {
  complain("%s\n", why.c_str());
  return exit_usage;
}

std::string letters(std::int64_t count) { return grouped(count) + (count == 1 ? " dead letter" : " dead letters"); }

std::string by_name(const std::map<std::string, std::int64_t, std::less<>>& counts) {
  std::string text;
  for (const auto& [name, count] : counts) {
    text.append(text.empty() ? "" : ", ").append(grouped(count)).append(" ").append(name);
  }
  return text;
}

/// A reading of each partition that the selection may concern, at one moment: what comes later is left alone.
LogStatus begin_reading(events::LogClient& log, const Selection& selection, std::deque<DeadLetterReading>& readings) {
  for (events::Partition p = 0; p < log.partitions(); ++p) {
    const auto first = selection.positions.lower_bound({p, 0});
    if (!selection.positions.empty() && (first == selection.positions.end() || first->partition != p)) continue;
    if (auto status = readings.emplace_back(log, p).begin(); !status.ok()) return status;
  }
  return {};
}

LogStatus each_batch(std::deque<DeadLetterReading>& readings, const Selection& selection,
                     const std::function<LogStatus(DeadLetterReading&, std::vector<Found>&)>& f) {
  for (auto& reading : readings) {
    auto status = reading.each_batch(selection, [&](std::vector<Found>& batch) { return f(reading, batch); });
    if (!status.ok()) return status;
  }
  return {};
}

/// Each reason has its sample, 0 among them: a reason that this version does not know is counted as `other`.
int show_metrics(std::deque<DeadLetterReading>& readings, const Selection& selection) {
  std::map<std::string, std::int64_t, std::less<>> open{{"other", 0}};
  for (std::size_t i = 0; i < events::dead_letter_reason_count; ++i) {
    open.emplace(events::name(static_cast<events::DeadLetterReason>(i)), 0);
  }
  const auto status = each_batch(readings, selection, [&](DeadLetterReading&, std::vector<Found>& batch) {
    for (const auto& found : batch) {
      const auto known = open.find(found.letter.reason);
      ++(known != open.end() ? known : open.find("other"))->second;
    }
    return LogStatus{};
  });
  if (!status.ok()) return failed(status);
  PrometheusText text;
  text.family("mayfly_deadletters_open", "gauge", "Dead letters that are neither sent again nor dropped, by reason.");
  for (const auto& [reason, count] : open) {
    text.sample("mayfly_deadletters_open", "reason=\"" + reason + "\"", count);
  }
  print_text(text.out);
  return exit_ok;
}

int show(std::deque<DeadLetterReading>& readings, const Selection& selection, const DeadLettersOptions& options) {
  if (options.metrics) return show_metrics(readings, selection);
  std::map<std::string, std::int64_t, std::less<>> reasons;
  std::int64_t count = 0;
  const bool whole = options.what == "show";
  const auto status = each_batch(readings, selection, [&](DeadLetterReading&, std::vector<Found>& batch) {
    for (const auto& found : batch) {
      if (options.json)
        print_json(as_ndjson(found, whole));
      else
        print_text((whole ? as_page(found) : as_line(found)) + "\n");
      ++reasons[std::string(found.letter.reason)];
      ++count;
    }
    return LogStatus{};
  });
  if (!status.ok()) return failed(status);
  if (whole && count < std::ssize(selection.positions)) {
    complain("%s of %zu asked for: there is none at the other positions.\n", letters(count).c_str(),
             selection.positions.size());
    return exit_failed;
  }
  if (options.json || whole) return exit_ok;
  if (count == 0) print("%s\n", options.all ? "No dead letter fits." : "No open dead letter fits.");
  if (count > 0) print("\n%s: %s\n", letters(count).c_str(), by_name(reasons).c_str());
  return exit_ok;
}

/// True: go on. Else `code` is what to end with.
bool agreed(const std::string& what, bool yes, int& code) {
  if (yes) return true;
  if (!is_terminal(STDIN_FILENO)) {
    code = refused(what + " This asks first, and standard input is no terminal: say --yes.");
    return false;
  }
  complain("%s Go on? [y/N] ", what.c_str());
  std::string answer;
  std::getline(std::cin, answer);
  code = exit_failed;
  if (answer == "y" || answer == "yes") return true;
  complain("Nothing was done.\n");
  return false;
}

/// What the selection comes to, if it is to be asked about.
LogStatus count(std::deque<DeadLetterReading>& readings, const Selection& selection, std::int64_t& all,
                std::string& reasons) {
  std::map<std::string, std::int64_t, std::less<>> by_reason;
  auto status = each_batch(readings, selection, [&](DeadLetterReading&, std::vector<Found>& batch) {
    for (const auto& found : batch) ++by_reason[std::string(found.letter.reason)];
    all += std::ssize(batch);
    return LogStatus{};
  });
  reasons = by_name(by_reason);
  return status;
}

void print_counts(const HandlingCounts& counts) {
  if (counts.sent > 0) print("%s sent again\n", letters(counts.sent).c_str());
  if (counts.found > 0) print("%s sent again already by a run that was interrupted\n", letters(counts.found).c_str());
  if (counts.dropped > 0) print("%s dropped\n", letters(counts.dropped).c_str());
  for (const auto& [why, n] : counts.left_out) print("%s left out: %s\n", letters(n).c_str(), why.c_str());
}

int handle(events::LogClient& log, const events::Clock& clock, std::deque<DeadLetterReading>& readings,
           const Selection& selection, const events::TickSecret* secret, const DeadLettersOptions& options) {
  const bool retry = options.what == "retry";
  std::int64_t all = 0;
  std::string reasons;
  auto status = count(readings, selection, all, reasons);
  if (!status.ok()) return failed(status);
  if (all < std::ssize(selection.positions)) {
    return refused(letters(all) + " of " + std::to_string(selection.positions.size()) +
                   " asked for: at the others there is none, or it is handled (list --all). Nothing was done.");
  }
  if (all == 0) {
    print_text("No open dead letter fits.\n");
    return exit_ok;
  }
  int code = exit_ok;
  const auto what = letters(all) + " (" + reasons + ") will be " + (retry ? "sent again." : "marked as dropped.");
  if (all > 1 && !agreed(what, options.yes, code)) return code;
  auto stop = stop_on_signals();
  DeadLetterHandling handling(log, clock, secret, {user_at_host(), kept_why(options.why)}, options.force);
  status = each_batch(readings, selection, [&](DeadLetterReading& reading, std::vector<Found>& batch) {
    if (stop.stop_requested()) return LogStatus{events::LogError::unavailable, "Stopped; the rest is as it was."};
    return retry ? handling.retry(reading, batch) : handling.drop(reading, batch);
  });
  print_counts(handling.counts());
  if (status.ok()) return handling.counts().left_out.empty() ? exit_ok : exit_failed;
  complain("%s\nThe same again goes on where this ended; nothing is sent twice.\n", status.message.c_str());
  return stop.stop_requested() ? exit_failed : exit_code_of(status.error);
}

int dry_run(events::LogClient& log, const events::Clock& clock, std::deque<DeadLetterReading>& readings,
            const Selection& selection, const events::TickSecrets& secrets, const DeadLettersOptions& options) {
  Recorded recorded;
  recorded.tick_secrets.known = secrets.known;
  if (const auto status = read_recorded(log, recorded); !status.ok()) return failed(status);
  std::map<std::string, std::int64_t, std::less<>> outcomes;
  std::int64_t sent = 0;
  std::int64_t read = 0;
  LogStatus status;
  {
    Progress progress("commands decided again", 0);
    DryRun run(log, recorded, clock.now(), options.force, [&] { progress.at(++read); });
    status = run.run(readings, selection, [&](const Found& found, const DryOutcome& outcome) {
      if (options.json) {
        print_json(as_ndjson(found, outcome));
      } else {
        print_text(as_line(found, outcome) + "\n");
      }
      sent += outcome.left_out ? 0 : 1;
      ++outcomes[outcome.left_out ? "left out" : outcome.outcome];
    });
  }
  if (!status.ok()) return failed(status);
  if (options.json) return exit_ok;
  print("%s%s would be sent again%s%s. Nothing was sent.\n", outcomes.empty() ? "" : "\n", letters(sent).c_str(),
        outcomes.empty() ? "" : ": ", by_name(outcomes).c_str());
  return exit_ok;
}

/// What a cart's newest state record says of its quarantine.
struct Quarantine {
  bool is = false;
  bool unreadable = false;
};

LogStatus quarantined_of(events::LogClient& log, std::map<std::string, Quarantine, std::less<>>& carts) {
  std::set<events::Partition> partitions;
  for (const auto& [cart, is] : carts) partitions.insert(events::partition_of(cart, log.partitions()));
  for (const auto p : partitions) {
    auto status = each_record(log, events::Stream::state, p, [&](const events::Record& record) {
      const auto found = carts.find(record.key.value_or(events::Bytes{}));
      if (found == carts.end()) return true;
      const auto parts = events::split_snapshot(record.value.value_or(events::Bytes{}));
      const auto* read = std::get_if<events::SnapshotParts>(&parts);
      found->second = {record.value && read != nullptr && read->trouble.quarantined(), record.value && read == nullptr};
      return true;
    });
    if (!status.ok()) return status;
  }
  return {};
}

int release(events::LogClient& log, const events::Clock& clock, const events::TickSecret* secret,
            const DeadLettersOptions& options) {
  if (options.which.empty()) return refused("Which carts? Give their ids.");
  std::map<std::string, Quarantine, std::less<>> carts;
  for (const auto& cart : options.which) {
    if (!events::is_cart_id(cart)) return refused("'" + cart + "' is no cart id.");
    carts.emplace(cart, Quarantine{});
  }
  if (auto status = quarantined_of(log, carts); !status.ok()) return failed(status);
  int code = exit_ok;
  const auto count = std::count_if(carts.begin(), carts.end(), [](const auto& cart) { return cart.second.is; });
  if (count > 1 && !agreed(grouped(count) + " carts will be let out of quarantine.", options.yes, code)) return code;
  for (const auto& [cart, quarantine] : carts) {
    if (!quarantine.is) {
      complain("%s %s; nothing was done\n", cart.c_str(),
               quarantine.unreadable ? "has a state record that cannot be read: repair it (docs/deadletters.md)"
                                     : "is not quarantined");
      code = exit_failed;
      continue;
    }
    const auto tick = tick_record(events::partition_of(cart, log.partitions()), cart, clock.now(), secret);
    const auto appended = log.append({&tick.record, 1});
    if (!appended.status.ok()) return failed(appended.status);
    print(
        "%s is let out of quarantine as soon as an engine decides the tick at %d:%lld, which is written; what it "
        "missed: "
        "deadletters retry --cart %s\n",
        cart.c_str(), appended.at[0].partition, static_cast<long long>(appended.at[0].offset), cart.c_str());
  }
  return code;
}

}  // namespace

int deadletters(const DeadLettersOptions& options) {
  const adapters::WallClock clock;
  if (options.dry_run && options.what != "retry") return refused("--dry-run is for retry. Nothing was done.");
  if (options.metrics && options.what != "list") return refused("--metrics is for list. Nothing was done.");
  if (options.why.size() > longest_why_bytes || !events::is_plain_text(options.why)) {
    return refused("--why takes at most " + std::to_string(longest_why_bytes) +
                   " bytes of UTF-8 without control characters.");
  }
  int code = exit_ok;
  const bool shows = options.what == "list" || options.what == "show";
  const bool reads = shows || options.dry_run;
  const auto log = reads ? open_history(options, clock, code) : open_client(options, false, clock, code);
  if (!log) return code;
  events::TickSecrets secrets;
  if (!shows) code = choose_tick_secrets(options, secrets);
  if (code != exit_ok) return code;
  const auto* secret = secrets.known.empty() ? nullptr : &secrets.known.front();
  if (options.what == "release") return release(*log, clock, secret, options);
  Selection selection;
  if (const auto wrong = read_selection(options, log->partitions(), clock.now(), selection); !wrong.empty()) {
    return refused(wrong);
  }
  std::deque<DeadLetterReading> readings;
  if (const auto status = begin_reading(*log, selection, readings); !status.ok()) return failed(status);
  if (shows) return show(readings, selection, options);
  if (options.dry_run) return dry_run(*log, clock, readings, selection, secrets, options);
  return handle(*log, clock, readings, selection, secret, options);
}

}  // namespace mayfly::tools
