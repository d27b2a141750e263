// The messages between supervisor, cart and payment session. Each hands a task over: the sender touches it no more.
#pragma once

#include "actors/cart/task.h"
#include "actors/memory/ledger.h"

#include <caf/allowed_unsafe_message_type.hpp>

#include <string_view>

namespace mayfly::actors {

struct Batch;
struct Handover;
class Findings;

/// Supervisor to cart: decide this command and those that follow in its chain.
struct Decide {
  Task* task;
  CountedMessage counted;
};
/// Cart to its open session: this command concerns you.
struct DecideInSession {
  Task* task;
  CountedMessage counted;
};
/// Session to its cart: task->by_session holds what I decided.
struct SessionDecided {
  Task* task;
  CountedMessage counted;
};
/// Cart to supervisor: the cart is over at this task and its chain goes on, or it was the segment's last.
struct Decided {
  Task* task;
  CountedMessage counted;
};
/// Supervisor to cart: end, but not before your session has given back the task that it decides.
struct End {};
/// Engine to supervisor: decide this batch, then call batch->finish().
struct DecideBatch {
  Batch* batch;
};

/// Engine to supervisor, between batches: let your carts end, each compared with its bytes, then hand over your state,
/// call handover->finish() and end.
struct HandOver {
  Handover* handover;
};
/// Supervisor to cart, which decides nothing: compare yourself with these bytes of your entry, then end.
struct Retire {
  std::string_view id;
  std::string_view cart;
  std::string_view session;
  Findings* findings;
};
/// Cart to its open session: compare yourself with your part of these.
struct CompareSession {
  Retire with;
};
/// Session to cart: I did.
struct SessionCompared {};

}  // namespace mayfly::actors

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(mayfly::actors::Decide)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(mayfly::actors::DecideInSession)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(mayfly::actors::SessionDecided)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(mayfly::actors::Decided)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(mayfly::actors::End)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(mayfly::actors::DecideBatch)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(mayfly::actors::HandOver)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(mayfly::actors::Retire)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(mayfly::actors::CompareSession)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(mayfly::actors::SessionCompared)
