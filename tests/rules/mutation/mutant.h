// Included by mutated sources only (mutate.py): all mutants are in one program, MUTANT=n in the environment chooses
// one.
#pragma once

#include "events/log/types.h"

#include <cstdlib>

namespace mayfly::events {

/// So that the mutant of `time - time` compiles.
constexpr Millis operator+(Timestamp a, Timestamp b) { return {a.ms + b.ms}; }

}  // namespace mayfly::events

namespace mutant {

inline bool is(int id) {
  static const int chosen = std::getenv("MUTANT") != nullptr ? std::atoi(std::getenv("MUTANT")) : 0;
  return id == chosen;
}
/// 1 for the chosen one, to be added to a constant.
inline int one(int id) { return is(id) ? 1 : 0; }

/// A guard's condition: always, never, or what it was.
template <class Condition>
bool guard(int always, int never, Condition condition) {
  return is(always) || (!is(never) && condition());
}
template <class Left, class Right>
bool both(int either, Left left, Right right) {
  return is(either) ? left() || right() : left() && right();
}
template <class Left, class Right>
bool either(int both, Left left, Right right) {
  return is(both) ? left() && right() : left() || right();
}
template <class T>
T max(int id, const T& a, const T& b) {
  return (a < b) != is(id) ? b : a;
}
template <class T>
T min(int id, const T& a, const T& b) {
  return (b < a) != is(id) ? b : a;
}
/// The enumerator before, or after the first.
template <class Enum>
Enum neighbour(int id, Enum e) {
  const int value = static_cast<int>(e);
  return is(id) ? static_cast<Enum>(value > 0 ? value - 1 : value + 1) : e;
}
/// `no{id} ->* x` in place of `!x`.
struct no {
  int id;
  template <class T>
  friend bool operator->*(no n, const T& value) {
    return is(n.id) == static_cast<bool>(value);
  }
};

}  // namespace mutant

// One operator in place of another; both operands are evaluated once.
#define MUTANT_2(id, left, was, now, right) \
  ([&](const auto& l, const auto& r) { return mutant::is(id) ? (l now r) : (l was r); }(left, right))
#define MUTANT_3(id, left, was, now, other, right)                                      \
  ([&](const auto& l, const auto& r) {                                                  \
    return mutant::is(id) ? (l now r) : mutant::is((id) + 1) ? (l other r) : (l was r); \
  }(left, right))
