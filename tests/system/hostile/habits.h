// What buyers and connectors of the hostile runs do how often, in percent.
#pragma once

#include "tools/simulate/chances.h"

namespace mayfly::hostile {

struct Habits {
  tools::Rates rates{.silence = 10,
                     .duplicate = 10,
                     .late = 5,
                     .slow = 10,
                     .wrong_amount = 5,
                     .decline = 8,
                     .out_of_stock = 8,
                     .auto_capture = 4,
                     .pending = 6,
                     .attempt_fails = 30,
                     .capture_fails = 6};
  int crossing = 6;  // carts that the shop cancels while their checkout runs
};

}  // namespace mayfly::hostile
