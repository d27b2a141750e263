// A config file's values and the keys that they are for: what every config file of Mayfly is read with. A message says
// what is wrong, with file and line, and what to do.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace mayfly::tools {

/// A value as it stands in a file. None of the three: it is of another type.
struct ConfigValue {
  std::string path;  // names of its tables and its own, with dots between
  std::uint32_t line = 0;
  std::optional<std::string> text;
  std::optional<std::int64_t> integer;
  std::optional<bool> yes;
};

/// All values of a TOML text in the order of their lines. Returns an empty string, or what is wrong; `name` stands for
/// the file.
[[nodiscard]] std::string read_values(const std::string& text, const std::string& name, std::vector<ConfigValue>&);

/// Reads a file whole. Returns an empty string, or what is wrong.
[[nodiscard]] std::string read_config_file(const std::string& file, std::string& text);

/// A key: where it goes, and what it takes. Integers have a range.
struct ConfigKey {
  std::string table;  // empty: top level
  std::string name;
  std::int64_t least = 0;
  std::int64_t most = 0;
  std::function<void(std::int64_t)> integer;
  std::function<std::string(std::string)> text;  // says what is wrong with it, if anything
  bool or_zero = false;                          // below the range only 0
  [[nodiscard]] std::string path() const { return table.empty() ? name : table + "." + name; }
};

/// Gives the value to the key of its path. Returns an empty string, or what is wrong: `where` and a sentence. `page` is
/// where every key is described.
[[nodiscard]] std::string take(const std::vector<ConfigKey>&, const ConfigValue&, const std::string& where,
                               const std::string& page);

}  // namespace mayfly::tools
