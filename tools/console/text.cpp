#include "tools/console/text.h"

#include "events/text/time_text.h"

#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include <cstdio>
#include <fstream>
#include <thread>

namespace mayfly::tools {

std::string grouped(std::int64_t number) {
  std::string digits = std::to_string(number);
  const std::size_t first = number < 0 ? 1 : 0;
  for (std::size_t at = digits.size(); at > first + 3;) {
    at -= 3;
    digits.insert(at, 1, ',');
  }
  return digits;
}

std::string money(events::Minor minor, events::Currency currency) {
  const auto decimals = static_cast<std::size_t>(std::max(events::exponent(currency), 0));
  std::string digits = std::to_string(minor < 0 ? -minor : minor);
  if (digits.size() <= decimals) digits.insert(0, decimals + 1 - digits.size(), '0');
  if (decimals > 0) digits.insert(digits.size() - decimals, 1, '.');
  return (minor < 0 ? "-" : "") + digits + " " + std::string(currency.view());
}

std::string age_text(std::int64_t s) {
  if (s < 120) return std::to_string(s) + " s";
  if (s < 2 * 3600) return std::to_string(s / 60) + " min";
  if (s < 2 * 86'400) return std::to_string(s / 3600) + " h";
  return std::to_string(s / 86'400) + " d";
}

std::string time_text(events::Timestamp time) {
  const auto text = events::to_text(time);
  return {text.data(), text.size()};
}

std::string position_text(events::Position at) {
  return std::to_string(at.partition) + ":" + std::to_string(at.offset);
}

std::string label_value(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '\\' || c == '"') out += '\\';
    if (c == '\n') {
      out += "\\n";
    } else {
      out += c;
    }
  }
  return out;
}

std::int64_t resident_bytes() {
  std::ifstream statm("/proc/self/statm");
  std::int64_t total = 0;
  std::int64_t resident = 0;
  statm >> total >> resident;
  return resident * ::sysconf(_SC_PAGESIZE);
}

std::stop_source stop_on_signals(std::function<void()> before_end) {
  static sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  std::stop_source stop;
  std::thread([stop, before_end = std::move(before_end)]() mutable {
    int signal = 0;
    sigwait(&signals, &signal);
    stop.request_stop();
    sigwait(&signals, &signal);
    before_end();
    ::_exit(128 + signal);
  }).detach();
  return stop;
}

bool is_terminal(int descriptor) { return ::isatty(descriptor) != 0; }

}  // namespace mayfly::tools
