#include "tools/front_door/event_feed.h"

#include "events/rules/identity.h"
#include "tools/front_door/http_words.h"
#include "tools/records/record_text.h"

#include <algorithm>

namespace mayfly::tools {

namespace {

using adapters::HttpAnswer;

/// Of one partition at a time, so that none waits long for the others.
constexpr events::PollLimits read_some{500, 262'144, events::Millis{0}};
constexpr std::string_view retry_text = "retry: 1000\n";  // ms until a client asks again that has lost its connection
constexpr const char* retry_after_s = "5";

HttpAnswer later(std::string_view code, std::string_view detail) {
  auto answer = problem(503, code, detail);
  answer.headers.emplace_back("Retry-After", retry_after_s);
  return answer;
}

/// The events between the client's place and the log's begin are gone; it is told so.
std::string gap_event(events::Position at, events::Offset first, std::string_view id) {
  std::string data = "{\"partition\":" + std::to_string(at.partition);
  data += ",\"from\":" + std::to_string(at.offset);
  data += ",\"to\":" + std::to_string(first) + "}";
  return feed_event("gap", id, data);
}

}  // namespace

EventFeed::EventFeed(std::unique_ptr<events::LogClient> log, EventFeedLimits limits)
    : limits_(limits), log_(std::move(log)), thread_([this] { run(); }) {}

EventFeed::~EventFeed() {
  {
    const std::scoped_lock lock(mutex_);
    over_ = true;
  }
  changed_.notify_all();
  thread_.join();
  for (const auto& reader : readers_) reader.stream->finish();
}

void EventFeed::open(std::string caller, FeedRequest asked, adapters::HttpReply reply) {
  {
    const std::scoped_lock lock(mutex_);
    if (!over_ && arriving_.size() < limits_.streams) {
      arriving_.push_back({std::move(caller), std::move(asked), std::move(reply)});
      changed_.notify_all();
      return;
    }
  }
  reply(later("too_many_streams", "too many ask for a stream at once"));
}

void EventFeed::run() {
  bool found = false;
  for (;;) {
    std::vector<Arriving> arrived;
    {
      std::unique_lock lock(mutex_);
      const auto called = [this] { return over_ || !arriving_.empty(); };
      if (readers_.empty())
        changed_.wait(lock, called);
      else if (!found)
        changed_.wait_for(lock, std::chrono::milliseconds(limits_.idle_wait.count), called);
      if (over_) return;
      arrived.swap(arriving_);
    }
    readers_.remove_if([](const Reader& reader) { return !reader.stream->open(); });
    for (auto& one : arrived) begin(std::move(one));
    streams_ = readers_.size();
    found = read_on();
    send_heartbeats();
  }
}

void EventFeed::begin(Arriving&& one) {
  const auto of_caller =
      std::count_if(readers_.begin(), readers_.end(), [&](const Reader& r) { return r.caller == one.caller; });
  if (readers_.size() >= limits_.streams)
    return one.reply(later("too_many_streams", "as many streams as may be are open"));
  if (static_cast<std::size_t>(of_caller) >= limits_.streams_per_caller)
    return one.reply(later("too_many_streams", "as many streams as one caller may have are open"));
  Reader reader;
  reader.caller = std::move(one.caller);
  reader.stream = std::make_shared<adapters::HttpStream>();
  auto answer = begin_at(one.asked, reader);
  reader.asked = std::move(one.asked);
  if (answer.stream) readers_.push_back(std::move(reader));
  one.reply(std::move(answer));
}

/// Sets where the reader begins. The first that a client gets is its place, so that it loses nothing from now on.
HttpAnswer EventFeed::begin_at(const FeedRequest& asked, Reader& reader) {
  std::vector<events::Partition> partitions;
  if (!asked.cart.empty()) {
    partitions.push_back(events::partition_of(asked.cart, log_->partitions()));
  } else {
    for (events::Partition p = 0; p < log_->partitions(); ++p) partitions.push_back(p);
  }
  std::vector<std::pair<events::Position, events::Offset>> gaps;
  for (const auto partition : partitions) {
    const auto ends = log_->ends(events::Stream::events, partition);
    if (!ends.status.ok()) return later("log_unavailable", ends.status.message);
    events::Position at{partition, asked.from_begin ? ends.first : ends.end};
    if (asked.after) {
      const auto known = std::find_if(asked.after->begin(), asked.after->end(),
                                      [&](const events::Position& p) { return p.partition == partition; });
      if (known == asked.after->end() || known->offset > ends.end)
        return problem(400, "last_event_id_invalid", "Last-Event-ID is of another stream or another log");
      at.offset = std::max(known->offset, ends.first);
      if (known->offset < ends.first) gaps.emplace_back(*known, ends.first);
    }
    reader.next.push_back(at);
  }
  const auto id = feed_id(reader.next);
  std::string begin(retry_text);
  begin += feed_heartbeat(id);
  for (const auto& [at, first] : gaps) begin += gap_event(at, first, id);
  reader.stream->write(begin);
  reader.heartbeat_at = Steady::now() + std::chrono::milliseconds(limits_.heartbeat.count);
  HttpAnswer answer{200, "text/event-stream", {}};
  answer.headers.emplace_back("X-Accel-Buffering", "no");  // nginx would keep it back
  answer.stream = adapters::HttpStream::to_send(reader.stream);
  return answer;
}

/// A piece of each partition for those that have room for it; false where there was nothing new.
bool EventFeed::read_on() {
  std::map<std::pair<events::Partition, events::Offset>, std::vector<std::pair<Reader*, events::Position*>>> places;
  for (auto& reader : readers_) {
    if (reader.stream->unsent_bytes() >= limits_.unsent_bytes) continue;
    for (auto& next : reader.next) places[{next.partition, next.offset}].emplace_back(&reader, &next);
  }
  bool found = false;
  for (const auto& [place, readers] : places) {
    const auto fetched = log_->read(events::Stream::events, place.first, place.second, read_some);
    if (!fetched.status.ok()) continue;  // tried again at the next look
    for (const auto& [reader, next] : readers) tell(*reader, *next, fetched);
    found = found || !fetched.batch.records.empty();
  }
  return found;
}

/// Until its stream is full: the rest is read again for it.
void EventFeed::tell(Reader& reader, events::Position& next, const events::Fetched& fetched) {
  for (const auto& record : fetched.batch.records) {
    if (reader.stream->unsent_bytes() >= limits_.unsent_bytes) return;
    next.offset = record.at.offset + 1;
    if (!reader.asked.wants(record)) continue;
    reader.stream->write(feed_event(short_type(record), feed_id(reader.next), as_ndjson(record)));
    reader.heartbeat_at = Steady::now() + std::chrono::milliseconds(limits_.heartbeat.count);
  }
  next.offset = fetched.next;
}

void EventFeed::send_heartbeats() {
  const auto now = Steady::now();
  for (auto& reader : readers_) {
    if (now < reader.heartbeat_at || reader.stream->unsent_bytes() >= limits_.unsent_bytes) continue;
    reader.stream->write(feed_heartbeat(feed_id(reader.next)));
    reader.heartbeat_at = now + std::chrono::milliseconds(limits_.heartbeat.count);
  }
}

}  // namespace mayfly::tools
