#include "actors/engine/gate.h"

#include <caf/actor_system.hpp>
#include <caf/scheduler/test_coordinator.hpp>

#include <stdexcept>
#include <utility>

namespace mayfly::actors {

namespace {

caf::scheduler::test_coordinator& coordinator(caf::actor_system& system) {
  return dynamic_cast<caf::scheduler::test_coordinator&>(system.scheduler());
}

}  // namespace

void Gate::close(std::size_t shares) {
  std::scoped_lock lock(mutex_);
  open_ = shares;
}

void Gate::one_done() {
  std::scoped_lock lock(mutex_);
  if (--open_ == 0) done_.notify_one();
}

void Gate::wait() {
  if (choose_) {
    while (open_ != 0) run_one_message();
    return;
  }
  std::unique_lock lock(mutex_);
  done_.wait(lock, [this] { return open_ == 0; });
}

void Gate::run_one_message() {
  auto& jobs = coordinator(system_).jobs;
  if (jobs.empty()) throw std::logic_error("no actor has a message, and a batch is not decided");
  std::swap(jobs[choose_(jobs.size())], jobs.front());
  coordinator(system_).run_once();
}

void Gate::run_out() {
  if (!choose_) return;
  while (coordinator(system_).has_job()) run_one_message();
}

}  // namespace mayfly::actors
