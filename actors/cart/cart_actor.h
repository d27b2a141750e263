// A cart as an actor: owns the cart's state, decides its commands one by one, opens and ends its payment session.
#pragma once

#include "actors/cart/environment.h"
#include "actors/cart/messages.h"
#include "actors/memory/actor_memory.h"
#include "events/rules/cart.h"
#include "events/rules/decide.h"

#include <caf/event_based_actor.hpp>

#include <string_view>

namespace mayfly::actors {

class CartActor : public caf::event_based_actor {
 public:
  /// The snapshot's parts (cart empty: a new one; session empty: none is open) are read at the first message and
  /// must live until then.
  CartActor(caf::actor_config&, Environment&, const caf::actor& supervisor, std::string_view id, std::string_view cart,
            std::string_view session);
  ~CartActor() override;
  /// Of its block, as the allocator counts it. A weak reference keeps the block when the actor is gone (CAF), and a
  /// session has one to its cart.
  static std::int64_t block_bytes();

 protected:
  // Where the re-enactment of an outage differs from an ordinary cart (actors/outages/). Nothing else overrides them.
  /// A command is decided, and its memory is about to be posted.
  virtual void decided() {}
  [[nodiscard]] virtual caf::actor make_session(const events::Session&);
  /// The cart has let go of its session, whose transaction is over or which must not outlive the cart.
  virtual void end_session(const caf::actor&);
  [[nodiscard]] Environment& environment() { return environment_; }
  [[nodiscard]] std::pmr::memory_resource* lines_memory() { return memory_.of(1); }

 private:
  caf::behavior make_behavior() override;
  void on_exit() override;

  // These give the next task of the chain; null: it is at the session, was the last, or the cart is over.
  Task* decide(Task*);
  Task* conclude_by_session(Task*);
  /// Says the events, lets the cart evolve, hands the task back; ends the actor if the cart is over.
  Task* conclude(Task*, const events::Decision&, bool remember_it);
  void reply(Task&);
  Task* hand_back(Task*);

  void decide_chain(Task*);
  void session_decided(Task*);
  void end();
  void retire(const Retire&);
  void wake();
  void open_session(const events::Session&);
  void close_session();
  void say(Task*, const std::vector<events::Event>&);
  [[nodiscard]] events::CartMemory cart_memory();
  void post_memory(const Task&);

  Environment& environment_;
  ActorBytes bytes_;
  caf::actor_addr supervisor_;
  std::string_view sleeping_id_;
  std::string_view sleeping_cart_;
  std::string_view sleeping_session_;
  ActorMemory<5> memory_;
  events::Cart cart_;
  bool awake_ = false;
  caf::actor session_;          // of the open payment session, or none
  Task* at_session_ = nullptr;  // the session decides it now
  bool ending_ = false;         // as soon as nothing is at the session
  bool comparing_ = false;      // the session compares itself now
};

}  // namespace mayfly::actors
