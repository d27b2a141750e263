#include "tools/console/client.h"

#include "tools/console/config.h"
#include "tools/console/exit_codes.h"
#include "tools/console/output.h"

#include <cstdio>

namespace mayfly::tools {

int choose_log(const LogWords& words, LogChoice& choice) {
  Config config;
  if (!words.config.empty()) {
    if (const auto wrong = read_config(words.config, config); !wrong.empty()) {
      complain("%s\n", wrong.c_str());
      return exit_config;
    }
  }
  choice = {words.log.empty() ? config.log : words.log,
            {config.partitions, config.engine.name, config.kafka, config.sqlite}};
  if (!choice.name.empty()) return exit_ok;
  complain("Which log? Give --log sqlite:FILE or --log kafka:HOST:PORT, or `log` in the config file.\n");
  return exit_usage;
}

int choose_tick_secrets(const LogWords& words, events::TickSecrets& secrets) {
  Config config;
  auto wrong = words.config.empty() ? std::string() : read_config(words.config, config);
  if (wrong.empty()) wrong = read_tick_secrets(config);
  if (!wrong.empty()) {
    complain("%s\n", wrong.c_str());
    return exit_config;
  }
  secrets.known = config.engine.tick_secrets.known;
  return exit_ok;
}

namespace {

template <class Open>
std::unique_ptr<events::LogClient> open(const LogWords& words, int& exit_code, Open&& open_it) {
  LogChoice choice;
  if (exit_code = choose_log(words, choice); exit_code != exit_ok) return nullptr;
  events::LogStatus status;
  auto log = open_it(choice, status);
  if (!log) {
    complain("%s\n", status.message.c_str());
    exit_code = exit_code_of(status.error);
  }
  return log;
}

}  // namespace

std::unique_ptr<events::LogClient> open_reader(const LogWords& words, const events::Clock& clock, int& exit_code) {
  return open(words, exit_code, [&](const LogChoice& choice, events::LogStatus& status) {
    return adapters::open_reader(choice.name, choice.options, clock, status);
  });
}

std::unique_ptr<events::LogClient> open_history(const LogWords& words, const events::Clock& clock, int& exit_code) {
  return open(words, exit_code, [&](LogChoice& choice, events::LogStatus& status) {
    // Behind the last record lies the mark of its transaction: a broker would wait that long for more, at each
    // partition.
    choice.options.kafka.properties.try_emplace("fetch.wait.max.ms", "5");
    return adapters::open_reader(choice.name, choice.options, clock, status);
  });
}

std::unique_ptr<events::LogClient> open_client(const LogWords& words, bool create, const events::Clock& clock,
                                               int& exit_code) {
  return open(words, exit_code, [&](const LogChoice& choice, events::LogStatus& status) {
    return adapters::open_client(choice.name, choice.options, create, clock, status);
  });
}

}  // namespace mayfly::tools
