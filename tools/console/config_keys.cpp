#include "tools/console/config_keys.h"

#include "tools/console/nearest.h"

#include <toml++/toml.h>

#include <algorithm>
#include <fstream>
#include <map>
#include <sstream>

namespace mayfly::tools {

namespace {

/// What else could be meant: a key or a table, by its whole path or by its name alone.
std::string instead_of(const std::vector<ConfigKey>& keys, const std::string& path, const std::string& page) {
  std::map<std::string, std::string> meant;  // by spelling, what to say
  std::vector<std::string> spellings;
  const auto add = [&](const std::string& whole, const std::string& say) {
    for (const auto& spelling : {whole, whole.substr(whole.rfind('.') + 1)}) {
      if (meant.emplace(spelling, say).second) spellings.push_back(spelling);
    }
  };
  for (const auto& key : keys) {
    if (key.table == path) return " It is a table: write [" + path + "] and its keys below.";
    add(key.path(), "'" + key.path() + "'");
  }
  for (const auto& key : keys) {
    if (!key.table.empty()) add(key.table, "the table [" + key.table + "]");
  }
  const auto by_path = nearest(spellings, path);
  const auto name = path.substr(path.rfind('.') + 1);
  const auto by_name = nearest(spellings, name);
  const bool name_is_nearer =
      by_path.empty() || (!by_name.empty() && letters_to_change(by_name, name) < letters_to_change(by_path, path));
  const auto& best = name_is_nearer ? by_name : by_path;
  return best.empty() ? " " + page + " has every key." : " Did you mean " + meant[best] + "?";
}

void walk(const toml::table& table, const std::string& before, std::vector<ConfigValue>& values) {
  for (const auto& [key, node] : table) {
    const std::string path = before + std::string(key.str());
    if (const auto* inner = node.as_table()) {
      walk(*inner, path + ".", values);
    } else {
      values.push_back({path, node.source().begin.line, node.value_exact<std::string>(),
                        node.value_exact<std::int64_t>(), node.value_exact<bool>()});
    }
  }
}

}  // namespace

std::string read_values(const std::string& text, const std::string& name, std::vector<ConfigValue>& values) {
  try {
    walk(toml::parse(text, name), "", values);
  } catch (const toml::parse_error& error) {
    return name + ":" + std::to_string(error.source().begin.line) + ": " + std::string(error.description()) + ".";
  }
  std::stable_sort(values.begin(), values.end(),
                   [](const ConfigValue& a, const ConfigValue& b) { return a.line < b.line; });
  return {};
}

std::string read_config_file(const std::string& file, std::string& text) {
  std::ifstream in(file);
  in.peek();  // a folder can be opened, and not be read
  if (in.bad() || !in.is_open()) return file + ": cannot be opened. Check the name given with --config.";
  std::ostringstream all;
  all << in.rdbuf();
  text = all.str();
  return {};
}

std::string take(const std::vector<ConfigKey>& keys, const ConfigValue& value, const std::string& where,
                 const std::string& page) {
  const auto& path = value.path;
  const auto key = std::find_if(keys.begin(), keys.end(), [&](const ConfigKey& k) { return k.path() == path; });
  if (key == keys.end()) return where + "there is no key '" + path + "'." + instead_of(keys, path, page);
  if (key->text) {
    if (!value.text) return where + path + " must be a text in quotes.";
    const auto wrong = key->text(*value.text);
    return wrong.empty() ? wrong : where + path + ": " + wrong;
  }
  const auto number = value.integer;
  const bool zero = key->or_zero && number == 0;
  if (!number || (!zero && *number < key->least) || *number > key->most) {
    return where + path + " must be " + (key->or_zero ? "0 or " : "") + "an integer from " +
           std::to_string(key->least) + " to " + std::to_string(key->most) + ".";
  }
  key->integer(*number);
  return {};
}

}  // namespace mayfly::tools
