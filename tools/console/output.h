// Standard output and standard error, the only way to them for the verbs. Whatever the text came from, nothing in it
// steers a terminal (tools/console/printable.h), and output that could not be written does not go unnoticed.
#pragma once

#include "events/log/log.h"

#include <string_view>

namespace mayfly::tools {

/// Call first: a reader that goes away is then an error of writing and not a signal, and a descriptor 0 to 2 that is
/// closed is not given to a file.
void begin_output();

/// printf to standard output; line feeds stay, other control characters are escaped.
[[gnu::format(printf, 1, 2)]] void print(const char* format, ...);
void print_text(std::string_view);
/// One line of JSON to standard output.
void print_json(std::string_view json);
/// printf to standard error, as `print`.
[[gnu::format(printf, 1, 2)]] void complain(const char* format, ...);
/// Puts text in the place of the line that stands on the terminal of standard error, and stays in it; an empty text
/// leaves the line empty.
void redraw(std::string_view text);
/// Says why a log did not do what was asked, and gives the exit code for it.
[[nodiscard]] int complain_of(const events::LogStatus&);

/// Writes out what is gathered. False if that or anything before could not be written.
[[nodiscard]] bool output_written();
/// Says so and returns exit_failed if it could not be written; else the code.
[[nodiscard]] int with_output_written(int code);

}  // namespace mayfly::tools
