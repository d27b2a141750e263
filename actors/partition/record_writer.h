// Turns outcomes into the records of a batch: CloudEvents headers, dead letters, alerts, state records.
// Allocates in the batch's arena; what it writes lives as long as the batch.
#pragma once

#include "actors/partition/alert_rate.h"
#include "actors/partition/batch.h"
#include "actors/partition/cart_table.h"
#include "events/log/record.h"
#include "events/text/time_text.h"

#include <array>
#include <string>
#include <string_view>

namespace mayfly::actors {

/// Appends the data of an alert, card numbers masked. `at`: the record that raised it.
void append_alert_data(std::string& out, std::string_view alert, events::Position at, std::string_view message);

/// The ce_id of an alert. `mark`: its name, or what tells it from the alert of that name at the record.
/// `occasion` tells several of one mark at one position apart.
[[nodiscard]] std::string alert_id(events::Position, std::string_view mark, std::int64_t occasion);

class RecordWriter {
 public:
  /// `engine` outlives the writer.
  explicit RecordWriter(std::string_view engine);

  /// The events, the command to another cart and the concern of a decided task. `index`: of the record's next event;
  /// counts on.
  void write_outcome(Batch&, const Task&, int& index, std::int32_t partition_count);
  /// The dead letter and command.dead_lettered of a task.
  void write_dead_letter(Batch&, const Task&, int& index) const;
  /// `index`: tells several of one name at one record apart (a tick fires the deadlines of many carts).
  void write_alert(Batch&, const events::Record&, std::string_view alert, std::string_view cart_id,
                   std::string_view message, int index = 0) const;
  /// The same for what any producer can bring about again and again: held back beyond AlertRate.
  void raise_alert(Batch&, const events::Record&, std::string_view alert, std::string_view cart_id,
                   std::string_view message, int index = 0);
  /// Says of each alert that was held back how many were, once its time is over. At the first record of a batch.
  void write_held_back(Batch&, const events::Record&);
  /// `index`: of several at one record.
  void write_leak(Batch&, const events::Record&, const Leak&, int index) const;
  void write_state(Batch&, std::string_view key, std::string_view value) const;
  void write_tombstone(Batch&, std::string_view key) const;

 private:
  class Headers;
  void write_alert_data(Batch&, const events::Record&, std::string_view id, std::string_view cart_id,
                        std::string_view data) const;
  /// Records that were appended at one time follow each other.
  std::string_view keep_record_time(Batch&, events::Timestamp);

  std::string source_;
  events::Timestamp time_{};
  std::array<char, 24> time_text_ = events::to_text(time_);
  AlertRate rate_;
};

}  // namespace mayfly::actors
