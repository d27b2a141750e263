#include "actors/partition/record_writer.h"

#include "events/log/dead_letter_limits.h"
#include "events/rules/identity.h"
#include "events/wire/cloudevent.h"
#include "events/wire/cloudevent_headers.h"
#include "events/wire/event_json.h"
#include "events/wire/json_writer.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>

namespace mayfly::actors {

namespace {

using events::Header;

/// Copies into the batch's arena.
std::string_view keep(Batch& batch, std::string_view text) {
  if (text.empty()) return {};
  auto* bytes = batch.arena.allocate_text(text.size());
  std::memcpy(bytes, text.data(), text.size());
  return {bytes, text.size()};
}

std::string_view keep(Batch& batch, std::int64_t number) {
  std::array<char, 24> digits;
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), number).ptr;
  return keep(batch, {digits.data(), static_cast<std::size_t>(end - digits.data())});
}

/// The ce_ids of what a record causes: partition "-" offset "-" index (contract.md 3.2).
class CausedIds {
 public:
  explicit CausedIds(events::Position at) {
    auto* end = std::to_chars(text_.data(), text_.data() + text_.size(), at.partition).ptr;
    *end++ = '-';
    end = std::to_chars(end, text_.data() + text_.size(), at.offset).ptr;
    *end++ = '-';
    index_ = end;
  }
  std::string_view keep(Batch& batch, int index) {
    const auto end = std::to_chars(index_, text_.data() + text_.size(), index).ptr;
    return actors::keep(batch, {text_.data(), static_cast<std::size_t>(end - text_.data())});
  }

 private:
  std::array<char, 48> text_;
  char* index_;
};

/// The same with `mark` before the index: of alerts.
std::string_view keep_alert_id(Batch& batch, events::Position at, std::string_view mark, int index) {
  return keep(batch, alert_id(at, mark, index));
}

std::string_view keep_time(Batch& batch, events::Timestamp time) {
  const auto text = events::to_text(time);
  return keep(batch, {text.data(), text.size()});
}

/// Headers that are ids, and traceparents that are some: a dead letter keeps them as they came.
bool is_id(const events::Header& header) {
  if (header.name == "ce_traceparent" || header.name == "traceparent") return events::is_traceparent(header.value);
  static constexpr std::string_view ids[] = {"ce_id", "ce_source", "ce_type", "ce_subject", "ce_causationid"};
  return std::find(std::begin(ids), std::end(ids), header.name) != std::end(ids);
}

std::string_view keep_masked(Batch& batch, std::string_view text) {
  if (text.empty()) return text;
  auto* bytes = const_cast<char*>(keep(batch, text).data());
  events::mask_card_numbers({bytes, text.size()});
  return {bytes, text.size()};
}

/// Masked, then cut: a card number that lies across the cut is seen whole.
std::string_view keep_masked_beginning(Batch& batch, std::string_view value) {
  constexpr std::size_t looked_ahead_bytes = 1024;  // more than a card number takes, escaped
  if (value.empty()) return value;
  value = value.substr(0, events::dead_letter_value_bytes + looked_ahead_bytes);
  auto* masked = const_cast<char*>(keep(batch, value).data());
  events::mask_card_numbers_in_record({masked, value.size()});
  return std::string_view{masked, value.size()}.substr(0, events::dead_letter_value_bytes);
}

/// How many headers, from the first on, a dead letter keeps.
std::size_t headers_kept(std::span<const Header> headers) {
  std::size_t bytes = 0;
  std::size_t count = 0;
  for (const auto& h : headers) {
    bytes += h.name.size() + h.value.size() + events::header_overhead_bytes;
    if (bytes > events::dead_letter_headers_bytes) break;
    ++count;
  }
  return count;
}

std::int64_t bytes_of(std::span<const Header> headers) {
  std::size_t bytes = 0;
  for (const auto& h : headers) bytes += h.name.size() + h.value.size();
  return static_cast<std::int64_t>(bytes);
}

}  // namespace

/// A header list that grows in the arena.
class RecordWriter::Headers {
 public:
  Headers(Batch& batch, std::size_t most)
      : headers_(static_cast<Header*>(batch.arena.allocate(most * sizeof(Header), alignof(Header)))) {}
  void add(std::string_view name, std::string_view value) { new (headers_ + size_++) Header{name, value}; }
  static std::span<const Header> of(Batch& batch, const events::CloudEventHeaders& event) {
    Headers headers(batch, events::CloudEventHeaders::most);
    event.each([&headers](std::string_view name, std::string_view value) { headers.add(name, value); });
    return headers.list();
  }
  [[nodiscard]] std::span<const Header> list() const { return {headers_, size_}; }

 private:
  Header* headers_;
  std::size_t size_ = 0;
};

std::string alert_id(events::Position at, std::string_view mark, std::int64_t occasion) {
  std::string id = std::to_string(at.partition);
  id.append("-").append(std::to_string(at.offset)).append("-").append(mark);
  return id.append("-").append(std::to_string(occasion));
}

void append_alert_data(std::string& out, std::string_view alert, events::Position at, std::string_view message) {
  std::string words(message);
  events::mask_card_numbers(words);
  events::JsonObject json(out);
  json.text("alert", alert);
  json.number("partition", at.partition);
  json.number("offset", at.offset);
  json.text("message", words);
  json.close();
}

RecordWriter::RecordWriter(std::string_view engine) : source_("/mayfly/" + std::string(engine)) {}

std::string_view RecordWriter::keep_record_time(Batch& batch, events::Timestamp time) {
  if (time != time_) time_text_ = events::to_text(time);
  time_ = time;
  return keep(batch, {time_text_.data(), time_text_.size()});
}

void RecordWriter::write_outcome(Batch& batch, const Task& task, int& index, std::int32_t partition_count) {
  const auto& outcome = task.outcome;
  const auto& record = *task.record;
  if (outcome.events.empty() && outcome.sent_to.empty()) return;
  const std::string_view cart_id = keep(batch, task.read.cart_id);
  const std::string_view time = keep_record_time(batch, record.append_time);
  const std::string_view data = keep(batch, outcome.data);
  const int first_index = index;
  CausedIds ids(record.at);
  for (const auto& said : outcome.events) {
    const auto headers = Headers::of(
        batch,
        {.id = ids.keep(batch, index++),
         .source = source_,
         .type = events::ce_type(said.type),
         .subject = cart_id,
         .time = time,
         .sequence = said.sequence != 0 ? keep(batch, static_cast<std::int64_t>(said.sequence)) : std::string_view{},
         .causation_id = task.read.command.id,
         .correlation_id = task.read.correlation_id,
         .traceparent = task.read.traceparent});
    batch.out.push_back(
        {events::Stream::events, batch.partition, cart_id, data.substr(said.begin, said.end - said.begin), headers});
    ++batch.counts.events;
    ++batch.counts.events_by_type[static_cast<std::size_t>(said.type)];
    if (said.code) {
      ++batch.counts.rejections;
      ++batch.counts.rejections_by_code[static_cast<std::size_t>(*said.code)];
    }
  }
  if (!outcome.sent_to.empty()) {
    const std::string_view to = keep(batch, outcome.sent_to);
    const auto headers = Headers::of(batch, {.id = ids.keep(batch, index++),
                                             .source = source_,
                                             .type = events::ce_type(outcome.sent_type),
                                             .subject = to,
                                             .time = time,
                                             .correlation_id = task.read.correlation_id,
                                             .traceparent = task.read.traceparent});
    batch.out.push_back(
        {events::Stream::commands, events::partition_of(to, partition_count), to, keep(batch, outcome.sent), headers});
  }
  if (outcome.concern == events::Concern::payment_unresolved) {
    ++batch.counts.payments_unresolved;
    raise_alert(batch, record, "payment_unresolved", cart_id,
                "Money may be at risk: see this cart's payment.unresolved events.", first_index);
  } else if (outcome.concern == events::Concern::rejected_after_order) {
    raise_alert(batch, record, "reservation_rejected_after_order", cart_id,
                "Inventory refused a reservation whose order is already placed.", first_index);
  } else if (outcome.concern == events::Concern::merge_over) {
    const auto& answer = std::get<events::CartMergeAnswered>(task.read.command.data);
    std::string message = "The lines of a merge stand in this cart, or in what became of it, and in the cart ";
    message.append(answer.from).append(" too.");
    raise_alert(batch, record, "merge_over", cart_id, message, first_index);
  }
}

void RecordWriter::write_dead_letter(Batch& batch, const Task& task, int& index) const {
  const auto& record = *task.record;
  const auto reason = *task.dead_letter;
  const auto type = task.dead_letter_type ? events::name(*task.dead_letter_type) : std::string_view{};
  const std::string_view all_key = record.key.value_or(events::Bytes{});
  const std::string_view all_value = record.value.value_or(events::Bytes{});
  const auto kept = record.headers.first(headers_kept(record.headers));
  const bool value_cut = all_value.size() > events::dead_letter_value_bytes;
  const bool key_cut = all_key.size() > events::dead_letter_key_bytes;
  Headers own(batch, kept.size() + events::cut_headers.size() + 7);
  for (const auto& h : kept) own.add(keep_masked(batch, h.name), is_id(h) ? h.value : keep_masked(batch, h.value));
  if (value_cut || key_cut || kept.size() < record.headers.size()) {
    own.add(events::cut_headers[0], keep(batch, static_cast<std::int64_t>(all_key.size())));
    own.add(events::cut_headers[1], keep(batch, static_cast<std::int64_t>(all_value.size())));
    own.add(events::cut_headers[2], value_cut ? keep(batch, events::sha256_hex(all_value)) : std::string_view{});
    own.add(events::cut_headers[3], keep(batch, bytes_of(record.headers)));
  }
  own.add("mayfly.topic", events::name(events::Stream::commands));
  own.add("mayfly.partition", keep(batch, std::int64_t{record.at.partition}));
  own.add("mayfly.offset", keep(batch, record.at.offset));
  own.add("mayfly.timestamp", keep(batch, record.append_time.ms));
  own.add("mayfly.reason", events::name(reason));
  std::string message{events::sentence(reason)};
  if (!task.dead_letter_about.empty()) {
    message += ' ';
    message += task.dead_letter_about;
  }
  own.add("mayfly.message", keep(batch, message));
  own.add("mayfly.attempts", keep(batch, std::int64_t{task.attempts > 0 ? task.attempts : 1}));
  std::optional<std::string_view> key = record.key;
  if (key_cut) key = all_key.substr(0, events::dead_letter_key_bytes);
  if (key && reason == events::DeadLetterReason::key_invalid) key = keep_masked(batch, *key);
  std::optional<std::string_view> value = record.value;
  if (value) value = keep_masked_beginning(batch, all_value);
  batch.out.push_back({events::Stream::deadletters, batch.partition, key, value, own.list()});
  ++batch.counts.dead_letters;
  ++batch.counts.dead_letters_by_reason[static_cast<std::size_t>(reason)];

  const bool keyed = record.key && events::is_cart_id(*record.key);
  std::string data;
  events::append_dead_lettered_data(data, reason, record.at, type, task.read.command.id,
                                    task.is_deadline() ? task.read.cart_id : std::string_view{});
  const auto headers = Headers::of(batch, {.id = CausedIds(record.at).keep(batch, index++),
                                           .source = source_,
                                           .type = events::ce_type(events::EventType::command_dead_lettered),
                                           .subject = keyed ? *record.key : std::string_view{},
                                           .time = keep_time(batch, record.append_time),
                                           .causation_id = task.read.command.id,
                                           .correlation_id = task.read.correlation_id,
                                           .traceparent = task.read.traceparent});
  batch.out.push_back(
      {events::Stream::events, batch.partition, keyed ? record.key : std::nullopt, keep(batch, data), headers});
  ++batch.counts.events;
  ++batch.counts.events_by_type[static_cast<std::size_t>(events::EventType::command_dead_lettered)];
}

void RecordWriter::write_alert(Batch& batch, const events::Record& record, std::string_view alert,
                               std::string_view cart_id, std::string_view message, int index) const {
  std::string data;
  append_alert_data(data, alert, record.at, message);
  write_alert_data(batch, record, keep_alert_id(batch, record.at, alert, index), cart_id, data);
}

void RecordWriter::raise_alert(Batch& batch, const events::Record& record, std::string_view alert,
                               std::string_view cart_id, std::string_view message, int index) {
  if (rate_.admits(alert, record.append_time)) return write_alert(batch, record, alert, cart_id, message, index);
  ++batch.counts.alerts_held_back;
}

void RecordWriter::write_held_back(Batch& batch, const events::Record& record) {
  rate_.tell(record.append_time, [&](std::string_view name, std::int64_t held) {
    std::string message = std::to_string(held);
    message += " more alerts of this name were held back before this record: more than ";
    message += std::to_string(AlertRate::most);
    message += " came within a minute.";
    std::string data;
    append_alert_data(data, name, record.at, message);
    write_alert_data(batch, record, keep_alert_id(batch, record.at, std::string(name) + "-held", 0), {}, data);
  });
}

void RecordWriter::write_leak(Batch& batch, const events::Record& record, const Leak& leak, int index) const {
  const std::string_view alert = leak.ended ? "leak_ended" : "leak";
  std::string data;
  events::JsonObject json(data);
  json.text("alert", alert);
  json.number("partition", record.at.partition);
  json.number("offset", record.at.offset);
  json.text("message", sentence(leak));
  append_json(json.member("leak"), leak);
  json.close();
  write_alert_data(batch, record, keep_alert_id(batch, record.at, alert, index), {}, data);
}

void RecordWriter::write_alert_data(Batch& batch, const events::Record& record, std::string_view id,
                                    std::string_view cart_id, std::string_view data) const {
  const auto headers = Headers::of(batch, {.id = id,
                                           .source = source_,
                                           .type = events::alert_type,
                                           .subject = keep(batch, cart_id),  // an entry's id moves with the entry
                                           .time = keep_time(batch, record.append_time)});
  batch.out.push_back({events::Stream::alerts, batch.partition, keep(batch, std::int64_t{batch.partition}),
                       keep(batch, data), headers});
}

void RecordWriter::write_state(Batch& batch, std::string_view key, std::string_view value) const {
  batch.out.push_back({events::Stream::state, batch.partition, keep(batch, key), keep(batch, value), {}});
}

void RecordWriter::write_tombstone(Batch& batch, std::string_view key) const {
  batch.out.push_back({events::Stream::state, batch.partition, keep(batch, key), std::nullopt, {}});
}

}  // namespace mayfly::actors
