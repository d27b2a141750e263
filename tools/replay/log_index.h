// A log's index (docs/replay.md, The index): which records belong to a cart, and which carts an id leads to, without
// reading the log. It only saves reading: what it says is compared with the log's own records.
#pragma once

#include "adapters/sqlite/record_index.h"
#include "tools/replay/replay_recorded.h"
#include "tools/replay/replay_timeline.h"

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace mayfly::tools {

class LogIndex {
 public:
  /// Both outlive it.
  LogIndex(events::LogClient& log, adapters::RecordIndex& index) : log_(log), index_(index) {}

  /// `invalid` if the log is not the one that the index was made of.
  [[nodiscard]] events::LogStatus check();
  /// How many records the log has that are not in the index yet.
  [[nodiscard]] events::LogStatus behind(std::int64_t& records);
  /// Adds them; those of state are not counted.
  [[nodiscard]] events::LogStatus update(const RecordRead& read);
  [[nodiscard]] std::int64_t commands() const;

  /// As read_recorded fills it in, but for `withheld`.
  [[nodiscard]] events::LogStatus recorded(Recorded&);
  /// As carts_of_id; none: the index does not know the id. `corrupt` if the index does not fit the log.
  [[nodiscard]] events::LogStatus carts_of(const std::string& id, std::vector<std::string>& carts);
  /// As read_timelines, from the cart's own records and the ticks that concern it. `corrupt` if the index does not fit
  /// the log, or if what was decided differs from what is recorded: then only all commands tell.
  [[nodiscard]] events::LogStatus timeline(const Recorded&, const std::string& cart, Timeline&);

 private:
  class OneCart;
  [[nodiscard]] events::LogStatus find_by_form(const std::string& cart, std::vector<std::string>& carts);

  events::LogClient& log_;
  adapters::RecordIndex& index_;
};

/// The file, opened or made, and brought up to the log's end. Says on standard error how far it is, and why if it
/// cannot: then null, with the exit code.
[[nodiscard]] std::unique_ptr<adapters::RecordIndex> open_index(const std::string& file, events::LogClient& log,
                                                                int& exit_code);

}  // namespace mayfly::tools
