// Adds to a log's index what the log has more, and sees that the two belong together.
#include "tools/replay/log_index_update.h"

#include "events/rules/identity.h"
#include "events/state/snapshot.h"
#include "events/wire/cloudevent_attributes.h"
#include "tools/console/exit_codes.h"
#include "tools/console/output.h"
#include "tools/console/progress.h"
#include "tools/records/each_record.h"
#include "tools/records/record_text.h"
#include "tools/replay/log_index.h"

#include <algorithm>
#include <memory_resource>
#include <utility>

namespace mayfly::tools {

using adapters::IndexBatch;
using adapters::IndexedEnd;
using events::JsonValue;
using events::LogError;
using events::LogStatus;
using events::Partition;
using events::Record;
using events::Stream;

namespace {

constexpr std::size_t most_waiting_rows = 1'000'000;  // held in memory until they are added: 24 bytes each
constexpr Stream indexed[] = {Stream::commands, Stream::events, Stream::deadletters, Stream::alerts};
constexpr std::size_t trace_id_at = 3;
constexpr std::size_t trace_id_bytes = 32;  // https://www.w3.org/TR/trace-context/#traceparent-header

const JsonValue* member(const JsonValue* object, std::string_view name) {
  if (object == nullptr || object->kind != JsonValue::Kind::object) return nullptr;
  const auto found = std::ranges::find(object->members, name, &events::JsonMember::name);
  return found == object->members.end() ? nullptr : &found->value;
}

std::string_view text_of(const JsonValue* object, std::string_view name) {
  const auto* value = member(object, name);
  return value != nullptr && value->kind == JsonValue::Kind::string ? value->text : std::string_view{};
}

std::uint64_t hash_of_record(const Record& record) {
  constexpr std::uint64_t odd = 0x9e37'79b9'7f4a'7c15;  // so that none of the four stands for another
  std::uint64_t hash = hash_in_index(record.value.value_or(events::Bytes{}));
  hash = hash * odd + hash_in_index(record.key.value_or(events::Bytes{}));
  hash = hash * odd + static_cast<std::uint64_t>(record.at.offset);
  return hash * odd + static_cast<std::uint64_t>(record.append_time.ms);
}

/// Sorts a log's records into what the index keeps of them.
class Sorter {
 public:
  explicit Sorter(IndexBatch& batch) : batch_(batch) {}

  void take(Stream stream, const Record& record) {
    if (stream == Stream::commands) return command(record);
    const auto offset = record.at.offset;
    if (stream == Stream::alerts) return of_cart(header(record, "ce_subject"), stream, offset);
    const auto key = record.key.value_or(events::Bytes{});
    of_cart(key, stream, offset);
    if (stream != Stream::events || short_type(record) != "command.dead_lettered") return;
    arena_.release();
    const auto value = reader_.read(record.value.value_or(events::Bytes{}), &arena_);
    const auto about = text_of(value ? &*value : nullptr, "cart_id");  // of a deadline
    if (about != key) of_cart(about, stream, offset);
  }

 private:
  void of_cart(std::string_view cart, Stream stream, events::Offset offset) {
    if (!cart.empty()) batch_.of_carts.push_back({hash_in_index(cart), stream, offset});
  }

  void command(const Record& record) {
    const auto key = record.key.value_or(events::Bytes{});
    of_cart(key, Stream::commands, record.at.offset);
    arena_.release();
    const auto value = reader_.read(record.value.value_or(events::Bytes{}), &arena_);
    const auto* data = value ? &*value : nullptr;
    events::Attributes attributes;
    events::set_from_headers(attributes, record);
    if (value && events::mode_of(record) == events::Mode::structured) {
      const auto envelope = events::from_envelope(*value);
      attributes = envelope.attributes;
      data = envelope.data;
    }
    if (attributes.type == events::ce_type(events::CommandType::clock_tick)) tick(record, data);
    if (!events::is_cart_id(key)) return;
    const auto cart = hash_in_index(key);
    const auto id = [&](std::string_view text) {
      if (!text.empty()) batch_.of_ids.push_back({hash_in_index(text), cart, record.at});
    };
    id(text_of(data, "customer_id"));
    id(text_of(data, "reference"));
    id(attributes.correlation_id.value_or(""));
    const auto trace =
        header(record, "traceparent").empty() ? header(record, "ce_traceparent") : header(record, "traceparent");
    if (trace.size() >= trace_id_at + trace_id_bytes) id(trace.substr(trace_id_at, trace_id_bytes));
    id(attributes.traceparent.value_or(""));
  }

  void tick(const Record& record, const JsonValue* data) {
    const auto* through = member(data, "through");
    const auto number = through != nullptr ? through->integer() : std::nullopt;
    const bool for_all = member(data, "settings") != nullptr || member(data, "release") != nullptr;
    batch_.ticks.push_back({record.at, number.value_or(0), record.append_time, for_all});
  }

  IndexBatch& batch_;
  events::JsonReader reader_;
  std::pmr::monotonic_buffer_resource arena_;
};

/// The command that a position record says comes next.
events::Offset next_in(const std::string& position) {
  const auto read = events::decode_position(position);
  const auto* record = std::get_if<events::PositionRecord>(&read);
  return position.empty() || record == nullptr ? events::no_offset : record->next;
}

LogStatus belongs_to_another() {
  return {LogError::invalid,
          "this index is of another log, or of this one before a copy was put in its place. Remove it to have it made "
          "anew"};
}

}  // namespace

std::uint64_t hash_in_index(std::string_view id) { return events::KeyedHash()(id); }

LogStatus LogIndex::check() {
  const auto& ends = index_.ends();
  if (ends.empty()) return {};
  if (std::ssize(ends) != log_.partitions()) return belongs_to_another();
  for (Partition p = 0; p < log_.partitions(); ++p) {
    for (const auto stream : indexed) {
      const auto& end = ends[static_cast<std::size_t>(p)][static_cast<std::size_t>(stream)];
      const auto there = log_.ends(stream, p);
      if (!there.status.ok()) return there.status;
      if (there.end < end.next) return belongs_to_another();
      if (end.last < there.first) continue;  // of none, or one that is no longer there
      const auto last = log_.read(stream, p, end.last, {1, 1, events::Millis{0}});
      if (!last.status.ok()) return last.status;
      if (last.batch.records.empty() || hash_of_record(last.batch.records.front()) != end.last_hash)
        return belongs_to_another();
    }
  }
  return {};
}

LogStatus LogIndex::behind(std::int64_t& records) {
  records = 0;
  for (Partition p = 0; p < log_.partitions(); ++p) {
    for (const auto stream : indexed) {
      const auto there = log_.ends(stream, p);
      if (!there.status.ok()) return there.status;
      const auto& ends = index_.ends();
      const auto next = ends.empty() ? 0 : ends[static_cast<std::size_t>(p)][static_cast<std::size_t>(stream)].next;
      records += there.end - std::max(next, there.first);
    }
  }
  return {};
}

LogStatus LogIndex::update(const RecordRead& read) {
  auto ends = index_.ends();
  auto positions = index_.positions();
  ends.resize(static_cast<std::size_t>(log_.partitions()));
  positions.resize(ends.size());
  IndexBatch batch;
  Sorter sorter(batch);
  bool any = false;
  // The position first: all commands and events before it are there then.
  for (Partition p = 0; p < log_.partitions(); ++p) {
    const auto at = static_cast<std::size_t>(p);
    auto& state = ends[at][static_cast<std::size_t>(Stream::state)];
    const auto commands = log_.ends(Stream::commands, p);
    if (!commands.status.ok()) return commands.status;
    if (next_in(positions[at]) >= commands.end) continue;  // it cannot have moved
    auto status = each_record_from(log_, Stream::state, p, state.next, [&](const Record& record) {
      any = true;
      state.next = record.at.offset + 1;
      if (record.key == events::position_key && record.value) positions[at] = *record.value;
      return true;
    });
    if (!status.ok()) return status;
  }
  for (Partition p = 0; p < log_.partitions(); ++p) {
    for (const auto stream : indexed) {
      auto& end = ends[static_cast<std::size_t>(p)][static_cast<std::size_t>(stream)];
      LogStatus added;
      const auto status = each_record_from(log_, stream, p, end.next, [&](const Record& record) {
        read();
        any = true;
        sorter.take(stream, record);
        end = {record.at.offset + 1, record.at.offset, hash_of_record(record)};
        const bool full = batch.of_carts.size() + batch.of_ids.size() + batch.ticks.size() >= most_waiting_rows;
        if (full) added = index_.add(batch, ends, positions);
        return added.ok();
      });
      if (!status.ok() || !added.ok()) return status.ok() ? added : status;
    }
  }
  return any ? index_.add(batch, ends, positions) : LogStatus{};
}

std::unique_ptr<adapters::RecordIndex> open_index(const std::string& file, events::LogClient& log, int& exit_code) {
  LogStatus status;
  auto opened = adapters::RecordIndex::open(file, status);
  if (opened) {
    LogIndex index(log, *opened);
    std::int64_t behind = 0;
    status = index.check();
    if (status.ok()) status = index.behind(behind);
    if (status.ok()) {
      Progress progress("records indexed", behind);
      std::int64_t read = 0;
      status = index.update([&] { progress.at(++read); });
    }
    if (status.ok()) return opened;
    status.message = file + ": " + status.message;
  }
  exit_code = complain_of(status);
  return nullptr;
}

std::int64_t LogIndex::commands() const {
  std::int64_t commands = 0;
  for (const auto& of : index_.ends()) commands += of[static_cast<std::size_t>(Stream::commands)].next;
  return commands;
}

}  // namespace mayfly::tools
