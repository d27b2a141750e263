// Appends commands as they come, many at once, and tells what each came to: the events that name it as their cause.
// Works beside any number of engines; decides nothing and keeps nothing but who waits.
#pragma once

#include "events/log/log.h"
#include "tools/records/caused_events.h"
#include "tools/records/command_writer.h"

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace mayfly::tools {

struct CommandOutcome {
  events::LogStatus status;  // not ok: not appended, or perhaps; append the same again
  events::Position at{};     // where the command lies
  bool decided = false;  // false: not waited for, or in that time not decided, or the log did not say what it came to
  /// Nothing came of it, or only that its cart is over: these are the events of an earlier command of the same id.
  bool repeated = false;
  std::vector<CausedEvent> events;
};

class CommandExchange {
 public:
  using Done = std::function<void(CommandOutcome)>;
  /// What is appended at once, and what waits for that at most: more is refused as unavailable.
  static constexpr std::size_t most_at_once = CommandWriter::most_gathered - 1;
  static constexpr std::size_t most_queued = 10'000;
  /// How far back the events of an earlier command with the same id are looked for, in records of their partition.
  static constexpr std::int64_t look_back_records = 20'000;

  /// Clients of one log: each is used by a thread of its own. The last two only where somebody waits.
  struct Clients {
    std::unique_ptr<events::LogClient> writer;
    std::unique_ptr<events::LogClient> reader;
    std::unique_ptr<events::LogClient> history;  // for looking back, which holds up nobody else who waits
  };
  explicit CommandExchange(Clients);
  /// Whoever still waits is told that it was not decided.
  ~CommandExchange();
  CommandExchange(const CommandExchange&) = delete;
  CommandExchange& operator=(const CommandExchange&) = delete;

  [[nodiscard]] std::int32_t partitions() const { return partitions_; }
  /// Any thread, returns at once. `done` is called once, from a thread of this: when the command is durable (wait 0),
  /// or when it is decided or `wait` is over.
  void send(OutgoingCommand, events::Millis wait, Done done);
  /// The same for a command that lies in the log already and was not decided by then.
  void await(const OutgoingCommand&, events::Position, const CommandResult& by_then, events::Millis wait, Done done);
  /// Any thread. How often the log was searched for what an earlier command with the same id came to.
  [[nodiscard]] std::int64_t look_backs() const { return look_backs_; }

 private:
  using Steady = std::chrono::steady_clock;
  struct Queued {
    OutgoingCommand command;
    Steady::time_point until;
    bool waits = false;
    Done done;
  };
  struct Waiting {
    std::string cart;
    std::string id;
    Steady::time_point until;
    Done done;
    CommandOutcome outcome;
    events::Offset events_by_then = -1;  // where the events ended once it was known to be decided
  };
  /// The readers' places in a partition that somebody waits in.
  struct Place {
    events::Offset next_event = 0;
    events::Offset next_state = 0;
    events::Offset decided = 0;  // commands before it are, as the state read so far says
    std::list<Waiting> waiting;
  };

  void write();
  void append(std::deque<Queued>&&);
  void read();
  void look_at(events::Partition, Place&);
  void look_back();
  [[nodiscard]] bool find_earlier(Waiting&);
  /// Of two with one id: whether their source is the same; `to_the_letter`: what they say too. Nothing: the log does
  /// not answer.
  [[nodiscard]] std::optional<bool> is_the_same_command(events::Position, events::Position, bool to_the_letter);

  const std::int32_t partitions_;
  const Clients clients_;
  std::mutex mutex_;
  std::condition_variable to_write_;
  std::condition_variable to_read_;
  std::condition_variable to_look_back_;
  std::deque<Queued> queued_;
  std::vector<std::pair<events::Partition, Place>> arriving_;  // from the writing thread to the reading one
  std::list<Waiting> looked_back_for_;  // decided, and what they came to is not among the events just read
  std::atomic<std::int64_t> look_backs_ = 0;
  bool over_ = false;
  std::thread looking_back_;
  std::thread reading_;
  std::thread writing_;
};

}  // namespace mayfly::tools
