// The supervisor of a partition: owns its carts' bytes, actors, waits and epitaphs; leads each batch through them in
// record order and makes of what they decide the records of one transaction.
#pragma once

#include "actors/cart/cart_maker.h"
#include "actors/cart/environment.h"
#include "actors/cart/messages.h"
#include "actors/partition/partition_state.h"
#include "actors/partition/record_writer.h"
#include "actors/partition/restart_alerts.h"
#include "actors/partition/unmatched_alerts.h"
#include "events/wire/cloudevent.h"

#include <caf/event_based_actor.hpp>

#include <optional>
#include <string>

namespace mayfly::actors {

class PartitionActor : public caf::event_based_actor {
 public:
  PartitionActor(caf::actor_config&, Environment&, std::unique_ptr<PartitionState>);
  ~PartitionActor() override;

 private:
  caf::behavior make_behavior() override;
  void on_exit() override;

  // A batch: segments between ticks, each read, dispatched to carts, gathered in record order.
  void begin();
  void advance();
  void read_segment();
  bool read_one(const events::Record&);
  bool dispatch_segment();
  void segment_decided();
  void gather_segment();
  void note_unmatched(const Task&, int index);
  void finish_batch();
  bool ends_here();
  void expect(const Task&, const CartEntry*);
  [[nodiscard]] bool all_read() const { return cursor_ == batch_->records.size() || !batch_->stopped.empty(); }
  void tick(const events::Record&, const events::ClockTick&, events::Text id);
  void fire(const events::Record&, CartEntry&, events::Text tick_id);
  void release(const events::Record&, events::Text cart_id);

  // A command and its cart.
  void dead_letter(Task&, const events::Unreadable&);
  void decide_without_cart(Task&, const std::optional<events::Ended>&, CartEntry* vacant);
  void join_chain(Task&, CartEntry&);
  void send_to_cart(Task&);
  void on_decided(Task*);
  void settle(CartEntry&);
  void bury(CartEntry&, const Task& last);
  void mark_dirty(CartEntry&);
  void unmark(CartEntry&);

  // Supervision.
  void wake(CartEntry&);
  void forget_actor(Awake&);
  void sleep_idle();
  void on_down(const caf::down_msg&);
  void note_death(const Task& deciding, const std::string& reason);
  [[nodiscard]] std::int64_t give_up(CartEntry&, Task& failed, bool dies_too_often);
  [[nodiscard]] bool fails_too_often(const CartEntry&, const events::Record&) const;
  [[nodiscard]] std::optional<events::DeadLetterReason> withheld(const events::Record&, events::Text cart_id,
                                                                 const CartEntry*) const;
  void withhold(Task&, CartEntry*, events::DeadLetterReason);
  void count_withheld(CartEntry&, const events::Record&, events::DeadLetterReason);
  void count_withheld_behind(const Task& creation, CartEntry&);
  void begin_wait_again(CartEntry&, events::Offset set_at);
  void at(Step, const events::Record&) const;
  /// Calls f; if it throws, the supervisor ends in order: first its carts, then the batch, then itself.
  template <class F>
  void guarded(F f);
  void break_down(const std::string& why);
  void report_broken();

  // Renewal.
  void hand_over();
  void complete_handover();

  Environment& environment_;
  std::shared_ptr<CartMaker> cart_maker_;  // null: carts are ordinary ones
  std::unique_ptr<PartitionState> state_;  // null once it is handed over
  RecordWriter writer_;
  events::CommandReader reader_;
  std::vector<CartEntry*> dirty_;  // carts whose state record must be written; null: ended since

  Handover* handover_ = nullptr;
  Batch* batch_ = nullptr;
  std::size_t cursor_ = 0;        // next record of the batch
  bool tick_segment_ = false;     // the open segment holds the deadlines of the record before the cursor
  std::vector<CartEntry*> gone_;  // carts that ended in this segment
  RestartWindow restarts_;        // of its carts' actors
  RestartAlerts alerts_;
  UnmatchedAlerts unmatched_;
  std::string broken_;  // not empty: it waits for its carts to end, then ends itself; why
};

}  // namespace mayfly::actors
