// One partition of the real rules: decide and evolve of events/, with what surrounds them in the engine (waits, ticks,
// repeats, epitaphs) in its shortest form and without actors. Says the same lines as the model.
#pragma once

#include "events/rules/decide.h"
#include "events/rules/merging.h"
#include "events/state/epitaphs.h"
#include "events/state/snapshot.h"
#include "events/wire/cloudevent.h"
#include "rules/model/invariants.h"
#include "rules/model/step.h"

#include <map>
#include <optional>
#include <string>
#include <vector>

namespace mayfly::model {

class EngineSide {
 public:
  /// `epitaphs`: places of each queue. `sleeps`: each cart becomes its snapshot's bytes after each step and is woken.
  EngineSide(std::size_t epitaphs, bool sleeps);

  std::vector<std::string> take(const Step&);
  /// The first invariant that was broken, in words; empty: none.
  [[nodiscard]] const std::string& broken() const { return invariants_.broken(); }

 private:
  struct Live {
    explicit Live(const std::string& id);
    events::Cart cart;
    std::optional<events::Session> session;
    events::Wait wait;
  };

  /// The record's bytes through the reader; its reason if it is a dead letter.
  std::optional<std::string> dead_letter(const Step&);
  void tick(const Step&);
  void command(const Step&);
  void deadline(const std::string& id, const Step&);
  void by_cart(const std::string& id, const events::Command&, const Step&);
  void conclude(const std::string& id, const events::Command&, const events::Decision&, const events::Context&,
                bool remember);
  void tell_concern(events::Concern);
  void tell_answer(const std::string& id, const events::Command&, const events::Decision&);
  void sleep_and_wake(Live&);
  void tell_wait(const std::string& id, const Live&);
  [[nodiscard]] events::Context context(const Step& s) const { return {{0, s.offset}, {s.time}, settings_}; }

  bool sleeps_;
  events::Settings settings_;
  std::map<std::string, Live> live_;
  events::Epitaphs epitaphs_;
  events::Fingerprinter fingerprinter_{"shop"};
  std::optional<events::CommandReader> reader_;  // of the few sequences that need one
  events::Timestamp ticked_{};
  Invariants invariants_;
  std::vector<std::string> out_;
  std::vector<std::string> writes_;  // offers and answers of merges
};

/// The step as the engine's reader would give it. Views the step and `kept`.
struct KeptViews {
  std::vector<events::Adjustment> adjustments;
  std::vector<events::Text> skus;
  std::vector<events::CartAddLine> lines;
};
[[nodiscard]] events::Command command_of(const Step&, KeptViews& kept);
/// What is written to another cart, as a line.
[[nodiscard]] std::string offer_text(const events::Cart&, events::Text into, events::Offset merge);
[[nodiscard]] std::string answer_text(const std::string& id, const events::MergeAnswer&);
/// One event as a line; `cart` null where it has no state.
[[nodiscard]] std::string line_of(const std::string& id, const events::Cart* cart, const events::Event&);

}  // namespace mayfly::model
