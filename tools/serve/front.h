// What an engine shows to the outside while it runs: probes, metrics, the tree and the page over HTTP, word to the
// service manager; and a thread that ends the process when the loop or a handler no longer returns.
#pragma once

#include "actors/engine/watchdog.h"
#include "adapters/http/http.h"
#include "tools/console/config.h"
#include "tools/serve/history.h"
#include "tools/serve/log_watch.h"
#include "tools/serve/observed.h"
#include "tools/serve/tracing.h"

#include <atomic>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <shared_mutex>
#include <string>
#include <thread>

namespace mayfly::tools {

inline constexpr const char* default_http_address = "127.0.0.1:9290";

struct FrontLimits {
  events::Millis stuck{60'000};        // the loop has not moved: the process ends; not alive after half of it
  events::Millis handler_cpu{10'000};  // of its thread, on one command: the process ends
  events::Millis log_write{10'000};    // a write to the log has not returned: not ready
  adapters::HttpLimits http;
  NamesCarts names_carts = NamesCarts::on_loopback;
};

class Front {
 public:
  /// The clock outlives it. Shows nothing until `listen`, and no engine until there is one: alive and not ready.
  /// `open_log`: to read beside the engine, for the page.
  Front(const events::Clock&, Running, const FrontLimits&, LogWatch::Open open_log);
  ~Front();
  Front(const Front&) = delete;
  Front& operator=(const Front&) = delete;

  /// Listens on HOST:PORT. Empty, or a sentence why not.
  [[nodiscard]] std::string listen(const std::string& address);
  /// Where it listens; empty: nowhere.
  [[nodiscard]] std::string address() const { return server_ ? server_->address() : std::string(); }

  /// Looks at the engine and shows it while this lives, which the engine outlives.
  class Showing {
   public:
    /// `traces`: null where none are made; else it outlives this too.
    Showing(Front& front, actors::Engine& engine, const Tracing* traces) : front_(front) {
      front_.show(&engine, traces);
    }
    ~Showing() { front_.show(nullptr, nullptr); }
    Showing(const Showing&) = delete;
    Showing& operator=(const Showing&) = delete;

   private:
    Front& front_;
  };

 private:
  using Answer = std::function<adapters::HttpAnswer(const adapters::HttpRequest&)>;
  void show(actors::Engine*, const Tracing*);
  [[nodiscard]] Answer of_engine(Answer);
  void run();
  void look();
  void note_log_silence();
  void keep_history();
  [[nodiscard]] bool ready() const { return engine_->ready() && !log_silent_; }
  void tell_service();
  [[nodiscard]] Observed observed() const;
  [[nodiscard]] adapters::HttpRoutes routes();
  void search(const adapters::HttpRequest&, adapters::HttpReply);
  [[nodiscard]] adapters::HttpAnswer renew(const std::string& partition);

  std::shared_mutex engine_mutex_;    // held shared by who uses it
  actors::Engine* engine_ = nullptr;  // none: not there yet, or no more
  const Tracing* traces_ = nullptr;   // as engine_
  const events::Clock& clock_;
  Running running_;
  FrontLimits limits_;
  actors::Watchdog watchdog_;
  bool told_ready_ = false;
  std::mutex history_mutex_;
  History history_;
  actors::Durations ages_before_;  // of commands, at the newest look; of the thread that looks
  std::atomic<bool> alive_{true};
  std::atomic<bool> log_silent_{false};
  LogWatch log_watch_;
  std::atomic<bool> names_carts_{false};
  std::unique_ptr<adapters::HttpServer> server_;
  std::mutex mutex_;
  std::condition_variable changed_;
  bool over_ = false;
  std::thread thread_;
};

}  // namespace mayfly::tools
