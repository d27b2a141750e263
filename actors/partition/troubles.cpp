#include "actors/partition/troubles.h"

namespace mayfly::actors {

Troubles::Of& Troubles::of(CartEntry& entry) {
  entry.troubled = true;
  return carts_[std::string(entry.id())];
}

void Troubles::restore(CartEntry& entry, const events::Trouble& trouble) {
  if (trouble.none()) return;
  of(entry).kept = trouble;
  if (trouble.quarantined()) ++quarantined_;
}

events::Trouble Troubles::kept(const CartEntry& entry) const {
  if (!entry.troubled) return {};
  const auto found = carts_.find(entry.id());
  return found == carts_.end() ? events::Trouble{} : found->second.kept;
}

bool Troubles::died(CartEntry& entry, const Intensity& intensity, events::Timestamp at) {
  return of(entry).deaths.count(intensity, at);
}

bool Troubles::quarantine(CartEntry& entry, events::Offset by) {
  auto& kept = of(entry).kept;
  const bool newly = !kept.quarantined();
  kept.add_quarantined(by);
  if (newly) ++quarantined_;
  return newly;
}

void Troubles::forget(CartEntry& entry) {
  if (!entry.troubled) return;
  if (quarantined(entry)) --quarantined_;
  carts_.erase(std::string(entry.id()));
  entry.troubled = false;
}

}  // namespace mayfly::actors
