// Buckets double at two entries each and halve below half a one, so that a peak does not stay.
#include "actors/partition/cart_table.h"

#include "events/text/precondition.h"

#include <cstring>
#include <limits>
#include <new>

namespace mayfly::actors {

namespace {

constexpr std::size_t fewest_buckets = 64;

}  // namespace

CartTable::CartTable(TableMemory memory, events::KeyedHash hash)
    : memory_(memory), hash_(hash), buckets_(memory.route) {}

CartTable::~CartTable() {
  for (auto* entry : buckets_) {
    while (entry != nullptr) free(*std::exchange(entry, entry->next_));
  }
}

CartEntry* CartTable::find(std::string_view id) const {
  if (buckets_.empty()) return nullptr;
  auto* entry = buckets_[place_of(id)];
  while (entry != nullptr && entry->id() != id) entry = entry->next_;
  return entry;
}

CartEntry& CartTable::add(std::string_view id) {
  if (static_cast<std::size_t>(size_) >= 2 * buckets_.size()) {
    resize(buckets_.empty() ? fewest_buckets : 2 * buckets_.size());
  }
  auto& bucket = buckets_[place_of(id)];
  for (const auto* other = bucket; other != nullptr; other = other->next_) {
    events::precondition(other->id() != id, "CartTable::add: the cart is not there");
  }
  auto& entry = make(id, 0);
  entry.next_ = std::exchange(bucket, &entry);
  ++size_;
  return entry;
}

CartEntry& CartTable::keep(CartEntry& old, std::string_view snapshot) {
  auto& entry = make(old.id(), snapshot.size());
  if (!snapshot.empty()) std::memcpy(entry.text() + entry.id_bytes_, snapshot.data(), snapshot.size());
  return replace(old, entry);
}

CartEntry& CartTable::keep(CartEntry& old, const events::Wait& wait, std::string_view cart, std::string_view session) {
  auto& entry = make(old.id(), events::snapshot_bytes(cart, session));
  events::put_snapshot({entry.text() + entry.id_bytes_, entry.snapshot_bytes_}, wait, cart, session);
  return replace(old, entry);
}

void CartTable::remove(CartEntry& entry) {
  *link_to(entry) = entry.next_;
  free(entry);
  --size_;
  if (buckets_.size() > fewest_buckets && static_cast<std::size_t>(size_) < buckets_.size() / 2) {
    resize(buckets_.size() / 2);
  }
}

Awake& CartTable::wake(CartEntry& entry) {
  if (entry.awake == nullptr) {
    entry.awake = new (memory_.awake->allocate(sizeof(Awake), alignof(Awake))) Awake;
    entry.awake->entry = &entry;
    ++awake_count_;
  }
  return *entry.awake;
}

void CartTable::sleep(CartEntry& entry) {
  events::precondition(entry.awake == nullptr || !entry.awake->ordered,
                       "CartTable::sleep: the cart is not in the order of use");
  free_awake(entry);
}

void CartTable::free_awake(CartEntry& entry) {
  if (entry.awake == nullptr) return;
  entry.awake->~Awake();
  memory_.awake->deallocate(entry.awake, sizeof(Awake), alignof(Awake));
  entry.awake = nullptr;
  --awake_count_;
}

/// The pointer that leads to the entry. Precondition: it is in the table.
CartEntry** CartTable::link_to(const CartEntry& entry) {
  auto** link = &buckets_[place_of(entry.id())];
  while (*link != nullptr && *link != &entry) link = &(*link)->next_;
  events::precondition(*link != nullptr, "CartTable: the entry is in the table");
  return link;
}

CartEntry& CartTable::make(std::string_view id, std::size_t snapshot_bytes) {
  events::precondition(id.size() <= std::numeric_limits<std::uint8_t>::max(), "CartTable: the id's length fits a byte");
  const auto bytes = sizeof(CartEntry) + id.size() + snapshot_bytes;
  auto* entry = new (memory_.entries->allocate(bytes, alignof(CartEntry))) CartEntry;
  entry->id_bytes_ = static_cast<std::uint8_t>(id.size());
  entry->snapshot_bytes_ = static_cast<std::uint32_t>(snapshot_bytes);
  std::memcpy(entry->text(), id.data(), id.size());
  entry_bytes_ += static_cast<std::int64_t>(bytes);
  return *entry;
}

CartEntry& CartTable::replace(CartEntry& old, CartEntry& made) {
  *link_to(old) = &made;
  made.next_ = old.next_;
  made.place_in_waits = old.place_in_waits;
  made.place_in_dirty = old.place_in_dirty;
  made.session_too_old = old.session_too_old;
  made.troubled = old.troubled;
  made.awake = std::exchange(old.awake, nullptr);
  if (made.awake != nullptr) made.awake->entry = &made;
  free(old);
  return made;
}

void CartTable::free(CartEntry& entry) {
  free_awake(entry);
  const auto bytes = entry.bytes();
  entry_bytes_ -= static_cast<std::int64_t>(bytes);
  entry.~CartEntry();
  memory_.entries->deallocate(&entry, bytes, alignof(CartEntry));
}

void CartTable::resize(std::size_t buckets) {
  std::pmr::vector<CartEntry*> resized(buckets, nullptr, memory_.route);
  resized.swap(buckets_);
  for (auto* entry : resized) {
    while (entry != nullptr) {
      auto* next = entry->next_;
      auto& bucket = buckets_[hash_(entry->id()) & (buckets - 1)];
      entry->next_ = std::exchange(bucket, entry);
      entry = next;
    }
  }
}

void AwakeOrder::use(Awake& awake, events::Timestamp time) {
  awake.last_used = time;
  if (newest_ == &awake) return;
  remove(awake);
  awake.ordered = true;
  awake.older = newest_;
  awake.newer = nullptr;
  if (newest_ != nullptr) newest_->newer = &awake;
  newest_ = &awake;
  if (oldest_ == nullptr) oldest_ = &awake;
  ++size_;
}

void AwakeOrder::remove(Awake& awake) {
  if (!awake.ordered) return;
  (awake.older != nullptr ? awake.older->newer : oldest_) = awake.newer;
  (awake.newer != nullptr ? awake.newer->older : newest_) = awake.older;
  awake.newer = awake.older = nullptr;
  awake.ordered = false;
  --size_;
}

}  // namespace mayfly::actors
