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
                     .capture_fails = 6,
                     .dispute = 3,
                     .refund_fails = 10,
                     .extra = 50,
                     .never_settles = 5,
                     .told_again = 30};
  int crossing = 6;      // carts that the shop cancels, or whose checkout it abandons, while it runs
  int goes_back = 30;    // buyers who are sent to their bank and go back to pay in another way
  int merge = 8;         // carts of guests, that are merged into the buyer's own at login
  int own_line_id = 25;  // lines with options
  int by_weight = 10;    // lines that are priced for more than one
  int set_line = 10;     // lines that are set and not added
  int most_tries = 3;    // of a checkout
  /// What a cart's buyer and connectors do depends on the seed and on what they have heard of that cart, and on nothing
  /// else: two runs differ in the carts that a change meets, and in no other.
  bool each_cart_by_itself = false;
  events::Millis capture_least{24 * 3'600'000};  // how long an order waits for payment.capture
  events::Millis capture_most{168 * 3'600'000};
  events::Millis thinks_longest{96 * 3'600'000};  // a buyer whose money takes days, until the order is canceled

  /// Where the engine is another process and time is real, nothing may need waits that no setting shortens: an hour
  /// before a payment that takes days is asked about, five minutes before a refund is tried again.
  void in_real_time() {
    rates.refund_fails = rates.never_settles = 0;
    rates.told_again = 100;
    capture_least = events::Millis{10 * 3'600'000};
    capture_most = events::Millis{12 * 3'600'000};
    thinks_longest = events::Millis{7'200'000};
    rates.dispute_least = events::Millis{600'000};
    rates.dispute_most = events::Millis{7'200'000};
  }
};

}  // namespace mayfly::hostile
