// What the page shows that only the log knows: alerts, money at risk, a cart by its id. Reads through a client of its
// own, in a thread of its own, within a share of a processor; and only while somebody asks.
#pragma once

#include "events/log/log.h"
#include "tools/funds/funds_watch.h"
#include "tools/serve/alert_book.h"

#include <chrono>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace mayfly::tools {

struct LogWatchLimits {
  events::Millis search{30'000};      // of one; then it is answered with what was not reached
  events::Millis refresh{2'000};      // between two looks at alerts and money
  events::Millis idle{60'000};        // since somebody asked: the client is closed, what was read is forgotten
  int cpu_percent = 25;               // of one processor
  std::size_t alerts_at_first = 400;  // read of the newest, all partitions together
};

class LogWatch {
 public:
  using Open = std::function<std::unique_ptr<events::LogClient>(events::LogStatus&)>;
  /// Gets an HTTP status and a JSON object. Called once, from any thread.
  using Reply = std::function<void(int status, std::string json)>;

  /// `open` is called by the thread, when the log is first wanted. `begun`: of the engine.
  LogWatch(Open open, const events::Clock&, events::Timestamp begun, const LogWatchLimits&);
  ~LogWatch();
  LogWatch(const LogWatch&) = delete;
  LogWatch& operator=(const LogWatch&) = delete;

  /// Alerts and money as of the last look, as one JSON object; asks for a next look. `names_carts`: with what may name
  /// a cart. Does not wait.
  [[nodiscard]] std::string view(bool names_carts);
  /// One at a time; a second one is told so. Does not wait.
  void search(std::string id, Reply);

 private:
  struct Search {
    std::string id;
    Reply reply;
  };
  struct Seen {
    std::string problem = "the log is being read";  // empty: none
    std::vector<AlertRow> alerts;
    std::vector<Risk> risks;
    int money_percent = 0;
    bool money_cut = false;
    bool money_too_many = false;
  };
  void run();
  [[nodiscard]] events::LogStatus open_log();
  void forget(const std::unique_lock<std::mutex>&);
  void refresh();
  [[nodiscard]] events::LogStatus read_alerts(events::LogClient&);
  [[nodiscard]] std::pair<int, std::string> answer(const std::string& id);
  [[nodiscard]] std::pair<int, std::string> answer_or_failure(const std::string& id);
  /// Waits as long as the share of a processor wants it; why nothing more is to be read, if so.
  [[nodiscard]] std::string pace(std::optional<std::chrono::steady_clock::time_point> deadline);

  const Open open_;
  const events::Clock& clock_;
  const events::Timestamp begun_;
  const LogWatchLimits limits_;

  // Of the thread.
  std::unique_ptr<events::LogClient> client_;
  std::optional<AlertBook> alerts_;
  std::vector<events::Offset> alerts_next_;  // by partition; -1: not read yet
  std::optional<FundsWatch> funds_;
  std::chrono::nanoseconds paced_{};  // processor time of the thread, at the newest pause

  std::mutex mutex_;
  std::condition_variable changed_;
  Seen seen_;
  bool asked_ = false;
  std::optional<Search> searching_;
  bool over_ = false;
  std::thread thread_;  // last
};

}  // namespace mayfly::tools
