// A log of one partition whose engine is the test: what is said of commands in it, and who sends them.
#pragma once

#include "events/state/snapshot.h"
#include "logs/memory_log.h"

#include <functional>
#include <span>
#include <string>
#include <utility>

namespace mayfly::testing {

class SendingClient final : public events::LogClient {
 public:
  /// `decide` runs once a command is stored, before its writer knows it. The store outlives it.
  SendingClient(adapters::MemoryStore& store, std::function<void(events::Offset)> decide)
      : client_(store), decide_(std::move(decide)) {}
  [[nodiscard]] std::int32_t partitions() const override { return 1; }
  events::Appended append(std::span<const events::NewRecord> records) override {
    auto appended = client_.append(records);
    for (const auto at : appended.at) decide_(at.offset);
    return appended;
  }
  events::Fetched read(events::Stream s, events::Partition p, events::Offset from,
                       const events::PollLimits& l) override {
    return client_.read(s, p, from, l);
  }
  events::StreamEnds ends(events::Stream s, events::Partition p) override { return client_.ends(s, p); }

 private:
  adapters::MemoryClient client_;
  std::function<void(events::Offset)> decide_;
};

/// One event of cart c1, caused by the command with that id at that offset.
inline void say(adapters::MemoryStore& store, events::Offset of, const std::string& id, const std::string& type,
                const std::string& data) {
  const auto own = "0-" + std::to_string(of) + "-0";
  const auto ce_type = "dev.mayfly." + type + ".v1";
  const events::Header headers[] = {{"ce_id", own}, {"ce_type", ce_type}, {"ce_causationid", id}};
  store.append({events::Stream::events, 0, "c1", data, headers});
}

/// Commands before `next` are decided.
inline void say_decided(adapters::MemoryStore& store, events::Offset next) {
  std::string position;
  events::append_position(position, {next, {}, 1, "mayfly", {}});
  store.append({events::Stream::state, 0, events::position_key, position, {}});
}

}  // namespace mayfly::testing
