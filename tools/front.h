// What an engine shows to the outside while it runs: probes, metrics, the tree and the page over HTTP, and a thread
// that notices when the loop is stuck.
#pragma once

#include "actors/watchdog.h"
#include "adapters/http.h"
#include "tools/observed.h"

#include <atomic>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

namespace mayfly::tools {

inline constexpr const char* default_http_address = "127.0.0.1:9290";

class Front {
 public:
  /// The engine and the clock outlive it. Looks at the engine from now on; shows nothing until `listen`.
  Front(const actors::Engine&, const events::Clock&, Running, events::Millis stuck_limit);
  ~Front();
  Front(const Front&) = delete;
  Front& operator=(const Front&) = delete;

  /// Listens on HOST:PORT. Empty, or a sentence why not.
  [[nodiscard]] std::string listen(const std::string& address);
  /// Where it listens; empty: nowhere.
  [[nodiscard]] std::string address() const { return server_ ? server_->address() : std::string(); }

 private:
  void look();
  [[nodiscard]] Observed observed() const;

  const actors::Engine& engine_;
  const events::Clock& clock_;
  Running running_;
  actors::Watchdog watchdog_;
  std::atomic<bool> alive_{true};
  std::unique_ptr<adapters::HttpServer> server_;
  std::mutex mutex_;
  std::condition_variable changed_;
  bool over_ = false;
  std::thread thread_;
};

}  // namespace mayfly::tools
