// Where the records of a cart lie in a log, and which commands name an id, in a SQLite file of its own beside the log
// (docs/replay.md, The index). It holds numbers and hashes only, grows with the log, and can be made anew at any time.
#pragma once

#include "adapters/sqlite/sqlite.h"
#include "events/log/log.h"

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace mayfly::adapters {

/// How far a stream's partition is in the index, and a hash of the last record, by which the log is recognised.
struct IndexedEnd {
  events::Offset next = 0;
  events::Offset last = events::no_offset;
  std::uint64_t last_hash = 0;
};

/// What is added at once. `cart` and `id` are hashes.
struct IndexBatch {
  struct OfCart {
    std::uint64_t cart;
    events::Stream stream;
    events::Offset offset;
    auto operator<=>(const OfCart&) const = default;
  };
  struct OfId {
    std::uint64_t id, cart;
    events::Position command;
    auto operator<=>(const OfId&) const = default;
  };
  struct Tick {
    events::Position at;
    events::Offset through;
    events::Timestamp time;
    bool for_all;  // it has settings or lets a cart out of quarantine: every cart needs it
  };
  std::vector<OfCart> of_carts;
  std::vector<OfId> of_ids;
  std::vector<Tick> ticks;
};

class RecordIndex {
 public:
  /// Makes the file where there is none. Null with `status` set if it is no index, or one of another layout.
  static std::unique_ptr<RecordIndex> open(const std::string& file, events::LogStatus& status);

  /// Where it stands, of each partition and stream. Empty: nothing was added yet.
  using Ends = std::vector<std::array<IndexedEnd, events::stream_count>>;
  [[nodiscard]] const Ends& ends() const { return ends_; }
  /// The newest position record that was seen in a partition's state; empty: none.
  [[nodiscard]] const std::vector<std::string>& positions() const { return positions_; }
  /// In one transaction with where the index stands afterwards; what it stood at must still hold.
  [[nodiscard]] events::LogStatus add(IndexBatch&, const Ends&, const std::vector<std::string>& positions);

  using Offsets = std::array<std::vector<events::Offset>, events::stream_count>;
  /// Of a cart's records, rising; none: it has no such cart. `corrupt` if what it holds of the cart is damaged.
  [[nodiscard]] events::LogStatus find_cart(std::uint64_t cart, Offsets&);
  /// Commands that name an id: of each of its carts at least the first.
  [[nodiscard]] events::LogStatus find_id(std::uint64_t id, std::vector<events::Position>&);
  /// The first tick behind an offset that starts a wait set there, or that comes at a time or later, or that every
  /// cart needs; and the last before an offset. no_offset: there is none.
  [[nodiscard]] events::LogStatus tick_through(events::Position after, events::Offset through, events::Offset& found);
  [[nodiscard]] events::LogStatus tick_at(events::Position after, events::Timestamp, events::Offset& found);
  [[nodiscard]] events::LogStatus tick_for_all(events::Position after, events::Offset& found);
  [[nodiscard]] events::LogStatus tick_before(events::Position, events::Offset& found);

  [[nodiscard]] std::int64_t bytes() const;

 private:
  explicit RecordIndex(const std::string& file);
  void prepare();
  void read_ends();
  void add_carts(IndexBatch&);
  template <class F>
  events::LogStatus guarded(F);
  events::LogStatus first_of(sqlite::Statement&, events::Offset& found);

  sqlite::Connection db_;
  Ends ends_;
  std::vector<std::string> positions_;
  std::int64_t batches_ = 0;
  std::optional<sqlite::Statement> find_cart_, find_id_, tick_through_, tick_at_, tick_for_all_, tick_before_;
};

}  // namespace mayfly::adapters
