// Takes webhooks in: each is a command, or becomes one, that is durable before the sender is told so. A repeated one is
// the same command again, which the engine absorbs.
#pragma once

#include "adapters/http/http.h"
#include "events/log/log.h"
#include "tools/connect/connect_config.h"
#include "tools/records/command_check.h"
#include "tools/records/command_exchange.h"

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace mayfly::tools {

class Hooks {
 public:
  /// Two clients of one log, each for a thread of its own. `clock` outlives it.
  Hooks(std::vector<HookConfig>, std::unique_ptr<events::LogClient> writer, std::unique_ptr<events::LogClient> reader,
        const events::Clock& clock);
  /// Listens on HOST:PORT for POST /hooks/NAME, as HttpServer::open does. Empty, or a sentence why not.
  [[nodiscard]] std::string listen(const std::string& address,
                                   std::shared_ptr<const adapters::TlsCertificate> = nullptr);
  [[nodiscard]] std::string address() const { return server_ ? server_->address() : std::string(); }

  /// What a signed webhook is as a command; none: `answer` is what its sender is told at once.
  [[nodiscard]] std::optional<OutgoingCommand> command_of(const HookConfig&, const adapters::HttpRequest&,
                                                          adapters::HttpAnswer& answer);

 private:
  void take(const adapters::HttpRequest&, const adapters::HttpReply&);

  const std::vector<HookConfig> hooks_;
  const events::Clock& clock_;
  CommandCheck check_;  // the server's thread
  CommandExchange exchange_;
  std::unique_ptr<adapters::HttpServer> server_;  // last: what asks the others ends first
};

}  // namespace mayfly::tools
