#include "tools/front_door/access.h"

#include "events/rules/identity.h"
#include "events/rules/words.h"
#include "events/text/number.h"

#include <algorithm>

namespace mayfly::tools {

namespace {

constexpr std::size_t sha256_digits = 64;
constexpr std::string_view everybody = "anonymous";
constexpr Rate unlimited{0, {}};
constexpr std::int64_t most_requests = 1'000'000;  // of a rate, so that nothing overflows

std::optional<Scope> scope_named(std::string_view name) {
  if (name == "shop") return Scope::shop;
  if (name == "connector") return Scope::connector;
  if (name == "read") return Scope::read;
  return std::nullopt;
}

std::string_view take_word(std::string_view& line) {
  line.remove_prefix(std::min(line.find_first_not_of(" \t\r"), line.size()));
  const auto word = line.substr(0, line.find_first_of(" \t\r"));
  line.remove_prefix(word.size());
  return word;
}

/// N/s, N/min or N/h.
std::optional<Rate> rate_of(std::string_view text) {
  const auto requests = events::take_number<decltype(Rate::requests)>(text);
  if (!requests || *requests < 1 || *requests > most_requests) return std::nullopt;
  Rate rate;
  rate.requests = *requests;
  if (text == "/s") {
    rate.per = events::Millis{1'000};
  } else if (text == "/min") {
    rate.per = events::Millis{60'000};
  } else if (text == "/h") {
    rate.per = events::Millis{3'600'000};
  } else {
    return std::nullopt;
  }
  return rate;
}

bool is_sha256(std::string_view text) {
  return text.size() == sha256_digits && text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

/// As long for a wrong one as for the right one.
bool same(std::string_view a, std::string_view b) {
  unsigned char different = a.size() == b.size() ? 0 : 1;
  for (std::size_t i = 0; i < std::min(a.size(), b.size()); ++i) {
    different = static_cast<unsigned char>(different | (a[i] ^ b[i]));
  }
  return different == 0;
}

}  // namespace

bool Caller::may(Scope scope) const { return std::find(scopes.begin(), scopes.end(), scope) != scopes.end(); }

Access Access::open() {
  Access access;
  access.everybody_ = true;
  return access;
}

std::optional<Access> Access::from_text(std::string_view text, std::string& wrong) {
  Access access;
  for (int number = 1; !text.empty(); ++number) {
    auto line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    Entry entry;
    entry.caller.name = take_word(line);
    if (entry.caller.name.empty() || entry.caller.name.starts_with('#')) continue;
    bool known = true;
    for (auto scopes = take_word(line); known && !scopes.empty();) {
      const auto name = scopes.substr(0, scopes.find(','));
      scopes.remove_prefix(std::min(name.size() + 1, scopes.size()));
      const auto scope = scope_named(name);
      known = scope.has_value();
      if (scope) entry.caller.scopes.push_back(*scope);
    }
    entry.token_sha256 = take_word(line);
    if (const auto word = take_word(line); !word.empty()) {
      const auto rate = rate_of(word);
      known = known && rate.has_value();
      entry.caller.rate = rate.value_or(Rate{});
    }
    if (!known || entry.caller.scopes.empty() || !is_sha256(entry.token_sha256) || !take_word(line).empty()) {
      wrong = "line " + std::to_string(number) +
              ": expected NAME SCOPE[,SCOPE...] SHA256 [RATE], with the scopes shop, connector, read, 64 lower-case "
              "hexadecimal digits (printf %s TOKEN | sha256sum), and a rate as 100/s, 100/min or 100/h";
      return std::nullopt;
    }
    const auto same_name = std::find_if(access.entries_.begin(), access.entries_.end(),
                                        [&](const Entry& e) { return e.caller.name == entry.caller.name; });
    if (same_name != access.entries_.end() && same_name->caller.rate != entry.caller.rate) {
      wrong = "line " + std::to_string(number) + ": " + entry.caller.name +
              " has another rate in a line above: lines with the same name share one";
      return std::nullopt;
    }
    access.entries_.push_back(std::move(entry));
  }
  return access;
}

std::optional<Caller> Access::caller(std::string_view authorization) const {
  if (everybody_) return Caller{std::string(everybody), {Scope::shop, Scope::connector, Scope::read}, unlimited, true};
  constexpr std::string_view scheme = "Bearer ";
  if (!authorization.starts_with(scheme)) return std::nullopt;
  const auto hash = events::sha256_hex(authorization.substr(scheme.size()));
  std::optional<Caller> found;
  for (const auto& entry : entries_) {
    if (same(entry.token_sha256, hash)) found = entry.caller;
  }
  return found;
}

std::optional<Scope> scope_of(std::string_view command) {
  const auto type = events::command_type_from_name(command);
  if (!type || events::is_engines_command(*type)) return std::nullopt;
  return events::is_shop_command(*type) ? Scope::shop : Scope::connector;
}

}  // namespace mayfly::tools
