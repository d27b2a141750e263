#include "tools/front_door/key_book.h"

#include "tools/front_door/front_source.h"
#include "tools/records/each_record.h"
#include "tools/records/record_text.h"

#include <algorithm>
#include <chrono>
#include <string>
#include <utility>

namespace mayfly::tools {

KeyBook::KeyBook(std::unique_ptr<events::LogClient> log, const events::HashKey& key, KeyBookLimits limits)
    : log_(std::move(log)),
      hash_(key),
      limits_(limits),
      most_each_(std::max<std::size_t>(1, limits.keys / static_cast<std::size_t>(log_->partitions()))),
      parts_(static_cast<std::size_t>(log_->partitions())) {}

KeyBook::~KeyBook() {
  {
    const std::scoped_lock lock(mutex_);
    over_ = true;
  }
  changed_.notify_all();
  if (thread_.joinable()) thread_.join();
}

events::LogStatus KeyBook::read_log(events::LogClient& log, const std::stop_token& stop) {
  for (events::Partition p = 0; p < log.partitions(); ++p) {
    const auto ends = log.ends(events::Stream::commands, p);
    if (!ends.status.ok()) return ends.status;
    auto& next = parts_[static_cast<std::size_t>(p)].next;
    next = std::max(ends.first, ends.end - static_cast<events::Offset>(most_each_));
    events::LogStatus status;
    while (next < ends.end && !stop.stop_requested() && read_on(log, p, status)) {
    }
    if (!status.ok()) return status;
  }
  return {};
}

void KeyBook::follow() {
  thread_ = std::thread([this] { run(); });
}

KeyHash KeyBook::hash(std::string_view cart, std::string_view source, std::string_view id) const {
  std::string key;
  key.reserve(cart.size() + source.size() + id.size() + 2);
  key.append(cart).append(1, '\n').append(source).append(1, '\n').append(id);  // none has a line feed
  return hash_(key);
}

void KeyBook::note(events::Position at, KeyHash key) {
  const std::scoped_lock lock(mutex_);
  auto& part = parts_[static_cast<std::size_t>(at.partition)];
  const auto [begin, end] = part.places.equal_range(key);
  if (std::any_of(begin, end, [&](const auto& place) { return place.second == at.offset; })) return;
  part.places.emplace(key, at.offset);
  part.oldest.emplace_back(key, at.offset);
  if (part.oldest.size() <= most_each_) return;
  const auto [first, last] = part.places.equal_range(part.oldest.front().first);
  const auto gone = std::find_if(first, last, [&](const auto& p) { return p.second == part.oldest.front().second; });
  part.places.erase(gone);
  part.oldest.pop_front();
}

std::vector<events::Offset> KeyBook::places(events::Partition partition, KeyHash key) const {
  std::vector<events::Offset> found;
  {
    const std::scoped_lock lock(mutex_);
    const auto [begin, end] = parts_[static_cast<std::size_t>(partition)].places.equal_range(key);
    for (auto at = begin; at != end; ++at) found.push_back(at->second);
  }
  std::sort(found.begin(), found.end());
  if (found.size() > limits_.places)
    found.erase(found.begin(), found.end() - static_cast<std::ptrdiff_t>(limits_.places));
  return found;
}

std::size_t KeyBook::size() const {
  const std::scoped_lock lock(mutex_);
  std::size_t all = 0;
  for (const auto& part : parts_) all += part.oldest.size();
  return all;
}

/// False: there is nothing new now, or the log does not answer.
bool KeyBook::read_on(events::LogClient& log, events::Partition partition, events::LogStatus& status) {
  auto& next = parts_[static_cast<std::size_t>(partition)].next;
  const auto fetched = log.read(events::Stream::commands, partition, next, read_at_once);
  status = fetched.status;
  if (!status.ok() || fetched.next <= next) return false;
  for (const auto& record : fetched.batch.records) {
    const auto source = header(record, "ce_source");
    if (record.key && source.starts_with(front_source))
      note(record.at, hash(*record.key, source, header(record, "ce_id")));
  }
  next = fetched.next;
  return true;
}

void KeyBook::run() {
  std::unique_lock lock(mutex_);
  while (!over_) {
    lock.unlock();
    bool some = false;
    events::LogStatus status;
    for (events::Partition p = 0; p < log_->partitions(); ++p) some = read_on(*log_, p, status) || some;
    lock.lock();
    if (!some) changed_.wait_for(lock, std::chrono::milliseconds(limits_.idle_wait.count), [this] { return over_; });
  }
}

}  // namespace mayfly::tools
