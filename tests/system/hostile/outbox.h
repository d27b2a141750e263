// Commands that wait for their time: what a shop or a connector will send. Order of sending is order of time, whatever
// order they were decided in. May not look at the engine.
#pragma once

#include "system/hostile/chances.h"
#include "tools/records/command_writer.h"

#include <map>
#include <string>
#include <string_view>

namespace mayfly::hostile {

class Outbox {
 public:
  Outbox(tools::CommandWriter& out, std::string source) : out_(out), source_(std::move(source)) {}
  void send_at(events::Timestamp when, const std::string& cart, std::string_view type, std::string data) {
    tools::OutgoingCommand c;
    c.key = cart;
    c.type = type;
    c.id = source_.substr(1) + "-" + std::to_string(++sent_);
    c.source = source_;
    c.data = std::move(data);
    send_again_at(when, std::move(c));
  }
  /// The very command, id and all.
  void send_again_at(events::Timestamp when, tools::OutgoingCommand c) { waiting_.emplace(when, std::move(c)); }
  events::LogStatus send_due(events::Timestamp now) {
    events::LogStatus status;
    while (status.ok() && !waiting_.empty() && waiting_.begin()->first <= now) {
      status = out_.write(std::move(waiting_.begin()->second));
      waiting_.erase(waiting_.begin());
    }
    return status;
  }
  [[nodiscard]] bool empty() const { return waiting_.empty(); }
  /// Precondition: not empty.
  [[nodiscard]] events::Timestamp next() const { return waiting_.begin()->first; }

 private:
  tools::CommandWriter& out_;
  std::string source_;
  std::multimap<events::Timestamp, tools::OutgoingCommand> waiting_;
  std::int64_t sent_ = 0;
};

}  // namespace mayfly::hostile
