#include "events/text/precondition.h"

#include <string>

namespace mayfly::events {

void break_precondition(const char* rule) {
  throw BrokenPrecondition("a bug in this program: broken precondition of " + std::string(rule));
}

}  // namespace mayfly::events
