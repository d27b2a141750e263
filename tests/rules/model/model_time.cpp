// Section 3 of decisions.md, time, and the bounds of epitaphs (section 6).
#include "rules/model/model.h"

#include <algorithm>

namespace mayfly::model {

void Model::tick(const Step& step) {
  if (guard("3 tick: at absent", !step.at)) return alert("tick ignored");
  if (guard("3 tick: at over 60 s before the append time", *step.at < step.time - 60'000)) return alert("tick ignored");
  if (guard("3 tick: at over 60 s after the append time", *step.at > step.time + 60'000)) return alert("tick ignored");
  for (const auto& [name, value] : step.settings) numbers_[name] = value;

  if (guard("3 tick: raises T", step.time > ticked_)) ticked_ = step.time;

  const std::int64_t covered = std::min(step.through, step.offset - 1);
  for (auto& [id, cart] : carts_) {
    if (guard("3 tick: wait has started", cart.wait.due.has_value())) continue;
    if (guard("3 tick: wait set by a record it covers", cart.wait.set_at <= covered)) {
      cart.wait.due = ticked_ + cart.wait.length;
    }
  }

  std::vector<std::pair<std::int64_t, std::string>> due;  // strings compare by bytes
  for (const auto& [id, cart] : carts_) {
    if (!cart.wait.due) continue;
    if (guard("3 tick: deadline <= T", *cart.wait.due <= ticked_)) due.emplace_back(*cart.wait.due, id);
  }
  std::sort(due.begin(), due.end());
  if (guard("3 tick: over 1,000 due", due.size() > 1000)) due.resize(1000);
  for (const auto& [deadline, id] : due) {
    wait_ends(carts_.at(id), step);
    send_alert();
  }

  for (auto grave = graves_.begin(); grave != graves_.end();) {
    const std::int64_t age_s = ticked_ / 1000 - grave->ended_s;
    const bool had_session = guard("3 tick: epitaph of a cart that opened a session", grave->sessions > 0);
    const bool old = had_session ? guard("3 tick: epitaph older than 35 d", age_s > 35 * 24 * 3600)
                                 : guard("3 tick: epitaph older than 72 h", age_s > 72 * 3600);
    grave = old ? graves_.erase(grave) : std::next(grave);
  }
}

void Model::wait_ends(LiveCart& cart, const Step& step) {
  const std::string kind = cart.wait.kind;
  coverage_.produced("deadline", kind);
  if (kind == "idle") {
    say(&cart, step, "cart.expired");
    return end(cart, step, "expired", 0);
  }
  if (kind == "reservation") return reservation_deadline(cart, step);
  if (kind == "merge") return merge_wait_ends(cart, step);
  session_wait_ends(cart, step, kind);
}

Grave* Model::grave_of(const std::string& cart) {
  for (auto& grave : graves_) {
    if (grave.cart == cart) return &grave;
  }
  return nullptr;
}

void Model::bury(const Grave& grave) {
  const bool had_session = grave.sessions > 0;
  std::size_t queued = 0;
  for (const auto& g : graves_) queued += (g.sessions > 0) == had_session ? 1 : 0;
  if (guard("6 the epitaph's queue is full", queued >= epitaphs_)) {
    const auto oldest =
        std::find_if(graves_.begin(), graves_.end(), [&](const Grave& g) { return (g.sessions > 0) == had_session; });
    graves_.erase(oldest);
  }
  graves_.push_back(grave);
}

}  // namespace mayfly::model
