// The command line: verbs and their options. What they do is in a file each.
#include "tools/arguments.h"
#include "tools/console/exit_codes.h"
#include "tools/console/nearest.h"
#include "tools/console/output.h"
#include "tools/console/version.h"
#include "tools/serve/front.h"

#include <algorithm>
#include <functional>
#include <sstream>
#include <string>
#include <vector>

using namespace mayfly::tools;

namespace {

/// `mayfly help VERB` is `mayfly VERB --help`.
std::vector<std::string> asked_for_help(std::vector<std::string> words) {
  if (words.empty() || words.front() != "help") return words;
  words.erase(words.begin());
  words.resize(std::min<std::size_t>(words.size(), 1));
  words.emplace_back("--help");
  return words;
}

/// As CLI11 takes them.
std::vector<std::string> reversed(std::vector<std::string> words) {
  std::reverse(words.begin(), words.end());
  return words;
}

/// A sentence if the word in the verb's place is none; nothing else is looked at.
std::string unknown_verb(const CLI::App& app, const std::vector<std::string>& words) {
  const auto at = !words.empty() && words.front() == "help" ? std::size_t{1} : std::size_t{0};
  if (at >= words.size() || words[at].starts_with('-')) return {};
  std::vector<std::string> verbs;
  for (const auto* sub : app.get_subcommands(nullptr)) verbs.push_back(sub->get_name());
  if (std::find(verbs.begin(), verbs.end(), words[at]) != verbs.end()) return {};
  const auto meant = nearest(verbs, words[at]);
  return "'" + words[at] + "' is no verb of mayfly." + (meant.empty() ? "" : " Did you mean '" + meant + "'?") +
         " `mayfly help` lists them.";
}

}  // namespace

int main(int argc, char** argv) {
  begin_output();
  CLI::App app("Mayfly, a checkout engine: carts and payment sessions as actors, commands and events in a log.",
               "mayfly");
  app.set_version_flag("--version", "mayfly " + std::string(version));
  app.require_subcommand(1);
  app.option_defaults()->always_capture_default();
  app.get_formatter()->column_width(34);
  std::function<int()> chosen;

  ServeOptions serve_options;
  auto* s = verb(app, "serve", "Serve a log: decide its commands until asked to stop", serve_options, serve, chosen);
  s->add_option("--log", serve_options.log, log_help);
  s->add_option("--config", serve_options.config, config_help);
  s->add_flag("--check-config", serve_options.check_config, "say what would stop a start, and start nothing");
  s->add_option("--name", serve_options.name, "the engine's name: part of every idempotency key");
  s->add_option("--partitions", serve_options.partitions, "for a log that is made (default 4)")
      ->check(CLI::Range(1, 1024));
  s->add_option("--http", serve_options.http, "HOST:PORT of probes, metrics and page, or off (default 127.0.0.1:9290)");
  s->add_option("--state-dir", serve_options.state_dir,
                "folder of the flight recorder (default: beside the SQLite file)");
  s->add_flag("--json", serve_options.json, "log lines as JSON also on a terminal");

  SendOptions send_options;
  s = verb(app, "send", "Send one command, or NDJSON from standard input", send_options, send, chosen);
  log_words(*s, send_options);
  s->add_option("type", send_options.type, "command, e.g. cart.add_line; - reads NDJSON")->required();
  s->add_option("cart", send_options.cart, "cart id");
  s->add_option("members", send_options.members, "name=value ...; a value that is JSON is taken as JSON");
  s->add_option("--id", send_options.id, "ce_id (default: a new UUID)");
  s->add_option("--source", send_options.source, "ce_source");
  s->add_flag("--wait{10}", send_options.wait_s, "wait up to so many seconds (10) and print what it came to")
      ->check(CLI::Range(0, 3'600));
  s->add_flag("--unchecked", send_options.unchecked, "send also what an engine cannot read");
  s->add_flag("--create", send_options.create, "make the log where there is none");
  s->add_flag("--json", send_options.json, "print positions as NDJSON");

  TailOptions tail_options;
  s = verb(app, "tail", "Print records as they come", tail_options, tail, chosen);
  log_words(*s, tail_options);
  s->add_option("--stream", tail_options.stream, "commands, events, state, deadletters or alerts")
      ->check(CLI::IsMember({"commands", "events", "state", "deadletters", "alerts"}));
  s->add_option("--from", tail_options.from,
                "begin, end, OFFSET or PARTITION:OFFSET, as often as needed (default: begin; with -f end)");
  s->add_option("--since", tail_options.since, "not older: RFC 3339, or how long ago: 90s, 15min, 2h, 3d");
  s->add_option("--group", tail_options.group,
                "go on where the last tail of this group ended; the position is kept in the log");
  s->add_flag("-f,--follow", tail_options.follow, "go on when the end is reached; else tail ends there");
  s->add_option("--limit", tail_options.limit, "at most so many records; 0: all")->check(CLI::NonNegativeNumber);
  s->add_option("--cart", tail_options.cart, "only this key");
  s->add_option("--type", tail_options.types, "only this type, e.g. order.placed; as often as needed");
  s->add_flag("--json", tail_options.json, "NDJSON");

  InspectOptions inspect_options;
  s = verb(app, "inspect", "Show a cart: its state and its events", inspect_options, inspect, chosen);
  log_words(*s, inspect_options);
  s->add_option("id", inspect_options.id, "cart, order, session or reservation")->required();
  s->add_flag("--json", inspect_options.json, "one JSON object");

  FrontOptions front_options;
  s = verb(app, "front", "Take commands over HTTP and answer with what they came to", front_options, front, chosen);
  log_words(*s, front_options);
  s->add_option("--address", front_options.address, "HOST:PORT to listen on (default 127.0.0.1:9280)");
  s->add_option("--tokens", front_options.tokens, "file of who may come in; not needed on loopback");
  auto* certificate = s->add_option("--certificate", front_options.certificate, "PEM file: serve HTTPS with it");
  auto* key = s->add_option("--key", front_options.key, "PEM file of the certificate's key, for its owner alone");
  s->add_option("--connections", front_options.connections, "at a time (default 1,000); each may wait for its answer")
      ->check(CLI::Range(1, 100'000));
  s->add_option("--http", front_options.http, "HOST:PORT of a probe and metrics (default: none)");
  certificate->needs(key);
  key->needs(certificate);

  ConnectOptions connect_options;
  s = verb(app, "connect", "Deliver events over HTTP as webhooks, and take webhooks in (docs/connect.md)",
           connect_options, connect, chosen);
  log_words(*s, connect_options);
  s->add_option("--again", connect_options.again,
                "NAME:PARTITION:OFFSET of a parked event: try it once more; as often as needed");
  s->add_option("--http", connect_options.http, "HOST:PORT of a probe and metrics (default: none)");
  s->add_flag("--check-config", connect_options.check_config, "say what is wrong with the config, and start nothing");

  FundsOptions funds_options;
  s = verb(app, "funds", "List the money at risk (docs/payments.md)", funds_options, funds, chosen);
  log_words(*s, funds_options);
  s->add_option("--cart", funds_options.cart, "only this cart");
  const auto funds_json = s->add_flag("--json", funds_options.json, "NDJSON");
  s->add_flag("--metrics", funds_options.metrics, "totals as Prometheus's text")->excludes(funds_json);

  DeadLettersOptions dead_options;
  s = verb(app, "deadletters", "Look at dead letters, send them again (docs/deadletters.md)", dead_options, deadletters,
           chosen);
  s->add_option("what", dead_options.what, "list, show, retry, release or drop")
      ->required()
      ->check(CLI::IsMember({"list", "show", "retry", "release", "drop"}));
  s->add_option("which", dead_options.which, "PARTITION:OFFSET ... as list shows them; release: cart ids");
  log_words(*s, dead_options);
  s->add_option("--reason", dead_options.reasons, "only these, e.g. keeps_failing");
  s->add_option("--cart", dead_options.cart, "only this key");
  s->add_option("--since", dead_options.since, "not older: RFC 3339, or how long ago: 90s, 15min, 2h, 3d");
  s->add_option("--until", dead_options.until, "older: the same");
  s->add_flag("--all", dead_options.all, "list, show: handled ones too; retry, drop: all that are open");
  s->add_flag("--yes", dead_options.yes, "do not ask");
  s->add_flag("--dry-run", dead_options.dry_run, "retry: send nothing, say what each would come to");
  s->add_flag("--force", dead_options.force, "retry: also what was sent again three times and came back");
  s->add_option("--why", dead_options.why, "retry, drop: the reason, which list shows");
  const auto dead_json = s->add_flag("--json", dead_options.json, "list, show, retry --dry-run: NDJSON");
  s->add_flag("--metrics", dead_options.metrics, "list: how many, as Prometheus's text")->excludes(dead_json);

  FeedOptions feed_options;
  s = verb(app, "feed", "Turn Online Retail's CSV into commands (docs/feed.md)", feed_options, feed, chosen);
  s->add_option("csv", feed_options.csv, ".csv or .csv.zst")->required();
  log_words(*s, feed_options);
  s->add_option("--speed", feed_options.speed_per_s, "commands per second; 0: as fast as it goes")
      ->check(CLI::Range(0, 10'000'000));
  s->add_option("--limit-invoices", feed_options.limit_invoices, "at most so many; 0: all")
      ->check(CLI::NonNegativeNumber);
  s->add_flag("--create", feed_options.create, "make the log where there is none");
  s->add_flag("--json", feed_options.json, "print the counts as JSON");

  TreeOptions tree_options;
  tree_options.http = default_http_address;
  s = verb(app, "tree", "Show a running engine's tree: partitions, carts, sessions, restarts", tree_options, tree,
           chosen);
  s->add_option("--http", tree_options.http, "where it listens, HOST:PORT");
  s->add_flag("--json", tree_options.json, "one JSON object");

  MemoryOptions memory_options;
  memory_options.http = default_http_address;
  s = verb(app, "memory", "Show what a running engine's memory is for", memory_options, memory, chosen);
  s->add_option("--http", memory_options.http, "where it listens, HOST:PORT");
  s->add_flag("--json", memory_options.json, "one JSON object");

  RenewOptions renew_options;
  renew_options.http = default_http_address;
  s = verb(app, "renew", "Drop partitions of a running engine, wake them from what is committed, compare both",
           renew_options, renew, chosen);
  s->add_option("--http", renew_options.http, "where it listens, HOST:PORT");
  s->add_option("--partition", renew_options.partition, "only this one; -1: each, one after the other")
      ->check(CLI::Range(-1, 1023));
  s->add_flag("--json", renew_options.json, "one JSON object");

  ReplayVerbs replay_options;
  add_replay(app, replay_options, chosen);

  BackupOptions backup_options;
  s = verb(app, "backup", "Copy a log on SQLite to one file, also while it is served (docs/backup.md)", backup_options,
           backup, chosen);
  log_words(*s, backup_options);
  s->add_option("to", backup_options.to, "the file to make")->required();

  DemoOptions demo_options;
  if (argc > 0) demo_options.program = argv[0];
  s = verb(app, "demo", "Serve a log with a simulated shop, inventory and provider", demo_options, demo, chosen);
  s->add_option("--log", demo_options.log, "sqlite:FILE or kafka:HOST:PORT (default: a file in a temporary folder)");
  s->add_flag("--keep", demo_options.keep, "keep that folder; else it is removed at the end");
  s->add_option("--carts-per-second", demo_options.carts_per_s, "new carts")->check(CLI::Range(1, 100'000));
  s->add_option("--carts", demo_options.carts, "stop after so many; 0: when asked to")
      ->check(CLI::Range(0, 1'000'000'000));
  s->add_option("--decline", demo_options.decline_percent, "percent of payments declined")->check(CLI::Range(0, 100));
  s->add_option("--silence", demo_options.silence_percent, "percent of requests never answered")
      ->check(CLI::Range(0, 100));
  s->add_option("--out-of-stock", demo_options.out_of_stock_percent, "percent of reservations rejected")
      ->check(CLI::Range(0, 100));
  s->add_option("--delay-ms", demo_options.delay_ms, "mean time to an answer")->check(CLI::Range(0, 600'000));
  s->add_option("--seed", demo_options.seed, "of all chances");
  s->add_option("--http", demo_options.http,
                "HOST:PORT of the page, or off (default 127.0.0.1:9290, else any free port)");
  s->add_option("--front", demo_options.front,
                "HOST:PORT of the front door, or off (default 127.0.0.1:9280, or any that is free)");

  SimulateOptions simulate_options;
  s = verb(app, "simulate", "Answer a log's requests as payment service or warehouse (docs/simulate.md)",
           simulate_options, simulate, chosen);
  log_words(*s, simulate_options);
  s->add_option("what", simulate_options.what, "provider, warehouse, or both")
      ->required()
      ->check(CLI::IsMember({"provider", "warehouse"}));
  const auto percent = [s](const char* name, int& of, const char* what) {
    s->add_option(name, of, what)->check(CLI::Range(0, 100));
  };
  percent("--decline", simulate_options.decline_percent, "percent of payments declined");
  percent("--silence", simulate_options.silence_percent, "percent of requests never answered; half of them are done");
  percent("--double", simulate_options.duplicate_percent, "percent of answers that come twice");
  percent("--late", simulate_options.late_percent, "percent of answers that come a minute to eight hours late");
  percent("--pending", simulate_options.pending_percent,
          "percent of payments decided later, half of them by the buyer");
  percent("--attempt-fails", simulate_options.attempt_fails_percent, "percent of buyers whose first attempt fails");
  percent("--capture-fails", simulate_options.capture_fails_percent,
          "percent of captures refused, half of them for good");
  percent("--refund-fails", simulate_options.refund_fails_percent, "percent of refunds refused, half of them for good");
  percent("--never-settles", simulate_options.never_settles_percent,
          "percent of payments that take days and come after their time");
  percent("--extra", simulate_options.extra_percent, "percent of payments that may be more and are");
  percent("--wrong-amount", simulate_options.wrong_amount_percent,
          "percent of amounts that are not what was asked for");
  percent("--dispute", simulate_options.dispute_percent, "percent of captures disputed on a later day");
  percent("--out-of-stock", simulate_options.out_of_stock_percent, "percent of reservations rejected");
  s->add_option("--delay-ms", simulate_options.delay_ms, "mean time to an answer")->check(CLI::Range(0, 600'000));
  s->add_option("--faster", simulate_options.faster, "divide every wait by this: 86400 makes a day a second")
      ->check(CLI::Range(1, 1'000'000));
  s->add_option("--seed", simulate_options.seed, "of all chances");
  s->add_flag("--json", simulate_options.json, "print the books as NDJSON, an account a line");

  ReenactOptions reenact_options;
  s = verb(app, "reenact", "Play an outage again, and not (docs/outages.md)", reenact_options, reenact, chosen);
  s->add_option("outage", reenact_options.outage, "cart-leak or session-leak")
      ->required()
      ->check(CLI::IsMember({"cart-leak", "session-leak"}));
  s->add_option("--carts-per-second", reenact_options.carts_per_s, "new carts of each of the three shops")
      ->check(CLI::Range(1, 10'000));
  s->add_option("--limit-mib", reenact_options.limit_mib, "memory that each run's process may have")
      ->check(CLI::Range(64, 65'536));
  s->add_option("--seconds", reenact_options.seconds, "length of the runs")->check(CLI::Range(5, 86'400));
  s->add_option("--bug-bytes", reenact_options.bug_bytes,
                "what the bug takes each time (default: so much that the limit is reached at the outage's time)")
      ->check(CLI::Range(1, 1'000'000'000));
  s->add_option("--seed", reenact_options.seed, "of all chances");
  const auto fast = s->add_flag("--fast", reenact_options.fast, "about two minutes (default)");
  s->add_flag("--real", reenact_options.real, "the outage's own 30 or 150 minutes, and some before and after")
      ->excludes(fast);
  s->add_option("--html", reenact_options.html, "the report's file, or off (default reenact-OUTAGE.html)");
  s->add_flag("--keep", reenact_options.keep, "keep the runs' logs");
  s->add_flag("--json", reenact_options.json, "one JSON object at the end");

  const std::vector<std::string> words(argv + 1, argv + argc);
  if (const auto wrong = unknown_verb(app, words); !wrong.empty()) {
    complain("%s\n", wrong.c_str());
    return exit_usage;
  }
  try {
    app.parse(reversed(asked_for_help(words)));
  } catch (const CLI::ParseError& error) {
    std::ostringstream said;
    std::ostringstream wrong;
    const int code = app.exit(error, said, wrong);
    print_text(said.str());
    complain("%s", wrong.str().c_str());
    return code == 0 ? with_output_written(exit_ok) : exit_usage;
  }
  try {
    return with_output_written(chosen());
  } catch (const std::exception& error) {
    complain("mayfly: %s\n", error.what());
    return exit_failed;
  }
}
