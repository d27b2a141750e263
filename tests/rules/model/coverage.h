// Which guards of decisions.md were true and which false, and what was produced. Counts only; decides nothing.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <unordered_map>

namespace mayfly::model {

class Coverage {
 public:
  /// Records the guard and gives its condition back. The name is a literal: section, state, condition.
  bool guard(const char* name, bool condition) {
    ++guards_[name][condition ? 1 : 0];
    return condition;
  }
  /// Something was produced: an event's type, a code, a why, an outcome, a deadline.
  void produced(const std::string& kind, const std::string& name) { ++produced_[kind + " " + name]; }

  struct Times {
    std::uint64_t no = 0;
    std::uint64_t yes = 0;
  };
  [[nodiscard]] std::map<std::string, Times> guards() const {
    std::map<std::string, Times> all;
    for (const auto& [name, times] : guards_) {
      auto& sum = all[name];  // one literal may have several addresses
      sum.no += times[0];
      sum.yes += times[1];
    }
    return all;
  }
  [[nodiscard]] const std::map<std::string, std::uint64_t>& produced() const { return produced_; }

 private:
  struct Pair {
    std::uint64_t times[2] = {0, 0};
    std::uint64_t& operator[](int i) { return times[i]; }
    const std::uint64_t& operator[](int i) const { return times[i]; }
  };
  std::unordered_map<const char*, Pair> guards_;
  std::map<std::string, std::uint64_t> produced_;
};

}  // namespace mayfly::model
