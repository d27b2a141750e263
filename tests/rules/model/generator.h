// Random command sequences from a seed: the same seed, the same sequence, wherever it runs. Looks at the model's state
// to find what a shop, an inventory or a provider might say next, and says it wrong, twice, late or elsewhere often
// enough.
#pragma once

#include "rules/model/model.h"
#include "rules/model/step.h"

#include <cstdint>
#include <string>
#include <vector>

namespace mayfly::model {

/// What a sequence is about. Most are `mixed`; the others go where chance does not.
enum class Theme {
  mixed,
  silence,
  failing,
  stubborn,
  long_cart,
  wide_cart,
  wordy_cart,
  crowd_due,
  graves,
  attempts,
  answers,
  captures,
  settling,
  merges
};
[[nodiscard]] Theme theme_of(std::uint64_t seed);

class Generator {
 public:
  explicit Generator(std::uint64_t seed);
  [[nodiscard]] bool done() const { return steps_left_ <= 0; }
  Step next(Model&);

 private:
  std::uint64_t random();
  std::int64_t below(std::int64_t n) { return static_cast<std::int64_t>(random() % static_cast<std::uint64_t>(n)); }
  bool chance(std::int64_t percent) { return below(100) < percent; }
  template <class T>
  T one_of(const std::vector<T>& choices) {
    return choices[static_cast<std::size_t>(below(static_cast<std::int64_t>(choices.size())))];
  }

  Step as_bytes(const std::string& cart);
  Step tick(const Model&);
  Step themed(Model&);
  Step anything(const Model&);
  Step towards_payment(const std::string& cart, const LiveCart*);
  Step shop(const std::string& cart, const LiveCart*);
  Step checkout(const std::string& cart, const LiveCart*);
  void name_line(Step&);
  Step capture(const std::string& cart, const LiveCart*);
  Step release_rest(const LiveCart&);
  Step moved_by_one(const LiveCart&);
  Step inventory(const std::string& cart, const LiveCart*, const Model&);
  Step payment(const std::string& cart, const LiveCart*, const Model&);
  std::string session_id(const std::string& cart, std::int64_t newest);
  std::string reservation_id(const std::string& cart, std::int64_t newest);
  std::string currency(const LiveCart*);
  std::int64_t amount(std::int64_t of);
  [[nodiscard]] bool repeats() const {
    return theme_ != Theme::crowd_due && theme_ != Theme::wide_cart && theme_ != Theme::wordy_cart;
  }
  std::string fresh_id() { return "i" + std::to_string(++ids_); }

  std::uint64_t state_;
  Theme theme_;
  bool straight_ = false;  // carts go to their payment without detours, mostly
  std::int64_t steps_left_;
  std::int64_t begun_ = 0;
  std::int64_t now_;
  std::int64_t offset_ = -1;
  std::uint64_t ids_ = 0;
  std::vector<std::string> names_;
  std::vector<Step> sent_;
};

}  // namespace mayfly::model
