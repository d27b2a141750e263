#include "events/state/footprint.h"

namespace mayfly::events {

namespace {

/// A short text lies in the string itself.
std::int64_t bytes_of(const std::pmr::string& text) {
  static const auto short_text = std::pmr::string().capacity();
  return text.capacity() > short_text ? static_cast<std::int64_t>(text.capacity()) + 1 : 0;
}

template <class T>
std::int64_t bytes_of(const std::pmr::vector<T>& list) {
  return static_cast<std::int64_t>(list.capacity() * sizeof(T));
}

std::int64_t bytes_of(const KeptTenders& tenders) {
  if (!tenders) return 0;
  auto bytes = static_cast<std::int64_t>(sizeof(Tenders)) + bytes_of(tenders->list);
  for (const auto& tender : tenders->list) {
    bytes += bytes_of(tender.provider) + bytes_of(tender.token) + bytes_of(tender.reference);
  }
  return bytes;
}

}  // namespace

CartFootprint footprint(const Cart& cart) {
  CartFootprint f;
  f.id = bytes_of(cart.id) + bytes_of(cart.customer_id) + bytes_of(cart.merge_into);
  f.lines = bytes_of(cart.lines);
  for (const auto& line : cart.lines) f.lines += bytes_of(line.sku) + bytes_of(line.name);
  f.lines += bytes_of(cart.extras);
  for (const auto& more : cart.extras) f.lines += bytes_of(more.line_id) + bytes_of(more.attributes);
  f.adjustments = bytes_of(cart.adjustments);
  for (const auto& adjustment : cart.adjustments) f.adjustments += bytes_of(adjustment.label);
  f.payment = bytes_of(cart.provider) + bytes_of(cart.token) + bytes_of(cart.tenders);
  f.dedupe = bytes_of(cart.remembered);
  return f;
}

std::int64_t footprint(const Session& session) {
  return bytes_of(session.provider) + bytes_of(session.reference) + bytes_of(session.action_url) +
         bytes_of(session.tenders);
}

}  // namespace mayfly::events
