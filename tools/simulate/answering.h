// How an unreliable connector answers: lost, twice, hours late, out of order. What it has done stands in its books.
#pragma once

#include "tools/simulate/chances.h"
#include "tools/simulate/outbox.h"

#include <string>
#include <string_view>

namespace mayfly::tools {

class Answering {
 public:
  Answering(Outbox& out, const Rates& rates, Chance& chance) : out_(out), rates_(rates), chance_(chance) {}

  /// Answers from here on are to this request, by chances of its own.
  void begin(const std::string& id, const std::string& correlation_id, events::Position at) {
    chance_.begin(id);
    out_.answer_to(id, correlation_id, at);
  }
  /// True: the request is never done, nobody hears of it.
  [[nodiscard]] bool request_is_lost() { return reliable_ ? false : chance_.percent(rates_.silence / 2); }
  void answer(events::Timestamp now, const std::string& cart, std::string_view type, const std::string& data) {
    if (reliable_) return out_.send_at(now + events::Millis{1}, cart, type, data);
    if (chance_.percent(rates_.silence - rates_.silence / 2)) return;
    out_.send_at(now + delay(), cart, type, data);
    if (chance_.percent(rates_.duplicate)) out_.send_at(now + delay() + delay(), cart, type, data);
  }
  /// At its time, unasked: nothing is lost of it.
  void say_at(events::Timestamp when, const std::string& cart, std::string_view type, const std::string& data) {
    out_.send_at(when, cart, type, data);
  }
  /// From here on every request is done and answered at once (the end of a run, when people look).
  void become_reliable() { reliable_ = true; }
  [[nodiscard]] bool reliable() const { return reliable_; }

 private:
  events::Millis delay() {
    using namespace events;
    if (chance_.percent(rates_.late)) return chance_.between(60_s, 8_h);
    return chance_.percent(rates_.slow) ? chance_.between(10_s, 150_s)
                                        : chance_.between(rates_.quickest, rates_.slowest);
  }

  Outbox& out_;
  const Rates& rates_;
  Chance& chance_;
  bool reliable_ = false;
};

}  // namespace mayfly::tools
