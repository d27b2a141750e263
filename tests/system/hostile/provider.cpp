#include "system/hostile/provider.h"

#include <algorithm>

namespace mayfly::hostile {

void Provider::look_up(events::Timestamp now, const tools::Risk& risk, bool collect) {
  answers_.begin("look-up-" + std::to_string(++looked_up_), {}, {-1, 0});
  auto& a = accounts_[risk.session];
  a.cart = risk.cart;
  if (a.currency.empty()) a.currency = risk.currency;
  const auto held = a.held();
  if (!risk.order.empty()) {
    if (collect && held > 0) {
      a.captured += std::min(held, a.asked - a.captured);
      a.canceled = a.authorized - a.captured;
    }
    if (a.captured > 0) say(now, risk.session, a, "payment.captured", a.captured);
  } else if (a.captured > a.refunded) {
    status(now, risk.session, a);
  } else if (a.captured > 0) {
    say(now, risk.session, a, "payment.refunded", a.refunded);
  } else if (held > 0) {
    say(now, risk.session, a, "payment.authorized", a.authorized);
  } else {
    a.closed = true;
    say(now, risk.session, a, "payment.canceled", a.canceled);
  }
}

}  // namespace mayfly::hostile
