// mayfly front: the front door beside one or many engines of a log.
#include "adapters/host/random_key.h"
#include "adapters/host/wall_clock.h"
#include "adapters/http/http_names.h"
#include "tools/console/client.h"
#include "tools/console/exit_codes.h"
#include "tools/console/output.h"
#include "tools/console/served_certificate.h"
#include "tools/console/shown_metrics.h"
#include "tools/console/text.h"
#include "tools/console/verbs.h"
#include "tools/front_door/front_door.h"

#include <chrono>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <thread>

namespace mayfly::tools {

namespace {

constexpr std::chrono::milliseconds look_each{100};                    // whether to stop
constexpr int looks_per_read = certificate_look_interval / look_each;  // of files that may change

/// The file that says who may come in, as it is now.
class TokensFile {
 public:
  explicit TokensFile(std::string path) : path_(std::move(path)) {}

  /// What it says, where it has changed since it was last read; none also where it cannot be read, or says nothing
  /// that is understood: the reason is told once.
  std::optional<Access> read_if_changed() {
    std::ifstream file(path_, std::ios::binary);
    file.peek();  // a folder can be opened, and not be read
    const bool readable = !file.fail();
    std::string text;
    if (readable) text.assign(std::istreambuf_iterator<char>(file), {});
    auto wrong = readable ? std::string() : "the tokens' file " + path_ + " cannot be read";
    if (wrong == wrong_before_ && text == text_) return std::nullopt;
    text_ = std::move(text);
    std::optional<Access> access;
    std::string line;
    if (wrong.empty() && !(access = Access::from_text(text_, line))) complain("%s: %s\n", path_.c_str(), line.c_str());
    if (!wrong.empty()) complain("%s\n", wrong.c_str());
    wrong_before_ = std::move(wrong);
    return access;
  }

 private:
  std::string path_;
  std::string text_;
  std::string wrong_before_ = "nothing was read yet";
};

/// None, with the reason said.
std::optional<Access> access_of(const FrontOptions& options, TokensFile& tokens) {
  if (!options.tokens.empty()) return tokens.read_if_changed();
  if (adapters::is_loopback(options.address)) return Access::open();
  complain("%s is not loopback: say with --tokens FILE who may come in (docs/http.md)\n", options.address.c_str());
  return std::nullopt;
}

}  // namespace

int front(const FrontOptions& options) {
  auto stop = stop_on_signals();
  TokensFile tokens(options.tokens);
  auto access = access_of(options, tokens);
  if (!access) return exit_usage;
  std::string wrong;
  const auto certificate = served_certificate(options.certificate, options.key, wrong);
  if (!wrong.empty()) {
    complain("%s\n", wrong.c_str());
    return exit_usage;
  }
  const adapters::WallClock clock;
  int code = exit_ok;
  auto writer = open_client(options, false, clock, code);
  auto reader = writer ? open_history(options, clock, code) : nullptr;
  auto history = reader ? open_reader(options, clock, code) : nullptr;
  auto look_back = history ? open_history(options, clock, code) : nullptr;
  auto repeats = look_back ? open_history(options, clock, code) : nullptr;
  auto commands = repeats ? open_reader(options, clock, code) : nullptr;
  auto feed = commands ? open_reader(options, clock, code) : nullptr;
  if (!feed) return code;
  auto keys = std::make_unique<KeyBook>(std::move(commands), adapters::random_key());
  if (const auto status = keys->read_log(*look_back, stop.get_token()); !status.ok()) {
    complain("%s\n", status.message.c_str());
    return exit_code_of(status.error);
  }
  FrontDoorLimits limits;
  limits.http.connections = options.connections;
  FrontDoor door({std::move(writer), std::move(reader), std::move(history), std::move(look_back), std::move(repeats),
                  std::move(feed)},
                 std::move(keys), std::move(*access), clock, limits);
  if (wrong = door.listen(options.address, certificate); !wrong.empty()) {
    complain("%s\n", wrong.c_str());
    return exit_usage;
  }
  std::unique_ptr<adapters::HttpServer> shown;
  if (!options.http.empty()) {
    shown = show_metrics(
        options.http, [&door, begun = clock.now()] { return door.metrics(begun); }, wrong);
    if (!shown) {
      complain("%s\n", wrong.c_str());
      return exit_usage;
    }
  }
  print("commands and carts at %s%s/ (docs/http.md)\n", scheme_of(certificate), door.address().c_str());
  if (shown) print("metrics at http://%s/metrics\n", shown->address().c_str());
  std::fflush(stdout);  // whoever started it may wait for this line
  for (int turn = 1; !stop.stop_requested(); ++turn) {
    std::this_thread::sleep_for(look_each);
    if (turn % looks_per_read != 0) continue;
    renew_certificate(certificate.get());
    if (options.tokens.empty()) continue;
    if (auto newer = tokens.read_if_changed()) door.set_access(std::move(*newer));
  }
  return exit_ok;
}

}  // namespace mayfly::tools
