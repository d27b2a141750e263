// mayfly connect: events to HTTP addresses as signed webhooks, and providers' webhooks to the log.
#include "adapters/host/random_key.h"
#include "adapters/host/wall_clock.h"
#include "tools/connect/connect_config.h"
#include "tools/connect/connect_metrics.h"
#include "tools/connect/delivery.h"
#include "tools/connect/hooks.h"
#include "tools/console/client.h"
#include "tools/console/config_keys.h"
#include "tools/console/exit_codes.h"
#include "tools/console/numbers.h"
#include "tools/console/output.h"
#include "tools/console/served_certificate.h"
#include "tools/console/shown_metrics.h"
#include "tools/console/text.h"
#include "tools/console/verbs.h"

#include <algorithm>
#include <condition_variable>
#include <cstdio>
#include <cstring>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

namespace mayfly::tools {

namespace {

/// A delivery with what it works with, in a thread of its own.
class Running {
 public:
  Running(const DeliveryConfig& config, const adapters::TlsContext& trust, std::unique_ptr<events::LogClient> log,
          const events::Clock& clock)
      : name_(config.name),
        log_(std::move(log)),
        delivery_(
            config, *log_, clock,
            [this](adapters::HttpCall&& call, std::function<void(adapters::HttpCalled)>&& done) {
              caller_.post(std::move(call), std::move(done));
            },
            [name = config.name](const std::string& sentence) { complain("%s: %s\n", name.c_str(), sentence.c_str()); },
            seed()),
        caller_(trust) {}
  ~Running() { end(); }
  Running(const Running&) = delete;
  Running& operator=(const Running&) = delete;

  [[nodiscard]] events::LogStatus begin() { return delivery_.begin(); }
  [[nodiscard]] events::LogStatus run_again(const std::vector<events::Position>& parked, const std::stop_token& stop) {
    return delivery_.run_again(parked, stop);
  }
  /// Asks `all` to stop where it cannot go on.
  void start(const std::stop_source& all) {
    thread_ = std::thread([this, all]() mutable {
      status_ = delivery_.run(all.get_token());
      all.request_stop();
    });
  }
  /// Waits for it. Why it ended.
  events::LogStatus end() {
    if (thread_.joinable()) thread_.join();
    return status_;
  }
  [[nodiscard]] const Delivery::Counts& counts() const { return delivery_.counts(); }
  [[nodiscard]] Delivery::Figures figures() const { return delivery_.figures(); }
  [[nodiscard]] const std::string& name() const { return name_; }

 private:
  static std::uint64_t seed() {
    const auto key = adapters::random_key();
    std::uint64_t seed = 0;
    std::memcpy(&seed, key.data(), sizeof seed);
    return seed;
  }
  const std::string name_;
  const std::unique_ptr<events::LogClient> log_;
  Delivery delivery_;
  adapters::HttpCaller caller_;
  events::LogStatus status_;
  std::thread thread_;
};

/// exit_ok, or an exit code with the reason said.
int read_config_of(const ConnectOptions& options, ConnectConfig& config) {
  std::string text;
  auto wrong = read_config_file(options.config, text);
  if (wrong.empty()) wrong = read_connect_config(text, options.config, config);
  if (wrong.empty()) return exit_ok;
  complain("%s\n", wrong.c_str());
  return exit_config;
}

int complain_and_fail(const std::string& wrong, int code) {
  complain("%s\n", wrong.c_str());
  return code;
}

/// The positions that --again gives each delivery. A sentence if a word is none.
std::string read_again(const ConnectOptions& options, const ConnectConfig& config,
                       std::map<std::string, std::vector<events::Position>>& parked) {
  for (const auto& word : options.again) {
    const auto name = word.substr(0, word.find(':'));
    const auto at = position_from_text(std::string_view(word).substr(std::min(name.size() + 1, word.size())));
    const auto known = std::find_if(config.deliveries.begin(), config.deliveries.end(),
                                    [&](const DeliveryConfig& d) { return d.name == name; });
    if (!at || known == config.deliveries.end())
      return "--again " + word + ": give NAME:PARTITION:OFFSET, with the name of a table [connect.deliver.NAME].";
    parked[name].push_back(*at);
  }
  return {};
}

void print_counts(const Running& one) {
  const auto& counts = one.counts();
  print("%s: %lld delivered, %lld failed attempts, %lld parked\n", one.name().c_str(),
        static_cast<long long>(counts.delivered), static_cast<long long>(counts.failed),
        static_cast<long long>(counts.parked));
}

/// Events that were parked, once more.
int deliver_again(const ConnectOptions& options, const ConnectConfig& config, const adapters::TlsContext& trust,
                  const events::Clock& clock) {
  std::map<std::string, std::vector<events::Position>> parked;
  if (const auto wrong = read_again(options, config, parked); !wrong.empty())
    return complain_and_fail(wrong, exit_usage);
  auto stop = stop_on_signals();
  int code = exit_ok;
  for (const auto& delivery : config.deliveries) {
    if (!parked.contains(delivery.name)) continue;
    auto log = open_client(options, false, clock, code);
    if (!log) return code;
    Running one(delivery, trust, std::move(log), clock);
    const auto status = one.run_again(parked[delivery.name], stop.get_token());
    if (!status.ok()) return complain_and_fail(status.message, exit_code_of(status.error));
    print_counts(one);
    if (one.counts().delivered != static_cast<std::int64_t>(parked[delivery.name].size())) code = exit_failed;
  }
  return code;
}

}  // namespace

int connect(const ConnectOptions& options) {
  if (options.config.empty())
    return complain_and_fail("What is to be delivered where? Give --config FILE (docs/connect.md).", exit_usage);
  ConnectConfig config;
  LogChoice choice;
  int code = choose_log(options, choice);
  if (code == exit_ok) code = read_config_of(options, config);
  if (code != exit_ok) return code;
  if (!options.http.empty()) config.http = options.http;
  std::string wrong;
  const auto certificate = served_certificate(config.certificate_file, config.key_file, wrong);
  const auto trust = wrong.empty() ? adapters::tls_trust(config.ca_file, wrong) : nullptr;
  if (!wrong.empty()) return complain_and_fail(options.config + ": " + wrong, exit_config);
  if (options.check_config) {
    print("%s: %zu deliveries and %zu hooks\n", options.config.c_str(), config.deliveries.size(), config.hooks.size());
    return exit_ok;
  }
  const adapters::WallClock clock;
  if (!options.again.empty()) return deliver_again(options, config, trust, clock);
  auto stop = stop_on_signals();
  std::unique_ptr<Hooks> hooks;
  if (!config.hooks.empty()) {
    auto writer = open_client(options, false, clock, code);
    auto reader = writer ? open_reader(options, clock, code) : nullptr;
    if (!reader) return code;
    hooks = std::make_unique<Hooks>(config.hooks, std::move(writer), std::move(reader), clock);
  }
  std::list<Running> running;
  for (const auto& delivery : config.deliveries) {
    auto log = open_client(options, false, clock, code);
    if (!log) return code;
    if (const auto status = running.emplace_back(delivery, trust, std::move(log), clock).begin(); !status.ok())
      return complain_and_fail(status.message, exit_code_of(status.error));
    print("%s: to %s\n", delivery.name.c_str(), delivery.url_text.c_str());
  }
  if (hooks) {
    if (wrong = hooks->listen(config.listen, certificate); !wrong.empty()) return complain_and_fail(wrong, exit_usage);
    for (const auto& hook : config.hooks)
      print("%s: at %s%s/hooks/%s\n", hook.name.c_str(), scheme_of(certificate), hooks->address().c_str(),
            hook.name.c_str());
  }
  const auto begun = clock.now();
  const auto shown = [&running, &clock, begun] {
    DeliveryFigures all;
    for (const auto& one : running) all.emplace_back(one.name(), one.figures());
    return connect_metrics(all, begun, clock.now());
  };
  std::unique_ptr<adapters::HttpServer> server;
  if (!config.http.empty()) {
    server = show_metrics(config.http, shown, wrong);
    if (!server) return complain_and_fail(wrong, exit_usage);
    print("metrics at http://%s/metrics\n", server->address().c_str());
  }
  print("connected (docs/connect.md)\n");
  std::fflush(stdout);  // whoever started it may wait for this line
  for (auto& one : running) one.start(stop);
  std::mutex mutex;
  std::condition_variable_any stopped;
  std::unique_lock lock(mutex);
  while (!stopped.wait_for(lock, stop.get_token(), certificate_look_interval, [&] { return stop.stop_requested(); }))
    renew_certificate(certificate.get());
  for (auto& one : running) {
    const auto status = one.end();
    print_counts(one);
    if (!status.ok()) code = complain_and_fail(status.message, exit_code_of(status.error));
  }
  return code;
}

}  // namespace mayfly::tools
