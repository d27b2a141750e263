// Delivers a log's events of some types to one address, as signed webhooks: at least once, of each cart in order, from
// where its group of readers left off. What cannot be delivered is parked: an alert of the log names it.
#pragma once

#include "adapters/http/http_caller.h"
#include "events/log/log.h"
#include "tools/connect/connect_config.h"
#include "tools/connect/delivery_queue.h"
#include "tools/console/retry.h"
#include "tools/records/command_check.h"
#include "tools/records/kept_positions.h"

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

namespace mayfly::tools {

/// Of the answer's body, as the front door takes it of a request.
inline constexpr std::size_t most_answer_bytes = 262'144;

class Delivery {
 public:
  /// As HttpCaller::post.
  using Post = std::function<void(adapters::HttpCall, std::function<void(adapters::HttpCalled)>)>;
  /// Is told, for a person, what went wrong and what is well again: a sentence.
  using Say = std::function<void(const std::string&)>;

  /// `log` and `clock` outlive it; answers may come later than its end. `seed`: of the backoff's chances.
  Delivery(DeliveryConfig, events::LogClient& log, const events::Clock& clock, Post, Say, std::uint64_t seed);

  /// Finds where to go on. Call first.
  [[nodiscard]] events::LogStatus begin();
  /// Takes the answers that have come, reads on, sends what is due, keeps its position; waits for nothing. `found`:
  /// whether there was anything to do. Not ok: the log cannot be used any more.
  [[nodiscard]] events::LogStatus step(bool& found);
  /// Until it is asked to stop; then it waits for the answers that are under way.
  [[nodiscard]] events::LogStatus run(const std::stop_token&);
  /// Instead of `begin` and `run`: one attempt for each of these events, which were parked; one that fails is parked
  /// again. `invalid` where no event that it delivers lies there.
  [[nodiscard]] events::LogStatus run_again(const std::vector<events::Position>&, const std::stop_token&);

  struct Counts {
    std::int64_t delivered = 0;
    std::int64_t failed = 0;  // attempts
    std::int64_t parked = 0;
  };
  [[nodiscard]] const Counts& counts() const { return counts_; }

  struct Figures {
    Counts counts;
    std::int64_t waiting = 0;                 // events that were read and are neither taken nor parked
    std::int64_t lag_records = 0;             // of the log behind the position; some seconds old
    std::optional<events::Timestamp> oldest;  // of those that wait: its append
  };
  /// How it stood at the newest look, at most some 200 ms ago while it runs. Any thread.
  [[nodiscard]] Figures figures() const;

 private:
  struct Mailbox;
  using Answer = std::pair<events::Position, adapters::HttpCalled>;

  void wait(const std::stop_token&);
  /// Takes the answers that have come. False: there are none.
  bool settle();
  /// The replies are durable before any of these events counts as delivered.
  void deliver(const std::vector<events::Position>&, std::vector<OutgoingCommand>&& replies);
  [[nodiscard]] bool wants(const events::Record&) const;
  /// Empty: the event is delivered; its reply, where it has one, is added to `replies`. Else what went wrong.
  [[nodiscard]] std::string fault_of(const QueuedEvent&, const adapters::HttpCalled&,
                                     std::vector<OutgoingCommand>& replies);
  void try_again(QueuedEvent&, const adapters::HttpCalled&, const std::string& fault);
  void park(const QueuedEvent&, const std::string& fault);
  void read_on(bool& found);
  void send(QueuedEvent&);
  void keep();
  void note_figures(const std::vector<events::Position>&);
  /// False where the log does not answer now, which is said once, or never will: then `unusable_` says why.
  [[nodiscard]] bool is_well(events::LogStatus, bool& away);
  [[nodiscard]] bool is_read(events::LogStatus status) { return is_well(std::move(status), reads_fail_); }
  [[nodiscard]] bool is_written(events::LogStatus status) { return is_well(std::move(status), writes_fail_); }

  const DeliveryConfig config_;
  const std::string group_;   // of readers
  const std::string source_;  // of replies and alerts
  events::LogClient& log_;
  const events::Clock& clock_;
  const Post post_;
  const Say say_;
  CommandCheck check_;
  DeliveryQueue queue_;
  Backoff backoff_;
  std::vector<events::Position> next_;  // to read, of each partition
  KeptPositions kept_;
  events::Timestamp looked_at_{};  // when `keep` was last called
  Counts counts_;
  int failures_in_a_row_ = 0;
  bool reads_fail_ = false;
  bool writes_fail_ = false;
  events::LogStatus unusable_;
  std::shared_ptr<Mailbox> mailbox_;  // answers come from other threads
  mutable std::mutex figures_mutex_;
  Figures figures_;
  events::Timestamp lag_looked_at_{};
};

}  // namespace mayfly::tools
