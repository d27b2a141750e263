#include "actors/cart_table.h"

#include <cstring>
#include <functional>

namespace mayfly::actors {

void CartEntry::keep(std::string_view id, std::string_view cart, std::string_view session) {
  auto bytes = std::make_unique<char[]>(id.size() + cart.size() + session.size());
  char* end = bytes.get();
  for (auto part : {id, cart, session}) {
    if (!part.empty()) std::memcpy(end, part.data(), part.size());
    end += part.size();
  }
  block = std::move(bytes);
  id_bytes = static_cast<std::uint8_t>(id.size());
  cart_bytes = static_cast<std::uint32_t>(cart.size());
  session_bytes = static_cast<std::uint32_t>(session.size());
}

// Linear probing, at most 70% full, a power of two of slots; removal moves what follows back (no gravestones).

namespace {

std::size_t hash(std::string_view id) { return std::hash<std::string_view>{}(id); }

}  // namespace

std::size_t CartTable::place_of(std::string_view id) const {
  const std::size_t mask = slots_.size() - 1;
  std::size_t at = hash(id) & mask;
  while (slots_[at] && slots_[at]->id() != id) at = (at + 1) & mask;
  return at;
}

CartEntry* CartTable::find(std::string_view id) const { return slots_.empty() ? nullptr : slots_[place_of(id)].get(); }

CartEntry& CartTable::add(std::string_view id) {
  if (static_cast<std::size_t>(size_ + 1) * 10 > slots_.size() * 7) grow();
  auto& slot = slots_[place_of(id)];
  slot = std::make_unique<CartEntry>();
  slot->keep(id, {}, {});
  ++size_;
  return *slot;
}

void CartTable::remove(CartEntry& entry) {
  const std::size_t mask = slots_.size() - 1;
  std::size_t hole = place_of(entry.id());
  slots_[hole].reset();
  --size_;
  for (std::size_t at = (hole + 1) & mask; slots_[at]; at = (at + 1) & mask) {
    const std::size_t home = hash(slots_[at]->id()) & mask;
    if (((at - home) & mask) >= ((at - hole) & mask)) {
      slots_[hole] = std::move(slots_[at]);
      hole = at;
    }
  }
}

void CartTable::grow() {
  auto old = std::move(slots_);
  slots_.clear();
  slots_.resize(old.empty() ? 64 : old.size() * 2);
  for (auto& entry : old) {
    if (entry) slots_[place_of(entry->id())] = std::move(entry);
  }
}

void AwakeOrder::use(CartEntry& entry, events::Timestamp time) {
  auto& awake = *entry.awake;
  awake.last_used = time;
  if (newest_ == &entry) return;
  remove(entry);
  awake.ordered = true;
  awake.older = newest_;
  awake.newer = nullptr;
  if (newest_ != nullptr) newest_->awake->newer = &entry;
  newest_ = &entry;
  if (oldest_ == nullptr) oldest_ = &entry;
  ++size_;
}

void AwakeOrder::remove(CartEntry& entry) {
  auto& awake = *entry.awake;
  if (!awake.ordered) return;
  (awake.older != nullptr ? awake.older->awake->newer : oldest_) = awake.newer;
  (awake.newer != nullptr ? awake.newer->awake->older : newest_) = awake.older;
  awake.newer = awake.older = nullptr;
  awake.ordered = false;
  --size_;
}

}  // namespace mayfly::actors
