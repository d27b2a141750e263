// A condition over a cart's state and what was just said of it: `session.captured_minor > 0 and phase == paying`.
// Grammar in docs/replay.md.
#pragma once

#include "tools/replay/replay_state.h"

#include <memory>
#include <string>
#include <string_view>

namespace mayfly::tools {

/// Can a cart have a member of that path?
[[nodiscard]] bool is_known_member(std::string_view path);

class Condition {
 public:
  /// A sentence in `wrong` if the text is no condition, or names a member that no cart has.
  Condition(const std::string& text, std::string& wrong);
  ~Condition();
  Condition(const Condition&) = delete;
  Condition& operator=(const Condition&) = delete;

  /// Of an object as state_json gives, with `command`, `event` and `code` beside.
  [[nodiscard]] bool holds(const OrderedJson&) const;

  /// It names something that was decided, which no state has: `command`, `event`, `code` or `dead_letter`.
  [[nodiscard]] bool is_of_decisions() const;

  struct Node;

 private:
  std::unique_ptr<Node> root_;
};

}  // namespace mayfly::tools
