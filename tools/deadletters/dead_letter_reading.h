// Reads one partition's dead letters and what became of each, a bounded batch at a time.
#pragma once

#include "events/log/log.h"
#include "tools/deadletters/dead_letter.h"

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace mayfly::tools {

/// What became of a dead letter, by its marks.
struct Fate {
  enum class Kind : std::uint8_t { open, retry_begun, retried, dropped } kind = Kind::open;
  events::Position to;               // as in the mark; of several retries begun the lowest offset
  events::Timestamp at{};            // when it was marked, the last time
  const Handler* handler = nullptr;  // by whom, why; null: it was not marked
  [[nodiscard]] bool handled() const { return kind == Kind::retried || kind == Kind::dropped; }
};
[[nodiscard]] std::string_view name(Fate::Kind);

/// Which dead letters are meant. Empty: all that are not handled.
struct Selection {
  std::set<std::string, std::less<>> reasons;
  std::string cart;
  std::optional<events::Timestamp> since;  // when they became dead letters: since <= time < until
  std::optional<events::Timestamp> until;
  std::set<events::Position> positions;
  bool with_handled = false;
  [[nodiscard]] bool fits(const events::Record&, const DeadLetter&, const Fate&) const;
};

/// The fate's handler lives as long as the reading.
struct Found {
  events::Record record;
  DeadLetter letter;
  Fate fate;
};

class DeadLetterReading {
 public:
  static constexpr events::PollLimits at_once{500, 4 * 1024 * 1024, events::Millis{0}};

  /// `log` outlives it.
  DeadLetterReading(events::LogClient& log, events::Partition partition) : log_(log), partition_(partition) {}

  /// Reads the marks that there are now. Call first. Keeps some 100 bytes for each dead letter that has one.
  events::LogStatus begin();
  /// Gives those that fit among the dead letters that `begin` found there, in offset order, until `f` says something
  /// that is not ok. What it gives views memory that lives as long as the call.
  events::LogStatus each_batch(const Selection&, const std::function<events::LogStatus(std::vector<Found>&)>& f);
  /// Reads marks on, through an offset that was just appended; waits for what is before it.
  events::LogStatus read_marks_through(events::Offset through, std::string_view own_run);
  /// Another run than our own has marked this dead letter since `begin`, before what was read through.
  [[nodiscard]] bool marked_by_another(events::Offset dead_letter) const { return by_others_.contains(dead_letter); }

 private:
  void take(const Mark&, events::Timestamp);
  const Handler* kept(const Handler&);
  [[nodiscard]] Fate fate_of(events::Offset) const;

  events::LogClient& log_;
  events::Partition partition_;
  events::StreamEnds ends_;           // as `begin` found them
  events::Offset marks_read_to_ = 0;  // where the next mark may lie
  std::unordered_map<events::Offset, Fate> fates_;
  std::map<std::pair<std::string, std::string>, Handler> handlers_;  // each once: one for every run, not for every mark
  std::set<events::Offset> by_others_;  // dead letters that other runs have marked meanwhile
};

}  // namespace mayfly::tools
