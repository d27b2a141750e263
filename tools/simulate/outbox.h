// Commands that wait for their time: what a shop or a connector will send. Order of sending is order of time, whatever
// order they were decided in. May not look at the engine.
#pragma once

#include "tools/records/command_writer.h"
#include "tools/simulate/request.h"

#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace mayfly::tools {

class Outbox {
 public:
  Outbox(CommandWriter& out, std::string source) : out_(out), source_(std::move(source)) {}

  /// What is sent from here on answers this request. Its id is part of theirs, so a request that is read once more is
  /// answered under the same ids.
  void answer_to(const std::string& id, const std::string& correlation_id, events::Position at);
  void send_at(events::Timestamp when, const std::string& cart, std::string_view type, std::string data);
  /// The very command, id and all. It answers nothing.
  void send_again_at(events::Timestamp when, OutgoingCommand c) { waiting_.emplace(when, Waiting{std::move(c), {}}); }
  events::LogStatus send_due(events::Timestamp now);

  /// Until it is told otherwise, what would be sent is forgotten.
  void keep_silent(bool silent) { silent_ = silent; }
  [[nodiscard]] bool empty() const { return waiting_.empty(); }
  [[nodiscard]] std::size_t size() const { return waiting_.size(); }
  /// Precondition: not empty.
  [[nodiscard]] events::Timestamp next() const;
  /// Moves each position back to the first request whose answer waits.
  void hold_back(std::vector<events::Position>& next) const;

 private:
  struct Waiting {
    OutgoingCommand command;
    events::Position of{-1, 0};
  };
  CommandWriter& out_;
  std::string source_;
  std::multimap<events::Timestamp, Waiting> waiting_;
  std::string id_;
  std::string correlation_id_;
  events::Position at_{-1, 0};
  int answers_ = 0;  // to this request
  bool silent_ = false;
};

}  // namespace mayfly::tools
