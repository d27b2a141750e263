#include "tools/front_door/waiting_requests.h"

namespace mayfly::tools {

std::shared_ptr<void> WaitingRequests::place(const std::string& caller, std::size_t most) {
  {
    const std::scoped_lock lock(held_->mutex);
    const auto found = held_->of.find(caller);
    if ((found == held_->of.end() ? 0 : found->second) >= most) return nullptr;
    ++held_->of[caller];
  }
  return {held_.get(), [held = held_, caller](void*) {
            const std::scoped_lock lock(held->mutex);
            const auto found = held->of.find(caller);
            if (--found->second == 0) held->of.erase(found);
          }};
}

}  // namespace mayfly::tools
