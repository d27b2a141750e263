#include "events/rules/tenders.h"

#include "events/rules/identity.h"

#include <algorithm>
#include <memory>

namespace mayfly::events {

std::string_view name(TenderState state) {
  switch (state) {
    case TenderState::waiting: return "waiting";
    case TenderState::open: return "open";
    case TenderState::captured: return "captured";
    case TenderState::returned: return "returned";
    case TenderState::unpaid: return "unpaid";
    case TenderState::over: return "over";
  }
  return "";
}

Minor sum_of(std::span<const TenderAsked> tenders) {
  Minor sum = 0;  // of four at most, each within the limit
  for (const auto& tender : tenders) sum += tender.amount_minor;
  return sum;
}

bool any_card_number(std::span<const TenderAsked> tenders) {
  return std::any_of(tenders.begin(), tenders.end(), [](const auto& tender) { return is_card_number(tender.token); });
}

void KeptTenders::keep(const Tenders& tenders, std::pmr::memory_resource* memory) {
  std::pmr::polymorphic_allocator<> allocator(memory);
  auto* kept = allocator.allocate_object<Tenders>();
  try {
    std::construct_at(kept, tenders, memory);
  } catch (...) {
    allocator.deallocate_object(kept);
    throw;
  }
  clear();
  kept_ = kept;
}

void KeptTenders::clear() {
  if (kept_ == nullptr) return;
  std::pmr::polymorphic_allocator<> allocator(kept_->list.get_allocator().resource());
  std::destroy_at(kept_);
  allocator.deallocate_object(kept_);
  kept_ = nullptr;
}

void KeptTenders::forget_tokens() {
  if (kept_ == nullptr) return;
  for (auto& tender : kept_->list) {
    if (tender.state == TenderState::waiting) continue;
    tender.token.clear();
    tender.token.shrink_to_fit();
  }
}

}  // namespace mayfly::events
