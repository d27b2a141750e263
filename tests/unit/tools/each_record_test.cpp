// What a reader sees of a stream that an engine writes meanwhile.
#include "tools/records/each_record.h"

#include <doctest/doctest.h>

#include <memory>
#include <set>
#include <string>
#include <vector>

using namespace mayfly;
using namespace mayfly::events;

namespace {

/// Keeps the newest record of each key. Every read but the last few finds that the first key was just written anew.
class MovingState final : public LogClient {
 public:
  static constexpr int keys = 5;
  MovingState() {
    for (const auto& name : names_) {
      Record r;
      r.at = {0, end_++};
      r.key = name;
      r.value = "v";
      records_.push_back(r);
    }
  }
  [[nodiscard]] std::int32_t partitions() const override { return 1; }
  Appended append(std::span<const NewRecord>) override { return {}; }
  StreamEnds ends(Stream, Partition) override { return {0, end_, {}}; }
  Fetched read(Stream, Partition, Offset from, const PollLimits&) override {
    if (moves_ > 0) {
      auto moved = records_.front();
      records_.erase(records_.begin());
      moved.at.offset = end_++;
      records_.push_back(moved);
      --moves_;
    }
    Fetched fetched;
    fetched.next = from;
    for (const auto& r : records_) {
      if (r.at.offset < from) continue;
      fetched.batch.records.push_back(r);  // one at a time
      fetched.next = r.at.offset + 1;
      break;
    }
    return fetched;
  }

 private:
  const std::vector<std::string> names_{"a", "b", "c", "d", "e"};
  std::vector<Record> records_;
  Offset end_ = 0;
  int moves_ = 2 * keys;
};

}  // namespace

TEST_CASE("no key of the state is missed because an engine writes it while it is read") {
  MovingState log;
  std::set<std::string> seen;
  CHECK(tools::each_record(log, Stream::state, 0, [&](const Record& r) {
          seen.emplace(r.key.value_or(Bytes{}));
          return true;
        }).ok());
  CHECK(seen.size() == MovingState::keys);
}
