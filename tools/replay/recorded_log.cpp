#include "tools/replay/recorded_log.h"

#include "tools/console/client.h"
#include "tools/console/exit_codes.h"
#include "tools/console/output.h"

namespace mayfly::tools {

int open_recorded(const LogWords& words, RecordedLog& opened) {
  int code = exit_ok;
  opened.log = open_reader(words, opened.clock, code);
  if (!opened.log) return code;
  if (code = choose_tick_secrets(words, opened.recorded.tick_secrets); code != exit_ok) return code;
  const auto status = read_recorded(*opened.log, opened.recorded);
  return status.ok() ? exit_ok : complain_of(status);
}

}  // namespace mayfly::tools
