#include "events/state/epitaphs.h"

#include "events/text/number.h"
#include "events/text/precondition.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <limits>
#include <stdexcept>
#include <string>

namespace mayfly::events {

namespace {

constexpr int place_bits = 19;
constexpr std::uint32_t place_mask = (std::uint32_t{1} << place_bits) - 1;
constexpr std::string_view key_prefix = "\001e";

/// Where a hash is looked for first. SHA-256 bits need no more mixing.
std::uint64_t home_of(const CartHash& hash) {
  std::uint64_t bits;
  std::memcpy(&bits, hash.data(), sizeof bits);
  return bits;
}

/// Other bits of the hash, so that a slot seldom has to be followed in vain.
std::uint32_t tag_of(const CartHash& hash) {
  std::uint32_t bits;
  std::memcpy(&bits, hash.data() + 8, sizeof bits);
  return bits << place_bits;
}

std::int64_t place_in(std::uint32_t slot) { return std::int64_t{slot & place_mask} - 1; }

std::uint8_t one_byte(int number) { return static_cast<std::uint8_t>(std::clamp(number, 0, 255)); }

std::size_t ring_of(const Ended& ended) { return ended.newest_session > 0 ? 0 : 1; }

std::uint8_t outcome_of(const Ended& ended) {
  return static_cast<std::uint8_t>(static_cast<int>(ended.outcome) | (ended.further << further_shift & further_bits));
}

}  // namespace

Epitaphs::Epitaphs(std::int64_t with_session, std::int64_t without_session, std::pmr::memory_resource* memory)
    : rings_{EpitaphRing(with_session, memory), EpitaphRing(without_session, memory)}, index_(memory) {
  if (with_session + without_session > place_mask) throw std::invalid_argument("epitaphs: more than 524,287");
}

// --- what the rules ask ----------------------------------------------------------------------------------------------

std::optional<Ended> Epitaphs::find(const CartHash& hash) const {
  const auto place = place_of(hash);
  if (!place) return std::nullopt;
  const auto& found = at_place(*place);
  return Ended{found.created,
               static_cast<CartOutcome>(found.outcome & outcome_bits),
               found.order_session,
               found.newest_session,
               found.newest_reservation,
               (found.outcome & further_bits) >> further_shift};
}

bool Epitaphs::may_go_out(const CartHash& hash, std::int64_t n) const {
  const auto place = place_of(hash);
  if (!place) return false;
  const std::size_t which = *place < first_place(1) ? 0 : 1;
  const auto& ring = rings_[which];
  return ring.end() + n > ring.ordinal_at(*place - first_place(which)) + ring.capacity();
}

void Epitaphs::add(const CartHash& hash, const Ended& ended, Timestamp time) {
  precondition(!place_of(hash), "Epitaphs::add: the cart has no epitaph yet");
  const auto which = ring_of(ended);
  auto& ring = rings_[which];
  if (ring.full()) {
    drop_oldest(which);
    ++evicted_;
  }
  const auto ended_s = std::clamp<std::int64_t>(time.ms / 1000, 0, std::numeric_limits<std::uint32_t>::max());
  const auto place = first_place(which) + ring.place_of(ring.end());
  ring.push({hash, ended.created, static_cast<std::uint32_t>(ended_s), outcome_of(ended), one_byte(ended.order_session),
             one_byte(ended.newest_session), one_byte(ended.newest_reservation)});
  index(hash, place);
  drop_old(which);
}

void Epitaphs::forget(Timestamp ticked) {
  ticked_s_ = std::max(ticked_s_, ticked.ms / 1000);
  drop_old(0);
  drop_old(1);
  const auto slots = static_cast<std::int64_t>(index_.size());
  if (slots > per_page && size() * 8 < slots) rebuild_index();
}

std::int64_t Epitaphs::size() const { return rings_[0].size() + rings_[1].size(); }

std::int64_t Epitaphs::bytes() const {
  return rings_[0].bytes() + rings_[1].bytes() + static_cast<std::int64_t>(index_.capacity() * sizeof(std::uint32_t));
}

void Epitaphs::drop_oldest(std::size_t which) {
  auto& ring = rings_[which];
  unindex(ring.oldest().hash, first_place(which) + ring.place_of(ring.begin()));
  ring.pop();
}

/// Keeps true: the oldest of a ring is not old. One that came out of order, behind a younger one, waits for its turn;
/// meanwhile it is not found.
void Epitaphs::drop_old(std::size_t which) {
  while (rings_[which].size() > 0 && is_forgotten(rings_[which].oldest(), ticked_s_)) drop_oldest(which);
}

// --- the index -------------------------------------------------------------------------------------------------------

const Epitaph& Epitaphs::at_place(std::int64_t place) const {
  return place < first_place(1) ? rings_[0].at_place(place) : rings_[1].at_place(place - first_place(1));
}

std::optional<std::int64_t> Epitaphs::place_of(const CartHash& hash) const {
  if (index_.empty()) return std::nullopt;
  const auto slot = index_[slot_of(hash)];
  if (slot == 0 || is_forgotten(at_place(place_in(slot)), ticked_s_)) return std::nullopt;
  return place_in(slot);
}

/// The slot that has that hash, else the free one where it belongs. Precondition: there is an index, with a free slot.
std::size_t Epitaphs::slot_of(const CartHash& hash) const {
  precondition(indexed_ < static_cast<std::int64_t>(index_.size()), "Epitaphs::slot_of: the index has a free slot");
  const auto mask = index_.size() - 1;
  auto at = home_of(hash) & mask;
  for (; index_[at] != 0; at = (at + 1) & mask) {
    const bool tag_fits = (index_[at] & ~place_mask) == tag_of(hash);
    if (tag_fits && at_place(place_in(index_[at])).hash == hash) break;
  }
  return at;
}

void Epitaphs::index(const CartHash& hash, std::int64_t place) {
  const auto most = static_cast<std::int64_t>(index_.size()) * 3 / 4;
  if (indexed_ >= most) return rebuild_index();  // finds the new one in its ring
  auto& slot = index_[slot_of(hash)];
  if (slot == 0) ++indexed_;
  slot = tag_of(hash) | static_cast<std::uint32_t>(place + 1);
}

/// Takes the slot of that place out, if it has one; the slots behind move up, so that no search ends too early.
void Epitaphs::unindex(const CartHash& hash, std::int64_t place) {
  const auto mask = index_.size() - 1;
  auto hole = slot_of(hash);
  if (index_[hole] == 0 || place_in(index_[hole]) != place) return;
  for (auto next = (hole + 1) & mask; index_[next] != 0; next = (next + 1) & mask) {
    const auto home = home_of(at_place(place_in(index_[next])).hash);
    if (((next - home) & mask) < ((next - hole) & mask)) continue;  // its home lies behind the hole
    index_[hole] = index_[next];
    hole = next;
  }
  index_[hole] = 0;
  --indexed_;
}

/// Makes an index between three eighths (but for the least) and three quarters full.
void Epitaphs::rebuild_index() {
  const auto slots = std::bit_ceil(static_cast<std::uint64_t>(size()) * 4 / 3 + 2);
  std::pmr::vector<std::uint32_t>(index_.get_allocator()).swap(index_);
  index_.resize(slots);
  indexed_ = 0;
  for (std::size_t which = 0; which < rings_.size(); ++which) {
    const auto& ring = rings_[which];
    for (auto ordinal = ring.begin(); ordinal < ring.end(); ++ordinal) {
      const auto place = ring.place_of(ordinal);
      const auto& epitaph = ring.at_place(place);
      if (!is_forgotten(epitaph, ticked_s_)) index(epitaph.hash, first_place(which) + place);
    }
  }
}

// --- pages -----------------------------------------------------------------------------------------------------------

void Epitaphs::take_dirty_pages(const std::function<void(std::string_view, std::string_view)>& write) {
  std::int64_t first_slot = 0;
  for (auto& ring : rings_) {
    ring.take_dirty_pages([&](std::int64_t page, std::string_view bytes) {
      write(std::string(key_prefix) + std::to_string(first_slot + page), bytes);
    });
    first_slot += ring.page_count();
  }
}

bool Epitaphs::is_page_key(std::string_view key) { return key.starts_with(key_prefix); }

std::optional<Unsupported> Epitaphs::restore_page(std::string_view key, std::string_view bytes) {
  const auto digits = key.substr(std::min(key.size(), key_prefix.size()));
  auto slot = number_in<std::int64_t>(digits).value_or(-1);
  const bool whole = slot >= 0;
  for (auto& ring : rings_) {
    if (whole && slot < ring.page_count()) return ring.restore_page(slot, bytes);
    slot -= ring.page_count();
  }
  return Unsupported{"this program has no page of epitaphs '" + std::string(digits) +
                     "'. Run the Mayfly that wrote it."};
}

std::optional<Unsupported> Epitaphs::restored(Timestamp ticked) {
  ticked_s_ = ticked.ms / 1000;
  for (auto& ring : rings_) {
    if (auto incomplete = ring.restored()) return incomplete;
    while (ring.size() > 0 && is_forgotten(ring.oldest(), ticked_s_)) ring.pop();
  }
  rebuild_index();
  return std::nullopt;
}

}  // namespace mayfly::events
