// Where the commands lie that came through front doors: an index of the newest ones, which themselves stay in the log.
// docs/http.md, Idempotency-Key.
#pragma once

#include "events/log/log.h"
#include "events/rules/identity.h"

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <stop_token>
#include <string_view>
#include <thread>
#include <unordered_map>
#include <vector>

namespace mayfly::tools {

/// docs/http.md, Limits.
struct KeyBookLimits {
  std::size_t keys = 1'000'000;   // of all partitions together; some 64 bytes each
  std::size_t places = 8;         // of one key that are told, the newest
  events::Millis idle_wait{200};  // between two looks at a log that has nothing new
};

/// Of a key: the cart, the command's source and its id.
using KeyHash = std::uint64_t;

class KeyBook {
 public:
  /// `log` is followed by a thread of this. With a hash key that nobody outside knows, nobody can make two keys one.
  KeyBook(std::unique_ptr<events::LogClient> log, const events::HashKey&, KeyBookLimits limits = {});
  ~KeyBook();
  KeyBook(const KeyBook&) = delete;
  KeyBook& operator=(const KeyBook&) = delete;

  /// Reads the newest commands that the log holds now, as many as are kept, by a client that is quick at that: one that
  /// follows waits long for what is new. Before `follow`, and once.
  [[nodiscard]] events::LogStatus read_log(events::LogClient&, const std::stop_token&);
  /// From now on a thread notes what other front doors append, as the log says it.
  void follow();

  [[nodiscard]] KeyHash hash(std::string_view cart, std::string_view source, std::string_view id) const;
  /// Any thread. A command that is known already is noted once.
  void note(events::Position, KeyHash);
  /// Any thread. Where commands with that key lie in the partition, oldest first.
  [[nodiscard]] std::vector<events::Offset> places(events::Partition, KeyHash) const;
  /// Any thread. How many places are kept.
  [[nodiscard]] std::size_t size() const;

 private:
  struct Part {
    std::unordered_multimap<KeyHash, events::Offset> places;
    std::deque<std::pair<KeyHash, events::Offset>> oldest;  // first; all that are in `places`
    events::Offset next = 0;                                // to be read
  };
  [[nodiscard]] bool read_on(events::LogClient&, events::Partition, events::LogStatus&);
  void run();

  const std::unique_ptr<events::LogClient> log_;
  const events::KeyedHash hash_;
  const KeyBookLimits limits_;
  const std::size_t most_each_;  // keys of a partition
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<Part> parts_;
  bool over_ = false;
  std::thread thread_;
};

}  // namespace mayfly::tools
