// What a function relies on, checked in every build. A caller that breaks it has a bug, whatever came in from outside.
#pragma once

#include <stdexcept>

namespace mayfly::events {

/// what() says which function relied on what. Thrown while a cart is decided it costs that cart's actor its life, like
/// any exception there (docs/actors.md).
class BrokenPrecondition : public std::logic_error {
 public:
  using std::logic_error::logic_error;
};

/// `rule`: the function, a colon, and what has to hold.
[[noreturn]] void break_precondition(const char* rule);

inline void precondition(bool holds, const char* rule) {
  if (!holds) [[unlikely]]
    break_precondition(rule);
}

}  // namespace mayfly::events
