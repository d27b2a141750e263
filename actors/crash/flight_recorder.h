// What each actor thread decides at this moment, in memory that outlives the process (a mapped file, or plain memory in
// tests); and after an unclean end, which records are suspected of it and how often. Opens no file.
#pragma once

#include "events/log/types.h"

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

namespace mayfly::actors {

/// A record that was under decision when the process died. A tick's deadlines are told apart by their cart.
struct Suspect {
  std::int32_t partition = 0;
  std::uint32_t deaths = 0;  // 0: the place is free
  std::int64_t offset = 0;
  std::uint64_t cart = 0;  // a hash of its id, good within one build of the program
};

class FlightRecorder {
 public:
  static constexpr std::size_t threads = 64;
  static constexpr std::size_t most_suspects = 256;
  /// As much memory as it needs.
  static const std::size_t bytes;

  /// `memory` is zeroed, or what an earlier recorder left; it is aligned for std::max_align_t and outlives this one.
  /// `sync` makes it durable. What was under decision when the earlier one ended without its destructor is suspected.
  FlightRecorder(std::span<std::byte> memory, std::function<void()> sync);
  /// In memory of its own.
  FlightRecorder();
  /// A clean end: nothing under decision is suspected of it.
  ~FlightRecorder();
  FlightRecorder(const FlightRecorder&) = delete;
  FlightRecorder& operator=(const FlightRecorder&) = delete;

  struct Slot;
  /// The calling thread's. Any thread.
  [[nodiscard]] Slot& slot();

  /// Nobody is suspected: the next two need not be asked. Any thread.
  [[nodiscard]] bool nobody_suspected() const { return suspected_.load(std::memory_order_relaxed) == 0; }
  /// The first suspected offset of a partition that is not below `from`.
  [[nodiscard]] std::optional<events::Offset> next_suspect(events::Partition, events::Offset from) const;
  /// True: the process died so often while it decided this that it must not be decided again.
  [[nodiscard]] bool condemned(events::Position, std::string_view cart) const;
  [[nodiscard]] std::vector<Suspect> suspects() const;
  /// All below `next` is committed: it was not what the process dies of.
  void passed(events::Partition, events::Offset next);

  /// So many records are under decision or being committed: a process that dies may have died of their number.
  void in_flight(std::size_t records);
  /// The same of the earlier process, if it ended without its destructor; 0: it did not, or there were none.
  [[nodiscard]] std::size_t died_with() const { return died_with_; }

  /// A thread that decides, as a watchdog sees it.
  struct Thread {
    std::uint64_t marks = 0;  // odd: it decides; the same number: still the same
    std::int64_t cpu_ms = 0;  // that the thread has used
  };
  [[nodiscard]] std::vector<Thread> look() const;
  /// Of what is under decision now, only this thread's shall be suspected. The process is about to end.
  void blame_only(std::size_t thread);

 private:
  struct Page;
  void open(std::span<std::byte>);
  void suspect_all();
  void suspect(const Suspect&);
  void recount();

  std::vector<std::max_align_t> own_;
  Page* page_ = nullptr;
  std::function<void()> sync_;
  std::uint64_t number_;  // of this recorder among all of this process
  std::atomic<std::size_t> claimed_{0};
  std::array<std::atomic<int>, threads> clocks_;  // of the threads' CPU time, by slot
  std::unique_ptr<Slot> beyond_;                  // of threads beyond the most: not looked at
  std::atomic<std::size_t> suspected_{0};
  std::size_t died_with_ = 0;
  mutable std::mutex mutex_;  // guards the page's suspects
};

/// While it lives its thread decides this record for this cart. A few stores each way.
class Deciding {
 public:
  Deciding(FlightRecorder&, events::Position, std::string_view cart);
  ~Deciding();
  Deciding(const Deciding&) = delete;
  Deciding& operator=(const Deciding&) = delete;

 private:
  FlightRecorder::Slot& slot_;
};

}  // namespace mayfly::actors
