#include "tools/reenact/provider_line.h"

#include <algorithm>
#include <utility>

namespace mayfly::tools {

namespace {

std::string session_of(const ConnectorRequest& request) { return request.data.at("session_id"); }

// After a pause of the process it makes up for the hang-ups of so long.
constexpr double made_up_ms = 100;

}  // namespace

void ProviderLine::began(const std::string& session) {
  const std::scoped_lock lock(mutex_);
  ++sessions_[session].actors;
}

void ProviderLine::ended(const std::string& session) {
  const std::scoped_lock lock(mutex_);
  const auto found = sessions_.find(session);
  if (found == sessions_.end() || --found->second.actors > 0) return;
  if (found->second.connected) uses_.erase(found->second.use);
  sessions_.erase(found);
}

std::int64_t ProviderLine::taken() const {
  const std::scoped_lock lock(mutex_);
  return static_cast<std::int64_t>(uses_.size());
}

void ProviderLine::ask(const ConnectorRequest& request, events::Timestamp now) {
  const std::scoped_lock lock(mutex_);
  waiting_.push_back({request, now});
}

std::optional<ProviderLine::Turn> ProviderLine::next(events::Timestamp now) {
  const std::scoped_lock lock(mutex_);
  if (waiting_.empty()) return std::nullopt;
  const auto& first = waiting_.front();
  const bool connected = connect(session_of(first.request), now);
  const bool given_up =
      now - first.since >= limits_.longest_wait && first.request.type == "payment.authorization_requested";
  if (!connected && !given_up) return std::nullopt;
  Turn turn{std::move(waiting_.front().request), connected};
  waiting_.pop_front();
  return turn;
}

/// True: it has a connection, or has no actor any more that could hold one.
bool ProviderLine::connect(const std::string& session, events::Timestamp now) {
  const auto found = sessions_.find(session);
  if (found == sessions_.end()) return true;
  auto& one = found->second;
  if (one.connected) {
    uses_.splice(uses_.end(), uses_, one.use);
    return true;
  }
  const auto taken_now = static_cast<std::int64_t>(uses_.size());
  if (taken_now >= limits_.most && !hang_up_one(now)) return false;
  one.use = uses_.insert(uses_.end(), session);
  one.connected = true;
  return true;
}

/// On the session that is idle for longest, unless the last hang-up is too recent. Its actor does not notice.
bool ProviderLine::hang_up_one(events::Timestamp now) {
  const auto now_ms = static_cast<double>(now.ms);
  if (uses_.empty() || now_ms < next_hang_up_ms_) return false;
  next_hang_up_ms_ = std::max(next_hang_up_ms_ + limits_.hang_up_interval_ms, now_ms - made_up_ms);
  sessions_.at(uses_.front()).connected = false;
  uses_.pop_front();
  return true;
}

}  // namespace mayfly::tools
