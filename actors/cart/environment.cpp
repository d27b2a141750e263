#include "actors/cart/environment.h"

#include "actors/cart/task.h"
#include "events/rules/identity.h"

namespace mayfly::actors {

Holder Environment::holder(const Task& task) const {
  return {task.record->at.partition, events::Fingerprinter(engine).of(task.read.cart_id)};
}

}  // namespace mayfly::actors
