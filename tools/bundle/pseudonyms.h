// What a bundle says instead of texts that are about people: of the same length, the same for the same text, and such
// that every decision stays as it was.
#pragma once

#include "events/log/record.h"
#include "events/rules/identity.h"

#include <deque>
#include <string>
#include <string_view>
#include <vector>

namespace mayfly::tools {

/// A record's bytes with pseudonyms in them.
struct MaskedRecord {
  events::Record record;  // views what follows
  std::string value;
  std::deque<std::string> texts;
  std::vector<events::Header> headers;
};

class Pseudonyms {
 public:
  /// Nobody who lacks the key can tell whether a text was another.
  explicit Pseudonyms(const events::HashKey& key) : hash_(key) {}

  /// Letters, one for each byte; what JSON must escape stays.
  [[nodiscard]] std::string of(std::string_view text) const;
  /// Also keeps whether the token is a card number (decisions.md 2.11.5).
  [[nodiscard]] std::string of_token(std::string_view token) const;
  enum class By : std::uint8_t { anybody, envelope, engine, supervision, merge };
  /// In a JSON value: every text but ids and words that decide. A value that is no JSON object is letters afterwards.
  /// `by`: whose words it holds, in a structured CloudEvent (`envelope`) or not; an event's `message` and a dead
  /// letter's `reason` are the engine's; so are the commands of merges.
  [[nodiscard]] std::string in_value(std::string_view value, By by) const;
  /// A record of any stream but state.
  void mask(events::Stream, const events::Record&, MaskedRecord&) const;

 private:
  [[nodiscard]] std::string in_place_of(std::string_view text, std::string_view member) const;

  events::KeyedHash hash_;
};

}  // namespace mayfly::tools
