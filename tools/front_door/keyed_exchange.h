// Commands whose ids are idempotency keys: for 48 h the same key gets what the first command with it came to.
// docs/http.md, Idempotency-Key.
#pragma once

#include "events/log/log.h"
#include "tools/front_door/key_book.h"
#include "tools/records/command_exchange.h"

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <thread>

namespace mayfly::tools {

struct KeyedOutcome {
  enum class Kind : unsigned char {
    answered,
    in_flight,   // a request with this key is being answered; nothing was appended
    other_body,  // the key belongs to another command; nothing was appended
  };
  Kind kind = Kind::answered;
  CommandOutcome outcome;
};

class KeyedExchange {
 public:
  using Done = std::function<void(KeyedOutcome)>;
  static constexpr events::Millis kept_for{48LL * 3'600'000};  // a key, from the append time of its command
  static constexpr std::size_t most_repeats = 10'000;          // that wait to be looked for in the log

  /// `log` is for a thread of this alone. The book is read already. The clock outlives this.
  KeyedExchange(CommandExchange::Clients, std::unique_ptr<events::LogClient> log, std::unique_ptr<KeyBook>,
                const events::Clock&);
  ~KeyedExchange();
  KeyedExchange(const KeyedExchange&) = delete;
  KeyedExchange& operator=(const KeyedExchange&) = delete;

  /// As CommandExchange::send, from any thread; where the key is in flight `done` is called before it returns.
  void send(OutgoingCommand, events::Millis wait, Done done);
  /// Any thread. How often the log was searched for what an earlier command came to, and how many keys are kept.
  [[nodiscard]] std::int64_t look_backs() const { return answered_ + exchange_.look_backs(); }
  [[nodiscard]] std::size_t keys() const { return book_->size(); }

 private:
  struct Repeat {
    OutgoingCommand command;
    events::Millis wait;
    Done done;
  };
  enum class Same : unsigned char { yes, other_body, no };  // no: another key, or too old, or it is gone
  void append(OutgoingCommand&&, events::Millis wait, Done&&);
  void run();
  void answer(Repeat&&);
  [[nodiscard]] Same is_same(const OutgoingCommand&, events::Position, events::LogStatus&);

  const std::unique_ptr<events::LogClient> log_;
  const std::unique_ptr<KeyBook> book_;
  const events::Clock& clock_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::set<KeyHash> in_flight_;
  std::deque<Repeat> repeats_;
  bool over_ = false;
  std::atomic<std::int64_t> answered_ = 0;  // repeats
  CommandExchange exchange_;                // behind what those who wait there use
  std::thread thread_;
};

}  // namespace mayfly::tools
