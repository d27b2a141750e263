// How far a long run is, on standard error: on a terminal a bar that moves, else a line now and then.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

namespace mayfly::tools {

/// "[=====>              ] 27%  1,234 of 4,567 commands, 890 a second, about 4 s left": of `all` things, `done`, of
/// which `before` were done when it began, `ms` ago. Without `all` (0) there is neither bar nor estimate.
[[nodiscard]] std::string progress_text(const std::string& what, std::int64_t done, std::int64_t all,
                                        std::int64_t before, std::int64_t ms);

class Progress {
 public:
  static constexpr std::chrono::milliseconds redrawn_every{200};  // on a terminal
  static constexpr std::chrono::seconds said_every{10};           // elsewhere

  /// `what`: "commands".
  Progress(std::string what, std::int64_t all);
  /// Takes the bar away.
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  void at(std::int64_t done, std::int64_t before = 0);

 private:
  using Clock = std::chrono::steady_clock;
  std::string what_;
  std::int64_t all_;
  bool terminal_;
  Clock::time_point begun_ = Clock::now();
  Clock::time_point said_ = begun_;
  bool drawn_ = false;
};

}  // namespace mayfly::tools
