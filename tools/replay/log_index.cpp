// Looking things up in a log's index.
#include "tools/replay/log_index.h"

#include "events/rules/identity.h"
#include "tools/console/parsed_json.h"
#include "tools/records/derived_id.h"
#include "tools/records/record_text.h"
#include "tools/replay/log_index_update.h"

#include <algorithm>
#include <iterator>
#include <set>
#include <utility>

namespace mayfly::tools {

using events::LogError;
using events::LogStatus;
using events::Offset;
using events::Partition;
using events::Position;
using events::Record;
using events::Stream;

namespace {

LogStatus does_not_fit(Stream stream, Position at) {
  return {LogError::corrupt, "the index does not fit the log at " + std::to_string(at.partition) + ":" +
                                 std::to_string(at.offset) + " of " + std::string(events::name(stream))};
}

/// The record that lies there, if one does.
LogStatus read_one(events::LogClient& log, Stream stream, Position at, const std::function<void(const Record&)>& f) {
  const auto fetched = log.read(stream, at.partition, at.offset, {1, 1, events::Millis{0}});
  if (!fetched.status.ok()) return fetched.status;
  if (fetched.batch.records.empty() || fetched.batch.records.front().at != at) return does_not_fit(stream, at);
  f(fetched.batch.records.front());
  return {};
}

}  // namespace

/// Reads a cart's records, and among its commands the ticks that concern it: it asks the partition what it waits for.
class LogIndex::OneCart {
 public:
  OneCart(events::LogClient& log, adapters::RecordIndex& index, const std::string& cart, Offset end)
      : log_(log), index_(index), cart_(cart), partition_(events::partition_of(cart, log.partitions())), end_(end) {}

  LogStatus find() { return index_.find_cart(hash_in_index(cart_), offsets_); }
  [[nodiscard]] bool found() const { return !offsets_[static_cast<std::size_t>(Stream::commands)].empty(); }

  LogStatus each(Stream stream, const std::function<bool(const Record&)>& f) {
    bool more = true;
    for (const auto offset : offsets_[static_cast<std::size_t>(stream)]) {
      bool own = true;
      auto status = read_one(log_, stream, {partition_, offset}, [&](const Record& record) {
        own = is_of(record, stream);
        more = own && f(record);
      });
      if (status.ok() && !own) status = does_not_fit(stream, {partition_, offset});
      if (!status.ok() || !more) return status;
    }
    return {};
  }

  LogStatus each_command(const ReplayedPartition& partition, const std::function<bool(const Record&)>& f) {
    LogStatus status;
    for (const auto offset : offsets_[static_cast<std::size_t>(Stream::commands)]) {
      if (status = ticks_before(std::min(offset, end_), partition, f); !status.ok()) return status;
      bool own = true;
      if (offset == tick_) continue;
      status = read_one(log_, Stream::commands, {partition_, offset}, [&](const Record& record) {
        own = is_of(record, Stream::commands);
        if (own) f(record);
      });
      if (status.ok() && !own) status = does_not_fit(Stream::commands, {partition_, offset});
      if (!status.ok()) return status;
    }
    return ticks_before(end_, partition, f);
  }

 private:
  [[nodiscard]] bool is_of(const Record& record, Stream stream) const {
    return stream == Stream::alerts ? header(record, "ce_subject") == cart_
                                    : record.key == cart_ || short_type(record) == "command.dead_lettered";
  }

  /// Those that change the settings, and those that start or end the cart's wait; where it is not open the last one
  /// too, by whose time an ended cart is forgotten.
  LogStatus ticks_before(Offset end, const ReplayedPartition& partition, const std::function<bool(const Record&)>& f) {
    for (;;) {
      Offset next = events::no_offset;
      auto status = index_.tick_for_all({partition_, tick_}, next);
      const auto* open = partition.find(cart_);
      if (open != nullptr && open->wait.kind != events::WaitKind::none && !open->trouble.quarantined() && status.ok()) {
        Offset of_wait = events::no_offset;
        status = tick_of(open->wait, end, of_wait);
        if (next == events::no_offset || (of_wait != events::no_offset && of_wait < next)) next = of_wait;
      }
      if (!status.ok()) return status;
      if (next == events::no_offset || next >= end) break;
      if (status = take_tick(next, f); !status.ok()) return status;
    }
    if (partition.find(cart_) != nullptr) return {};
    Offset last = events::no_offset;
    auto status = index_.tick_before({partition_, end}, last);
    return status.ok() && last > tick_ ? take_tick(last, f) : status;
  }

  /// The first that starts the wait, or ends it. The one before it, which the index says does not, is looked at.
  LogStatus tick_of(const events::Wait& wait, Offset end, Offset& found) {
    const Position after{partition_, wait.due ? tick_ : std::max(tick_, wait.set_at)};
    auto status = wait.due ? index_.tick_at(after, *wait.due, found) : index_.tick_through(after, wait.set_at, found);
    Offset before = events::no_offset;
    const auto until = found == events::no_offset ? end : std::min(found, end);
    if (status.ok()) status = index_.tick_before({partition_, until}, before);
    if (!status.ok() || before <= after.offset) return status;
    bool fits = true;
    status = read_one(log_, Stream::commands, {partition_, before}, [&](const Record& record) {
      if (wait.due) {
        fits = record.append_time < *wait.due;
      } else if (!short_type(record).empty()) {
        const auto data = parsed_json(record.value.value_or(events::Bytes{}));
        const auto through = data.is_object() ? data.value("through", nlohmann::json()) : nlohmann::json();
        fits = !through.is_number_integer() || through.get<Offset>() < wait.set_at;
      }
    });
    return status.ok() && !fits ? does_not_fit(Stream::commands, {partition_, before}) : status;
  }

  LogStatus take_tick(Offset offset, const std::function<bool(const Record&)>& f) {
    tick_ = offset;
    bool is_tick = true;
    const auto status = read_one(log_, Stream::commands, {partition_, offset}, [&](const Record& record) {
      const auto type = short_type(record);
      is_tick = type == name(events::CommandType::clock_tick) || type.empty();  // in its value, of a structured event
      if (is_tick) f(record);
    });
    return status.ok() && !is_tick ? does_not_fit(Stream::commands, {partition_, offset}) : status;
  }

  events::LogClient& log_;
  adapters::RecordIndex& index_;
  const std::string& cart_;
  Partition partition_;
  Offset end_;
  adapters::RecordIndex::Offsets offsets_;
  Offset tick_ = events::no_offset;  // the last one taken
};

LogStatus LogIndex::find_by_form(const std::string& cart, std::vector<std::string>& carts) {
  adapters::RecordIndex::Offsets offsets;
  auto status = index_.find_cart(hash_in_index(cart), offsets);
  const auto& commands = offsets[static_cast<std::size_t>(Stream::commands)];
  if (!status.ok() || commands.empty()) return status;
  const Position first{events::partition_of(cart, log_.partitions()), commands.front()};
  bool own = false;
  status = read_one(log_, Stream::commands, first, [&](const Record& record) { own = record.key == cart; });
  if (status.ok() && !own) return does_not_fit(Stream::commands, first);
  if (status.ok()) carts.push_back(cart);
  return status;
}

LogStatus LogIndex::carts_of(const std::string& id, std::vector<std::string>& carts) {
  for (const auto& reading : readings_of(id)) {
    auto status = find_by_form(reading.cart, carts);
    if (!status.ok() || !carts.empty()) return status;
  }
  std::vector<Position> commands;
  auto status = index_.find_id(hash_in_index(id), commands);
  std::set<std::string> seen;
  for (const auto& at : commands) {
    if (!status.ok()) return status;
    bool named = false;
    status = read_one(log_, Stream::commands, at, [&](const Record& record) {
      named = record.key && names_id(record, id);
      if (named && seen.emplace(*record.key).second) carts.emplace_back(*record.key);
    });
    if (status.ok() && !named) return does_not_fit(Stream::commands, at);
  }
  return status;
}

LogStatus LogIndex::recorded(Recorded& recorded) {
  const auto partitions = static_cast<std::size_t>(log_.partitions());
  recorded.ends.assign(partitions, 0);
  recorded.position_at.assign(partitions, events::no_offset);
  for (std::size_t p = 0; p < partitions && p < index_.ends().size(); ++p) {
    const auto partition = static_cast<Partition>(p);
    if (!index_.positions()[p].empty()) add_position(index_.positions()[p], {partition, 0}, recorded);
    if (auto status = commands_are_there(log_, partition, recorded); !status.ok()) return status;
  }
  return {};
}

LogStatus LogIndex::timeline(const Recorded& recorded, const std::string& cart, Timeline& timeline) {
  const auto p = events::partition_of(cart, log_.partitions());
  OneCart one(log_, index_, cart, recorded.ends[static_cast<std::size_t>(p)]);
  auto own = recorded;
  auto status = one.find();
  if (status.ok() && !one.found()) status = {LogError::corrupt, "the index does not know cart " + cart};
  std::int64_t said = 0;
  const auto look_at = [&](const Record& event) {
    const auto cause = cause_offset(event);
    if (cause != events::no_offset && cause < recorded.ends[static_cast<std::size_t>(p)]) ++said;
    add_withheld(event, p, own);
    return true;
  };
  if (status.ok()) status = one.each(Stream::events, look_at);
  if (!status.ok()) return status;
  const auto each = [&](Stream stream, const ReplayedPartition& partition, const auto& f) {
    return stream == Stream::commands ? one.each_command(partition, f) : one.each(stream, f);
  };
  status = read_timeline(log_.partitions(), own, each, cart, timeline);
  std::int64_t said_again = 0;
  for (const auto& step : timeline.steps) {
    const auto events = step.find("events");
    if (events != step.end()) said_again += std::ssize(*events);
  }
  if (status.ok() && (timeline.differing > 0 || said_again != said))
    return {LogError::corrupt, "what the commands of cart " + cart + " come to is not what is recorded"};
  return status;
}

}  // namespace mayfly::tools
