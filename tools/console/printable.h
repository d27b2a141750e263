// Text of any origin as a terminal may get it, and how many columns it takes there.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace mayfly::tools {

/// UTF-8 as it is, but what steers a terminal comes out escaped: C0 and DEL as \x1b, C1 and the marks that turn the
/// direction or end a line as \u009b. A byte that belongs to no character is escaped as \xff.
[[nodiscard]] std::string printable(std::string_view bytes);
/// The same, but line feeds stay: of a text that has lines of its own.
[[nodiscard]] std::string printable_lines(std::string_view bytes);
/// JSON in which what steers a terminal and may stand raw in its strings (DEL, C1, marks) is escaped as \u009b; it
/// says the same.
[[nodiscard]] std::string printable_json(std::string_view json);

/// Columns that printable text takes: none for marks that combine, two for what is wide (East Asian, emoji).
[[nodiscard]] std::size_t columns(std::string_view printable);
/// Printable text followed by spaces up to so many columns; longer text stays whole.
[[nodiscard]] std::string padded(std::string_view printable, std::size_t to_columns);
/// At most so many columns of it, "..." at the end where it was longer; a character is never cut.
[[nodiscard]] std::string shortened(std::string_view printable, std::size_t most_columns);

/// printable_lines, and nothing in it is HTML.
[[nodiscard]] std::string html_text(std::string_view);

}  // namespace mayfly::tools
