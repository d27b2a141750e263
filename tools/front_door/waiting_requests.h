// How many requests of each caller of the front door wait for what their commands come to.
#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <mutex>
#include <string>

namespace mayfly::tools {

/// Any thread may ask, and let go of a place. Places may outlive it.
class WaitingRequests {
 public:
  /// Free again once nobody holds it. None: the caller has `most` already.
  [[nodiscard]] std::shared_ptr<void> place(const std::string& caller, std::size_t most);

 private:
  struct Held {
    std::mutex mutex;
    std::map<std::string, std::size_t> of;  // callers that hold a place
  };
  std::shared_ptr<Held> held_ = std::make_shared<Held>();
};

}  // namespace mayfly::tools
