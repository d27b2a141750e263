// The command line: the verbs of `mayfly replay` and their options.
#include "tools/arguments.h"

namespace mayfly::tools {

namespace {

void from_word(CLI::App& to, FromWords& options) {
  to.add_option("--from", options.checkpoint, "a checkpoint to begin with, instead of the first commands");
}

}  // namespace

void add_replay(CLI::App& app, ReplayVerbs& options, std::function<int()>& chosen) {
  auto* replay = app.add_subcommand("replay", "Decide the recorded commands again (docs/replay.md)");
  replay->require_subcommand(1);
  auto* s = verb(*replay, "verify", "Compare every byte with what was recorded", options.verify, replay_verify, chosen);
  recorded_log_words(*s, options.verify);
  from_word(*s, options.verify);
  s->add_flag("--carts", options.verify.carts, "events only, but of each cart that differs the first difference");
  s->add_option("--against", options.verify.against, "the same, with what another mayfly program decides");
  s->add_flag("--memory", options.verify.memory, "also what actors take; with --against that alone, of both programs");

  s = verb(*replay, "decisions", "Print each event that the recorded commands come to, as NDJSON", options.decisions,
           replay_decisions, chosen);
  recorded_log_words(*s, options.decisions);
  from_word(*s, options.decisions);

  s = verb(*replay, "memory", "Print what actors take while the recorded commands are decided, as NDJSON",
           options.memory, replay_memory, chosen);
  recorded_log_words(*s, options.memory);
  from_word(*s, options.memory);

  s = verb(*replay, "show", "Show what happened to a cart, and what came of each command", options.show, replay_show,
           chosen);
  recorded_log_words(*s, options.show);
  from_word(*s, options.show);
  s->add_option("id", options.show.id,
                "cart, order, session or reservation; or a reference, customer, correlation or trace id (reads all)")
      ->required();
  s->add_flag("--json", options.show.json, "NDJSON, one step a line");
  s->add_flag("--html", options.show.html, "one page that needs nothing else");
  s->add_option("--index", options.show.index,
                "the log's index, made or brought up to date first: no need to read all");

  s = verb(*replay, "index", "Make a log's index, or bring it up to date, for show --index", options.index,
           replay_index, chosen);
  recorded_log_words(*s, options.index);
  s->add_option("file", options.index.file, "the index, a file of its own")->required();

  s = verb(*replay, "why", "Show which rule decided a command, and what it saw", options.why, replay_why, chosen);
  recorded_log_words(*s, options.why);
  from_word(*s, options.why);
  s->add_option("position", options.why.position, "PARTITION:OFFSET of the command")->required();
  s->add_flag("--json", options.why.json, "NDJSON, one cart a line");

  constexpr const char* moments = "begin, end, PARTITION:OFFSET, RFC 3339, or how long ago: 90s, 15min, 2h, 3d";
  s = verb(*replay, "at", "Show carts as they were at a moment", options.at, replay_at, chosen);
  recorded_log_words(*s, options.at);
  from_word(*s, options.at);
  s->add_option("when", options.at.when, moments)->required();
  s->add_option("ids", options.at.ids, "ids as of show")->required();
  s->add_flag("--json", options.at.json, "NDJSON, one cart a line");

  s = verb(*replay, "diff", "Show what is different between two moments", options.diff, replay_diff, chosen);
  recorded_log_words(*s, options.diff);
  from_word(*s, options.diff);
  s->add_option("before", options.diff.before, moments)->required();
  s->add_option("after", options.diff.after, "the later moment, or one of the log that --with names")->required();
  s->add_option("ids", options.diff.ids, "ids as of show; none: all carts");
  s->add_option("--with", options.diff.with, "another log or bundle, that `after` is a moment of");
  s->add_option("--with-config", options.diff.with_config, "TOML file of that log");
  s->add_flag("--json", options.diff.json, "NDJSON, one cart a line");

  s = verb(*replay, "whatif", "Show what other settings or commands would have come to", options.whatif, replay_whatif,
           chosen);
  recorded_log_words(*s, options.whatif);
  from_word(*s, options.whatif);
  s->add_option("file", options.whatif.file, "what to change, JSON (docs/replay.md)")->required();
  s->add_flag("--json", options.whatif.json, "NDJSON, one cart a line, then the sums");

  s = verb(*replay, "bisect", "Find the first command after which a condition holds", options.bisect, replay_bisect,
           chosen);
  recorded_log_words(*s, options.bisect);
  s->add_option("--from", options.bisect.checkpoints,
                "a checkpoint to begin with; of several, as often as needed, the newest that does not hold it");
  s->add_option("--when", options.bisect.when, "a condition, e.g. 'session.captured_minor > 0 and phase == paying'");
  s->add_option("--exec", options.bisect.program, "a program that exits with 0 where it holds; with --cart");
  s->add_option("--cart", options.bisect.cart, "only this cart");
  s->add_flag("--json", options.bisect.json, "the step as a JSON object");

  s = verb(*replay, "checkpoint", "Write all that is open at a moment to a file that a replay can begin with",
           options.checkpoint, replay_checkpoint, chosen);
  recorded_log_words(*s, options.checkpoint);
  from_word(*s, options.checkpoint);
  s->add_option("file", options.checkpoint.file, "the file to make")->required();
  s->add_option("--at", options.checkpoint.at, moments)->capture_default_str();
  s->add_flag("--as-recorded", options.checkpoint.as_recorded, "the log's own state, also where commands are gone");

  s = verb(*replay, "export", "Write records to one file that can be sent, under pseudonyms", options.bundle_out,
           replay_export, chosen);
  recorded_log_words(*s, options.bundle_out);
  s->add_option("file", options.bundle_out.file, "the file to make")->required();
  s->add_option("--cart", options.bundle_out.carts, "only this cart; as often as needed");
  s->add_option("--partition", options.bundle_out.partitions, "only this partition; as often as needed")
      ->check(CLI::NonNegativeNumber);
  s->add_flag("--plain", options.bundle_out.plain, "texts as they are, and the newest state");

  s = verb(*replay, "import", "Make a SQLite log of an exported file, to look at", options.bundle_in, replay_import,
           chosen);
  log_words(*s, options.bundle_in);
  s->add_option("file", options.bundle_in.file, "what export wrote")->required();

  s = verb(*replay, "drive", "Append recorded commands to another log, at the speed at which they came", options.drive,
           replay_drive, chosen);
  s->add_option("from", options.drive.from, "what export wrote, or sqlite:FILE or kafka:HOST:PORT")->required();
  s->add_option("--log", options.drive.log, "the log to drive into: sqlite:FILE or kafka:HOST:PORT[,HOST:PORT...]");
  s->add_option("--config", options.drive.config, "TOML file of that log (docs/configuration.md)");
  s->add_option("--from-config", options.drive.from_config, "the same of the log that is read");
  s->add_option("--speed", options.drive.speed, "times the recorded one, e.g. 10 or 0.5; max: no pauses");
  s->add_option("--longest-gap-s", options.drive.longest_gap_s, "cut longer pauses of the drive; 0: none")
      ->check(CLI::Range(0, 31'536'000));
  s->add_flag("--create", options.drive.create, "make the log where there is none");
  s->add_flag("--into-used", options.drive.into_used, "also into a log with other producers' commands");
  s->add_flag("--json", options.drive.json, "print the counts as JSON");
}

}  // namespace mayfly::tools
