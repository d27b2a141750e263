#include "tools/console/progress.h"

#include "tools/console/output.h"
#include "tools/console/text.h"

#include <algorithm>
#include <utility>

namespace mayfly::tools {

std::string progress_text(const std::string& what, std::int64_t done, std::int64_t all, std::int64_t before,
                          std::int64_t ms) {
  constexpr std::int64_t width = 20;
  constexpr std::int64_t soonest_estimate_ms = 1'000;
  const auto now = done - before;
  std::string text;
  if (all > 0) {
    const auto filled = std::clamp<std::int64_t>(done * width / all, 0, width);
    text = "[" + std::string(static_cast<std::size_t>(filled), '=');
    text += filled < width ? ">" + std::string(static_cast<std::size_t>(width - filled - 1), ' ') : "";
    text.append("] ").append(std::to_string(std::min<std::int64_t>(done * 100 / all, 100))).append("%  ");
  }
  text += grouped(done);
  if (all > 0) text += " of " + grouped(all);
  text += " " + what;
  if (ms <= 0) return text;
  text += ", " + grouped(now * 1'000 / ms) + " a second";
  if (all > 0 && now > 0 && done < all && ms >= soonest_estimate_ms) {
    const auto left_s = static_cast<std::int64_t>(static_cast<double>(ms) * static_cast<double>(all - done) /
                                                  static_cast<double>(now) / 1'000);
    text += ", about " + age_text(left_s) + " left";
  }
  return text;
}

Progress::Progress(std::string what, std::int64_t all) : what_(std::move(what)), all_(all), terminal_(is_terminal(2)) {}

Progress::~Progress() {
  if (drawn_) redraw("");
}

void Progress::at(std::int64_t done, std::int64_t before) {
  const auto now = Clock::now();
  if (now - said_ < (terminal_ ? std::chrono::milliseconds(redrawn_every) : std::chrono::milliseconds(said_every)))
    return;
  said_ = now;
  const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(now - begun_).count();
  const auto text = progress_text(what_, done, all_, before, ms);
  if (!terminal_) return complain("%s\n", text.c_str());
  redraw(text);
  drawn_ = true;
}

}  // namespace mayfly::tools
