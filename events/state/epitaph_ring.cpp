#include "events/state/epitaph_ring.h"

#include "events/rules/settings.h"
#include "events/state/snapshot_layout.h"
#include "events/text/precondition.h"

#include <algorithm>
#include <cstring>
#include <stdexcept>

namespace mayfly::events {

namespace {

constexpr std::uint64_t newest_page = 1;
constexpr std::string_view a_page = "the page of epitaphs";
constexpr std::uint64_t most_ordinals = std::uint64_t{1} << 60;

void put(ByteWriter& to, const Epitaph& epitaph) {
  for (const auto byte : epitaph.hash) to.fixed(byte, 1);
  to.fixed(static_cast<std::uint64_t>(epitaph.created), 8);
  to.fixed(epitaph.ended_s, 4);
  for (const auto byte : {epitaph.outcome, epitaph.order_session, epitaph.newest_session, epitaph.newest_reservation}) {
    to.fixed(byte, 1);
  }
}

Epitaph take_epitaph(ByteReader& in) {
  Epitaph epitaph;
  for (auto& byte : epitaph.hash) byte = static_cast<unsigned char>(in.fixed(1));
  epitaph.created = static_cast<Offset>(in.fixed(8));
  epitaph.ended_s = static_cast<std::uint32_t>(in.fixed(4));
  for (auto* byte : {&epitaph.outcome, &epitaph.order_session, &epitaph.newest_session, &epitaph.newest_reservation}) {
    *byte = static_cast<std::uint8_t>(in.fixed(1));
  }
  const int outcome = epitaph.outcome & outcome_bits;
  if ((epitaph.outcome & ~(outcome_bits | further_bits)) != 0 || epitaph.created < 0) in.fail();
  if (outcome > static_cast<int>(CartOutcome::merged) || (outcome == 0 && epitaph.outcome != 0)) in.fail();
  return epitaph;
}

}  // namespace

bool is_forgotten(const Epitaph& epitaph, std::int64_t at_s) {
  const auto age = epitaph.newest_session > 0 ? limits::epitaph_age_with_session : limits::epitaph_age;
  return epitaph.outcome == 0 || epitaph.ended_s + age.count / 1000 < at_s;
}

EpitaphRing::EpitaphRing(std::int64_t capacity, std::pmr::memory_resource* memory)
    : capacity_(capacity), pages_(memory) {
  if (capacity <= 0 || capacity % per_page != 0) throw std::invalid_argument("epitaphs: capacity in whole pages");
}

std::int64_t EpitaphRing::bytes() const {
  auto sum = pages_.capacity() * sizeof(Page);
  for (const auto& page : pages_) sum += page.capacity() * sizeof(Epitaph);
  return static_cast<std::int64_t>(sum);
}

std::int64_t EpitaphRing::ordinal_at(std::int64_t place) const {
  const auto newest_ordinal = end_ - 1;
  const auto ordinal = newest_ordinal / capacity_ * capacity_ + place;
  const auto found = ordinal <= newest_ordinal ? ordinal : ordinal - capacity_;
  precondition(found >= begin_ && found < end_, "EpitaphRing::ordinal_at: the place holds one that is kept");
  return found;
}

const Epitaph& EpitaphRing::at_place(std::int64_t place) const {
  const auto page = static_cast<std::size_t>(place / per_page);
  precondition(place >= 0 && page < pages_.size() && !pages_[page].empty(), "EpitaphRing::at_place: its page is held");
  return pages_[page][static_cast<std::size_t>(place % per_page)];
}

const Epitaph& EpitaphRing::oldest() const {
  precondition(size() > 0, "EpitaphRing::oldest: the ring is not empty");
  return at_place(place_of(begin_));
}

EpitaphRing::Page& EpitaphRing::page_for(std::int64_t page) {
  const auto at = static_cast<std::size_t>(page);
  if (at >= pages_.size()) pages_.resize(at + 1);
  if (pages_[at].empty()) pages_[at].assign(per_page, Epitaph{});
  return pages_[at];
}

void EpitaphRing::push(const Epitaph& epitaph) {
  precondition(!full(), "EpitaphRing::push: the ring is not full");
  const auto place = place_of(end_);
  page_for(place / per_page)[static_cast<std::size_t>(place % per_page)] = epitaph;
  ++end_;
}

void EpitaphRing::pop() {
  precondition(size() > 0, "EpitaphRing::pop: the ring is not empty");
  ++begin_;
  if (begin_ % per_page != 0) return;
  const bool next_lap_is_in_it = end_ > begin_ - per_page + capacity_;
  if (next_lap_is_in_it) return;
  auto& page = pages_[static_cast<std::size_t>(place_of(begin_ - per_page) / per_page)];
  Page(page.get_allocator()).swap(page);
}

/// `lap_page`: ordinal / per_page, so the page in its newest lap.
void EpitaphRing::append_page(std::string& out, std::int64_t lap_page) const {
  const auto newest_in_it = std::min(end_, (lap_page + 1) * per_page) - 1;
  const auto count = newest_in_it < capacity_ ? newest_in_it % per_page + 1 : per_page;
  const auto& page = pages_[static_cast<std::size_t>(lap_page % page_count())];
  ByteWriter to(out);
  to.fixed(newest_page, 1);
  to.fixed(static_cast<std::uint64_t>(capacity_), 4);
  to.fixed(static_cast<std::uint64_t>(newest_in_it), 8);
  for (std::int64_t i = 0; i < count; ++i) put(to, page.empty() ? Epitaph{} : page[static_cast<std::size_t>(i)]);
}

void EpitaphRing::take_dirty_pages(const std::function<void(std::int64_t, std::string_view)>& write) {
  if (written_ == end_) return;
  const auto last = (end_ - 1) / per_page;
  std::string bytes;
  for (auto lap_page = std::max(written_ / per_page, last - page_count() + 1); lap_page <= last; ++lap_page) {
    bytes.clear();
    append_page(bytes, lap_page);
    write(lap_page % page_count(), bytes);
  }
  written_ = end_;
}

std::optional<Unsupported> EpitaphRing::restore_page(std::int64_t page, std::string_view bytes) {
  if (auto no = layout::check(a_page, bytes, newest_page)) return no;
  auto in = layout::behind_version(bytes);
  const auto capacity = static_cast<std::int64_t>(in.fixed(4));
  const auto newest_in_it = in.fixed(8);
  if (!in.failed() && capacity != capacity_) {
    return Unsupported{std::string(a_page) + " belongs to a queue of " + std::to_string(capacity) +
                       ", this program's has " + std::to_string(capacity_) + ". Run the Mayfly that wrote it."};
  }
  if (in.failed() || newest_in_it >= most_ordinals) return layout::damage(a_page, in, bytes);
  const auto end = static_cast<std::int64_t>(newest_in_it) + 1;
  if (place_of(end - 1) / per_page != page) return layout::damage(a_page, in, bytes);
  const auto count = end <= capacity_ ? (end - 1) % per_page + 1 : per_page;
  auto& taken = page_for(page);
  for (std::int64_t i = 0; i < count; ++i) taken[static_cast<std::size_t>(i)] = take_epitaph(in);
  if (!in.done()) return layout::damage(a_page, in, bytes);
  end_ = std::max(end_, end);
  return std::nullopt;
}

std::optional<Offset> EpitaphRing::oldest_created(std::string_view page, Timestamp ticked) {
  if (layout::check(a_page, page, newest_page)) return 0;
  auto in = layout::behind_version(page);
  (void)in.fixed(4);
  (void)in.fixed(8);
  std::optional<Offset> oldest;
  while (!in.failed() && !in.done()) {
    const auto epitaph = take_epitaph(in);
    if (!is_forgotten(epitaph, ticked.ms / 1000)) oldest = std::min(oldest.value_or(epitaph.created), epitaph.created);
  }
  return in.failed() ? 0 : oldest;
}

std::optional<Unsupported> EpitaphRing::restored() {
  begin_ = std::max<std::int64_t>(0, end_ - capacity_);
  written_ = end_;
  for (auto page = begin_ / per_page; page * per_page < end_; ++page) {
    const auto at = static_cast<std::size_t>(page % page_count());
    if (at >= pages_.size() || pages_[at].empty()) {
      return Unsupported{"page " + std::to_string(at) +
                         " of a queue of epitaphs is missing. Restore the log from a copy "
                         "that is whole, or replay its commands from the beginning."};
    }
  }
  return std::nullopt;
}

}  // namespace mayfly::events
