// A payment session as an actor: opened by its cart, owns what the provider said, ends with its payment.
#pragma once

#include "actors/cart/environment.h"
#include "actors/cart/messages.h"
#include "actors/memory/actor_memory.h"
#include "events/rules/session.h"

#include <caf/event_based_actor.hpp>

namespace mayfly::actors {

class SessionActor : public caf::event_based_actor {
 public:
  SessionActor(caf::actor_config&, Environment&, const caf::actor& cart, const events::Session&);
  ~SessionActor() override;
  /// Of its block, as the allocator counts it.
  static std::int64_t block_bytes();

 protected:
  /// It takes so many bytes beside its state.
  void also_takes(std::int64_t bytes) { bytes_.add(bytes); }

 private:
  caf::behavior make_behavior() override;
  void decide(Task*);
  void compare(const Retire&);

  Environment& environment_;
  ActorBytes bytes_;
  caf::actor_addr cart_;  // weak: a session never keeps its cart
  ActorMemory<1> memory_;
  events::Session session_;
};

/// What a crashed handler leaves as exit reason: the exception's words, without printing.
caf::error to_exit_reason(const std::exception_ptr&);

}  // namespace mayfly::actors
