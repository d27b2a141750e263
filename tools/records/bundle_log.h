// A bundle as a log that is only read, block by block: `--log bundle:FILE` of the verbs that replay.
#pragma once

#include "events/log/log.h"
#include "tools/console/verbs.h"
#include "tools/records/bundle_file.h"

#include <compare>
#include <fstream>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace mayfly::tools {

/// Holds a block of each stream and partition that is being read, and 40 bytes for each block of the file. One thread.
class BundleLog final : public events::LogClient {
 public:
  /// Reads the file once, to its end. Null with `status` set: `invalid` if it cannot be opened, `corrupt` if it is not
  /// whole, is damaged, or has records in another order than an export writes.
  [[nodiscard]] static std::unique_ptr<BundleLog> open(const std::string& file, events::LogStatus& status);

  [[nodiscard]] std::int32_t partitions() const override { return head_.partitions; }
  /// `invalid`: nothing is appended to a bundle.
  events::Appended append(std::span<const events::NewRecord>) override;
  events::Fetched read(events::Stream, events::Partition, events::Offset from, const events::PollLimits&) override;
  events::StreamEnds ends(events::Stream, events::Partition) override;
  /// Does it hold the newest state of all carts?
  [[nodiscard]] bool has_state() const { return head_.has_state; }

 private:
  /// Of a record: the partition, the place of its stream in it, and the offset, in the order of the file.
  struct Key {
    events::Partition partition = -1;
    int place = 0;
    events::Offset offset = 0;
    auto operator<=>(const Key&) const = default;
  };
  struct Block {
    BundleBlock at;
    Key first;  // of its first record
  };
  struct Cursor {
    std::size_t block = 0;  // whose lines these are
    std::string lines;
    std::size_t byte = 0;  // of the line to read next
    Key last;              // that was read, or passed over
    bool begun = false;
  };
  explicit BundleLog(const std::string& file) : file_(file), in_(file, std::ios::binary) {}
  [[nodiscard]] std::string look();
  [[nodiscard]] std::string look_at_block(const std::string& lines, const BundleBlock&, bool& ended);
  [[nodiscard]] std::string note(const Key&);
  [[nodiscard]] std::string seek(Cursor&, const Key& from);
  [[nodiscard]] std::string next(Cursor&, BundleRecord&, Key&);
  [[nodiscard]] events::StreamEnds& ends_of(const Key& key) {
    return ends_[static_cast<std::size_t>(key.partition) * events::stream_count + static_cast<std::size_t>(key.place)];
  }

  std::string file_;
  std::ifstream in_;
  BundleHead head_;
  std::int64_t lines_ = 0;
  Key newest_;  // that was noted
  std::vector<Block> blocks_;
  std::vector<events::StreamEnds> ends_;
  std::vector<Cursor> cursors_;
};

/// Only to read: a bundle where the words name bundle:FILE, else as open_history. `has_state`, if not null: false where
/// the log is a bundle without the newest state of all carts.
[[nodiscard]] std::unique_ptr<events::LogClient> open_recorded_log(const LogWords&, const events::Clock&,
                                                                   int& exit_code, bool* has_state = nullptr);

}  // namespace mayfly::tools
