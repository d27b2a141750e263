#include "tools/console/output.h"

#include "tools/console/exit_codes.h"
#include "tools/console/printable.h"

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <cstdarg>
#include <cstdio>
#include <string>

namespace mayfly::tools {

namespace {

std::string formatted(const char* format, std::va_list words) {
  std::va_list again;
  va_copy(again, words);
  const int size = std::vsnprintf(nullptr, 0, format, words);
  std::string text(size < 0 ? 0 : static_cast<std::size_t>(size), '\0');
  std::vsnprintf(text.data(), text.size() + 1, format, again);
  va_end(again);
  return text;
}

void write(std::FILE* to, std::string_view text) {
  const auto safe = printable_lines(text);
  std::fwrite(safe.data(), 1, safe.size(), to);
}

}  // namespace

void begin_output() {
  ::signal(SIGPIPE, SIG_IGN);
  for (int descriptor = 0; descriptor <= 2; ++descriptor) {
    // Opened the wrong way round, so that using it fails as before.
    if (::fcntl(descriptor, F_GETFD) == -1) (void)::open("/dev/null", descriptor == 0 ? O_WRONLY : O_RDONLY);
  }
}

void print(const char* format, ...) {
  std::va_list words;
  va_start(words, format);
  write(stdout, formatted(format, words));
  va_end(words);
}

void print_text(std::string_view text) { write(stdout, text); }

void print_json(std::string_view json) {
  const auto line = printable_json(json) + "\n";
  std::fwrite(line.data(), 1, line.size(), stdout);
}

void complain(const char* format, ...) {
  std::va_list words;
  va_start(words, format);
  write(stderr, formatted(format, words));
  va_end(words);
}

void redraw(std::string_view text) {
  constexpr std::string_view to_begin_and_clear = "\r\x1b[K";
  std::fwrite(to_begin_and_clear.data(), 1, to_begin_and_clear.size(), stderr);
  write(stderr, text);
}

int complain_of(const events::LogStatus& status) {
  complain("%s\n", status.message.c_str());
  return exit_code_of(status.error);
}

bool output_written() { return std::fflush(stdout) == 0 && std::ferror(stdout) == 0; }

int with_output_written(int code) {
  if (output_written()) return code;
  complain("standard output cannot be written: no space there, or its reader has gone. Not all was printed.\n");
  return code == exit_ok ? exit_failed : code;
}

}  // namespace mayfly::tools
