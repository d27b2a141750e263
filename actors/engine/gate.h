// Lets the engine wait until all supervisors have decided their share of a batch. In a simulation the engine's own
// thread runs the actors meanwhile, one message at a time, in the order that the simulation chooses.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <functional>
#include <mutex>
#include <utility>

namespace caf {
class actor_system;
}

namespace mayfly::actors {

/// Gives a number below its argument.
using Choose = std::function<std::size_t(std::size_t below)>;

class Gate {
 public:
  /// `choose` null: actors run on threads of the actor system, which outlives the gate.
  Gate(caf::actor_system& system, Choose choose) : system_(system), choose_(std::move(choose)) {}

  void close(std::size_t shares);
  void one_done();
  /// Blocks until every share is done.
  void wait();
  /// Simulation: runs the actors until none has a message. Else nothing.
  void run_out();

 private:
  void run_one_message();

  caf::actor_system& system_;
  Choose choose_;
  std::mutex mutex_;
  std::condition_variable done_;
  std::size_t open_ = 0;
};

}  // namespace mayfly::actors
