#include "tools/simulate/outbox.h"

#include "events/text/precondition.h"

#include <algorithm>

namespace mayfly::tools {

void Outbox::answer_to(const std::string& id, const std::string& correlation_id, events::Position at) {
  id_ = id;
  correlation_id_ = correlation_id;
  at_ = at;
  answers_ = 0;
}

void Outbox::send_at(events::Timestamp when, const std::string& cart, std::string_view type, std::string data) {
  ++answers_;
  if (silent_) return;
  OutgoingCommand c;
  c.key = cart;
  c.type = type;
  c.id = id_ + "." + std::to_string(answers_);
  c.source = source_;
  c.data = std::move(data);
  c.correlation_id = correlation_id_;
  waiting_.emplace(when, Waiting{std::move(c), at_});
}

events::Timestamp Outbox::next() const {
  events::precondition(!waiting_.empty(), "Outbox::next: a command waits");
  return waiting_.begin()->first;
}

events::LogStatus Outbox::send_due(events::Timestamp now) {
  events::LogStatus status;
  while (status.ok() && !waiting_.empty() && waiting_.begin()->first <= now) {
    status = out_.write(std::move(waiting_.begin()->second.command));
    waiting_.erase(waiting_.begin());
  }
  return status;
}

void Outbox::hold_back(std::vector<events::Position>& next) const {
  for (const auto& [when, waiting] : waiting_) {
    for (auto& position : next) {
      if (position.partition == waiting.of.partition) position.offset = std::min(position.offset, waiting.of.offset);
    }
  }
}

}  // namespace mayfly::tools
