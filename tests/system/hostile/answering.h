// How an unreliable connector answers: lost, twice, hours late, out of order. What it has done stands in its books.
#pragma once

#include "system/hostile/outbox.h"

namespace mayfly::hostile {

class Answering {
 public:
  Answering(Outbox& out, const Rates& rates, Chance& chance) : out_(out), rates_(rates), chance_(chance) {}

  /// True: the request is never done, nobody hears of it.
  [[nodiscard]] bool request_is_lost() { return reliable_ ? false : chance_.percent(rates_.silence / 2); }
  void answer(events::Timestamp now, const std::string& cart, std::string_view type, const std::string& data) {
    if (reliable_) return out_.send_at(now + events::Millis{1}, cart, type, data);
    if (chance_.percent(rates_.silence - rates_.silence / 2)) return;
    out_.send_at(now + delay(), cart, type, data);
    if (chance_.percent(rates_.duplicate)) out_.send_at(now + delay() + delay(), cart, type, data);
  }
  /// From here on every request is done and answered at once (the end of a run, when people look).
  void become_reliable() { reliable_ = true; }
  [[nodiscard]] bool reliable() const { return reliable_; }

 private:
  events::Millis delay() {
    using namespace events;
    if (chance_.percent(rates_.after_end)) return chance_.between(60_s, 8_h);
    return chance_.percent(10) ? chance_.between(10_s, 150_s) : chance_.between(20_ms, 8_s);
  }

  Outbox& out_;
  const Rates& rates_;
  Chance& chance_;
  bool reliable_ = false;
};

}  // namespace mayfly::hostile
