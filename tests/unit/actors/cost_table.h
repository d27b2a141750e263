// The table "What one costs" of docs/memory.md, as the tests read it: what each thing takes, and may take at most.
#pragma once

#include <cstdint>
#include <fstream>
#include <map>
#include <optional>
#include <sstream>
#include <stdexcept>
#include <string>

namespace mayfly::testing {

struct Cost {
  std::optional<std::int64_t> bytes;
  std::optional<std::int64_t> most_bytes;
};

/// Rows by their first column. Throws std::runtime_error where the page has no such table or a cell is no number.
inline std::map<std::string, Cost> cost_table() {
  std::ifstream in(MAYFLY_SOURCE_DIR "/docs/memory.md");
  std::string line;
  while (std::getline(in, line) && line != "| what | bytes | at most |") continue;
  if (!in || !std::getline(in, line))
    throw std::runtime_error("docs/memory.md has no table | what | bytes | at most |");
  const auto number = [&line](std::string cell) -> std::optional<std::int64_t> {
    std::erase_if(cell, [](char c) { return c == ' ' || c == ','; });
    if (cell.empty()) return std::nullopt;
    if (cell.find_first_not_of("0123456789") != std::string::npos)
      throw std::runtime_error("no number of bytes: " + line);
    return std::stoll(cell);
  };
  std::map<std::string, Cost> rows;
  while (std::getline(in, line) && line.starts_with("| ")) {
    std::istringstream cells(line.substr(2));
    std::string what;
    std::string bytes;
    std::string most;
    std::getline(cells, what, '|');
    std::getline(cells, bytes, '|');
    std::getline(cells, most, '|');
    what.erase(what.find_last_not_of(' ') + 1);
    rows[what] = {number(bytes), number(most)};
  }
  return rows;
}

}  // namespace mayfly::testing
