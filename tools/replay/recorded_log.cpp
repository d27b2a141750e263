#include "tools/replay/recorded_log.h"

#include "tools/console/client.h"
#include "tools/console/exit_codes.h"
#include "tools/console/output.h"
#include "tools/records/bundle_log.h"
#include "tools/replay/checkpoint.h"

#include <fstream>
#include <utility>

namespace mayfly::tools {

int open_unread(const FromWords& words, RecordedLog& opened) {
  int code = exit_ok;
  opened.log = open_recorded_log(words, opened.clock, code, &opened.has_state);
  if (!opened.log) return code;
  if (code = choose_tick_secrets(words, opened.recorded.tick_secrets); code != exit_ok) return code;
  return begin_with(words.checkpoint, opened);
}

int begin_with(const std::string& checkpoint, RecordedLog& opened) {
  opened.recorded.from = nullptr;
  if (checkpoint.empty()) return exit_ok;
  std::ifstream in(checkpoint, std::ios::binary);
  auto read = std::make_shared<Checkpoint>();
  if (const auto wrong = in ? read_checkpoint(in, *read) : "it cannot be read"; !wrong.empty()) {
    complain("%s: %s.\n", checkpoint.c_str(), wrong.c_str());
    return exit_usage;
  }
  if (const auto status = check_checkpoint(*opened.log, *read); !status.ok()) return complain_of(status);
  opened.recorded.engine = read->engine;
  opened.recorded.from = std::move(read);
  return exit_ok;
}

int open_recorded(const FromWords& words, RecordedLog& opened) {
  if (const int code = open_unread(words, opened); code != exit_ok) return code;
  const auto status = read_recorded(*opened.log, opened.recorded);
  return status.ok() ? exit_ok : complain_of(status);
}

}  // namespace mayfly::tools
