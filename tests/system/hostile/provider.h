// The simulated provider, and people who look its payments up.
#pragma once

#include "tools/funds/funds_book.h"
#include "tools/simulate/provider.h"

namespace mayfly::hostile {

class Provider final : public tools::SimulatedProvider {
 public:
  using tools::SimulatedProvider::SimulatedProvider;
  /// A person looks a session up and lets the connector say what is true. `collect`: takes what is held for an order.
  void look_up(events::Timestamp now, const tools::Risk&, bool collect);

 private:
  int looked_up_ = 0;
};

}  // namespace mayfly::hostile
