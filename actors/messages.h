// The messages between supervisor, cart and payment session. Each hands a task over: the sender touches it no more.
#pragma once

#include "actors/ledger.h"
#include "actors/task.h"

#include <caf/allowed_unsafe_message_type.hpp>

namespace mayfly::actors {

struct Batch;

/// Supervisor to cart: decide this command.
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
/// Cart to supervisor: this task has its outcome.
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

}  // namespace mayfly::actors

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(mayfly::actors::Decide)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(mayfly::actors::DecideInSession)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(mayfly::actors::SessionDecided)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(mayfly::actors::Decided)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(mayfly::actors::End)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(mayfly::actors::DecideBatch)
