// mayfly front: the front door beside one or many engines of a log.
#include "adapters/host/wall_clock.h"
#include "tools/console/client.h"
#include "tools/console/exit_codes.h"
#include "tools/console/output.h"
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

bool is_loopback(const std::string& address) {
  return address.starts_with("127.") || address.starts_with("localhost:") || address.starts_with("[::1]:");
}

/// None, with the reason said.
std::optional<Access> access_of(const FrontOptions& options) {
  if (options.tokens.empty()) {
    if (is_loopback(options.address)) return Access::open();
    complain("%s is not loopback: say with --tokens FILE who may come in (docs/http.md)\n", options.address.c_str());
    return std::nullopt;
  }
  std::ifstream file(options.tokens, std::ios::binary);
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  if (!file) {
    complain("the tokens' file %s cannot be read\n", options.tokens.c_str());
    return std::nullopt;
  }
  std::string wrong;
  auto access = Access::from_text(text, wrong);
  if (!access) complain("%s: %s\n", options.tokens.c_str(), wrong.c_str());
  return access;
}

}  // namespace

int front(const FrontOptions& options) {
  auto stop = stop_on_signals();
  auto access = access_of(options);
  if (!access) return exit_usage;
  const adapters::WallClock clock;
  int code = exit_ok;
  auto writer = open_client(options, false, clock, code);
  auto reader = writer ? open_reader(options, clock, code) : nullptr;
  auto history = reader ? open_reader(options, clock, code) : nullptr;
  auto feed = history ? open_reader(options, clock, code) : nullptr;
  if (!feed) return code;
  FrontDoor door({std::move(writer), std::move(reader), std::move(history), std::move(feed)}, std::move(*access));
  if (const auto wrong = door.listen(options.address); !wrong.empty()) {
    complain("%s\n", wrong.c_str());
    return exit_usage;
  }
  print("commands and carts at http://%s/ (docs/http.md)\n", door.address().c_str());
  std::fflush(stdout);  // whoever started it may wait for this line
  while (!stop.stop_requested()) std::this_thread::sleep_for(std::chrono::milliseconds(100));
  return exit_ok;
}

}  // namespace mayfly::tools
