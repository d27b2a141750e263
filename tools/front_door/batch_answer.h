// The answer to a batch of commands, made of the answers of each. docs/http.md, Batches.
#pragma once

#include "adapters/http/http.h"

#include <cstddef>
#include <mutex>
#include <vector>

namespace mayfly::tools {

/// What a batch is answered with. 200: all were accepted; 202: and some are not decided yet; 207: some were refused;
/// 503 with Retry-After: some have to be sent again. `results` has each one's own answer with its `status`.
[[nodiscard]] adapters::HttpAnswer batch_answer(const std::vector<adapters::HttpAnswer>& each);

/// A problem document that says which event of a batch it is about, counted from 0. None of the batch was taken.
[[nodiscard]] adapters::HttpAnswer of_event(std::size_t index, adapters::HttpAnswer problem);

/// Gathers the answers of one batch.
class BatchAnswers {
 public:
  /// Of at least one event.
  BatchAnswers(std::size_t events, adapters::HttpReply);
  /// Any thread, once for each event. The last one answers the batch.
  void give(std::size_t index, adapters::HttpAnswer);

 private:
  std::mutex mutex_;
  std::vector<adapters::HttpAnswer> each_;
  std::size_t missing_;
  const adapters::HttpReply reply_;
};

}  // namespace mayfly::tools
