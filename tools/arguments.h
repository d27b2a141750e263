// The command line: what its verbs share.
#pragma once

#include "tools/console/verbs.h"

#include <CLI/CLI.hpp>

#include <functional>

namespace mayfly::tools {

template <class Options>
CLI::App* verb(CLI::App& app, const char* name, const char* what, Options& options, int (*run)(const Options&),
               std::function<int()>& chosen) {
  auto* sub = app.add_subcommand(name, what);
  sub->callback([&options, run, &chosen] { chosen = [&options, run] { return run(options); }; });
  return sub;
}

inline constexpr const char* log_help = "the log: sqlite:FILE or kafka:HOST:PORT[,HOST:PORT...]";
inline constexpr const char* config_help = "TOML file (docs/configuration.md)";

inline void log_words(CLI::App& sub, LogWords& words) {
  sub.add_option("--log", words.log, log_help);
  sub.add_option("--config", words.config, config_help);
}

/// Of verbs that read a recorded log, which may be a bundle.
inline void recorded_log_words(CLI::App& sub, LogWords& words) {
  sub.add_option("--log", words.log, "the log: sqlite:FILE, kafka:HOST:PORT[,HOST:PORT...] or bundle:FILE");
  sub.add_option("--config", words.config, config_help);
}

struct ReplayVerbs {
  ReplayVerifyOptions verify;
  ReplayShowOptions show;
  ReplayWhyOptions why;
  ReplayIndexOptions index;
  ReplayAtOptions at;
  ReplayDiffOptions diff;
  ReplayWhatIfOptions whatif;
  ReplayBisectOptions bisect;
  ReplayDecisionsOptions decisions;
  ReplayMemoryOptions memory;
  ReplayCheckpointOptions checkpoint;
  ReplayExportOptions bundle_out;
  ReplayImportOptions bundle_in;
  ReplayDriveOptions drive;
};

/// `mayfly replay` and its own verbs. The one that is asked for becomes `chosen`.
void add_replay(CLI::App& app, ReplayVerbs& options, std::function<int()>& chosen);

}  // namespace mayfly::tools
