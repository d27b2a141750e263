// The replayed partition's state to look at, and as the records of the state stream: a checkpoint, and the way back.
#include "tools/replay/replay_partition.h"

#include "events/rules/identity.h"

#include <algorithm>

namespace mayfly::tools {

using namespace events;

std::string read_snapshot(std::string_view bytes, ReplayedCart& into) {
  const std::string id(into.cart.id);
  const auto split = split_snapshot(bytes);
  if (const auto* wrong = std::get_if<Unsupported>(&split)) return wrong->message;
  const auto& parts = std::get<SnapshotParts>(split);
  auto cart = decode_cart(id, parts.cart, std::pmr::get_default_resource());
  if (const auto* wrong = std::get_if<Unsupported>(&cart)) return wrong->message;
  into.cart = std::get<Cart>(std::move(cart));
  into.wait = parts.wait;
  into.trouble = parts.trouble;
  if (parts.session.empty()) return {};
  auto session = decode_session(parts.session, std::pmr::get_default_resource());
  if (const auto* wrong = std::get_if<Unsupported>(&session)) return wrong->message;
  into.session = std::get<Session>(std::move(session));
  return {};
}

const ReplayedCart* ReplayedPartition::find(std::string_view cart_id) const {
  const auto found = carts_.find(cart_id);
  return found == carts_.end() ? nullptr : &found->second;
}

std::optional<Ended> ReplayedPartition::epitaph(std::string_view cart_id) const {
  return epitaphs_.find(hash_of(cart_id));
}

void ReplayedPartition::each_cart(const std::function<void(const ReplayedCart&)>& f) const {
  std::vector<const ReplayedCart*> all;
  all.reserve(carts_.size());
  for (const auto& [id, cart] : carts_) all.push_back(&cart);
  std::sort(all.begin(), all.end(), [](const auto* a, const auto* b) { return a->cart.id < b->cart.id; });
  for (const auto* cart : all) f(*cart);
}

void ReplayedPartition::save(const std::function<void(std::string_view, std::string_view)>& write) {
  for (const auto& [id, cart] : carts_) write(id, snapshot_of(cart));
  epitaphs_.take_dirty_pages(write);
  std::string position;
  append_position(position, position_);
  write(position_key, position);
}

std::string ReplayedPartition::restore(std::string_view key, std::string_view value) {
  if (key == position_key) {
    const auto read = decode_position(value);
    if (const auto* wrong = std::get_if<Unsupported>(&read)) return wrong->message;
    position_ = std::get<PositionRecord>(read);
    return {};
  }
  if (Epitaphs::is_page_key(key)) {
    const auto wrong = epitaphs_.restore_page(key, value);
    return wrong ? wrong->message : std::string{};
  }
  auto& live = carts_.try_emplace(std::string(key), key).first->second;
  if (auto wrong = read_snapshot(value, live); !wrong.empty()) return wrong;
  if (live.session) ++sessions_;
  list(live);
  return {};
}

std::string ReplayedPartition::restored() {
  const auto wrong = epitaphs_.restored(position_.ticked);
  if (change_settings_) change_settings_(position_.settings);
  return wrong ? wrong->message : std::string{};
}

}  // namespace mayfly::tools
