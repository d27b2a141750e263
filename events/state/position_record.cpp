// The position record of a partition as bytes (docs/state-format.md).
#include "events/state/snapshot_layout.h"

#include <type_traits>

namespace mayfly::events {

namespace {

constexpr std::uint64_t newest_position = 2;
constexpr std::uint64_t without_sources = 1;  // still written where there are none: what logs hold stays the same
constexpr std::string_view a_position = "the partition's position record";

/// Every setting of layout 1 in the order of its bytes; for reading and for writing.
template <class AnySettings, class Visit>
void each_setting(AnySettings& s, Visit&& visit) {
  static_assert(sizeof(Settings) == 440, "a setting more or less: a new layout version, and its place here");
  for (auto* length : {&s.cart_idle, &s.cart_life, &s.reservation_wait, &s.reservation_hold, &s.authorization_wait,
                       &s.pending_wait, &s.refund_wait, &s.action_wait, &s.action_total, &s.capture_wait,
                       &s.cancel_wait, &s.capture_retry[0], &s.capture_retry[1], &s.request_answer, &s.status_try[0],
                       &s.status_try[1], &s.status_try[2], &s.status_try[3], &s.retry_after}) {
    visit(*length);
  }
  visit(s.status_tries);
  visit(s.status_tries_order_placed);
  visit(s.admission_closed);
  visit(s.live_carts);
}

}  // namespace

void append_position(std::string& out, const PositionRecord& record) {
  ByteWriter to(out);
  const bool sources = record.settings.tick_secret != 0 || !record.settings.reply_sources.empty();
  to.fixed(sources ? newest_position : without_sources, 1);
  layout::put(to, record.next);
  layout::put(to, record.ticked.ms);
  layout::put(to, std::int64_t{record.partitions});
  to.text(record.engine);
  each_setting(record.settings, [&to]<class T>(const T& value) {
    if constexpr (std::is_same_v<T, Millis>) {
      layout::put(to, value.count);
    } else {
      layout::put(to, static_cast<std::int64_t>(value));
    }
  });
  if (!sources) return;
  layout::put(to, record.settings.tick_secret);
  to.text(record.settings.reply_sources.text());
}

std::variant<PositionRecord, Unsupported> decode_position(std::string_view bytes) {
  if (auto no = layout::check(a_position, bytes, newest_position)) return *no;
  ByteReader in(bytes);
  const auto version = in.fixed(1);
  PositionRecord record;
  record.next = layout::take_offset(in);
  record.ticked = layout::take_time(in);
  record.partitions = layout::take_int(in);
  record.engine = in.text();
  each_setting(record.settings, [&in]<class T>(T& value) {
    if constexpr (std::is_same_v<T, Millis>) {
      value = layout::take_length(in);
    } else if constexpr (std::is_same_v<T, std::int32_t>) {
      value = layout::take_tries(in);
    } else {
      value = static_cast<T>(in.varint(static_cast<std::uint64_t>(std::numeric_limits<T>::max())));
    }
  });
  if (version != without_sources) {
    record.settings.tick_secret = layout::take_offset(in);
    const auto sources = SourcePatterns::from(in.text());
    if (!sources) in.fail();
    record.settings.reply_sources = sources.value_or(SourcePatterns{});
  }
  if (!in.done()) return layout::damage(a_position, in, bytes);
  return record;
}

}  // namespace mayfly::events
