#include "engine/sim/traffic.h"

#include "events/rules/identity.h"
#include "events/wire/cloudevent.h"

namespace mayfly::sim {

namespace {

std::string number(const char* name, int value) { return "\"" + std::string(name) + "\":" + std::to_string(value); }

}  // namespace

Traffic::Traffic(adapters::MemoryStore& store, const events::Clock& clock, Chance& chance)
    : store_(store), clock_(clock), chance_(chance) {
  const auto carts = 1 + chance.below(6);
  for (std::size_t i = 0; i < carts; ++i) carts_.push_back({std::string(1, static_cast<char>('a' + i)), {}});
}

void Traffic::send() {
  if (!sent_.empty() && chance_.permille(60)) return append(sent_[chance_.below(sent_.size())]);  // repeated
  if (chance_.permille(15)) return tick();
  auto& cart = carts_[chance_.below(carts_.size())];
  if (chance_.permille(8)) return command(cart, "cart.create", "{");  // unreadable
  if (!cart.created && chance_.permille(850)) {
    cart.created = true;
    return command(cart, "cart.create",
                   chance_.permille(500) ? R"({"currency":"GBP","expires_after_s":600})" : R"({"currency":"GBP"})");
  }
  if (cart.reservations == 0 || chance_.permille(350)) return shop(cart);
  reply(cart);
}

void Traffic::shop(Cart& cart) {
  const auto dice = chance_.below(100);
  const std::string sku(1, static_cast<char>('A' + chance_.below(4)));
  if (dice < 34) {
    const int quantity = 1 + static_cast<int>(chance_.below(3));
    const int price = static_cast<int>(chance_.below(500));
    auto& line = cart.lines[sku];
    line = {line.first + quantity, price};
    return command(
        cart, "cart.add_line",
        "{\"sku\":\"" + sku + "\"," + number("quantity", quantity) + "," + number("unit_price_minor", price) + "}");
  }
  if (dice < 39) {
    cart.lines[sku].first = 2;
    return command(cart, "cart.change_quantity", "{\"sku\":\"" + sku + "\"," + number("quantity", 2) + "}");
  }
  if (dice < 44) {
    cart.lines.erase(sku);
    return command(cart, "cart.remove_line", "{\"sku\":\"" + sku + "\"}");
  }
  if (dice < 47) return command(cart, "cart.adjust", R"({"adjustments":[]})");
  if (dice < 49) return command(cart, "cart.cancel", "{}");
  if (dice < 61) {
    return command(cart, "cart.merge", "{\"into\":\"" + carts_[chance_.below(carts_.size())].id + "\"}");
  }
  if (dice < 64) return command(cart, "cart.create", R"({"currency":"EUR"})");
  cart.total = 0;
  for (const auto& [name, line] : cart.lines) cart.total += line.first * line.second;
  ++cart.reservations;
  const int wrong = chance_.permille(50) ? 1 : 0;
  command(cart, "checkout.complete",
          "{" + number("expected_total_minor", cart.total + wrong) + R"(,"payment":{"provider":"sim","token":"t"}})");
}

void Traffic::reply(Cart& cart) {
  const auto some = [&](int newest) {
    return std::to_string(newest > 0 && chance_.permille(900) ? newest : static_cast<int>(chance_.below(4)));
  };
  const auto dice = chance_.below(100);
  if (dice < 32) {
    ++cart.sessions;
    return command(cart, "inventory.reserved",
                   "{\"reservation_id\":\"" + cart.id + "-r" + some(cart.reservations) + "\"}");
  }
  if (dice < 35) {
    return command(
        cart, "inventory.rejected",
        "{\"reservation_id\":\"" + cart.id + "-r" + some(cart.reservations) + R"(","skus":["A"],"reason":"x"})");
  }
  const std::string session = "{\"session_id\":\"" + cart.id + "-p" + some(cart.sessions) + "\",\"reference\":\"pi\",";
  const int amount = cart.total + (chance_.permille(60) ? static_cast<int>(chance_.below(3)) - 1 : 0);
  const std::string sum = number("amount_minor", amount < 0 ? 0 : amount) + ",\"currency\":\"GBP\"}";
  if (dice < 60) return command(cart, "payment.authorized", session + sum);
  if (dice < 80) return command(cart, "payment.captured", session + sum);
  if (dice < 83) return command(cart, "payment.declined", session + R"("reason":"no","retryable":false})");
  if (dice < 86) return command(cart, "payment.canceled", session + sum);
  if (dice < 89) return command(cart, "payment.refunded", session + sum);
  if (dice < 92) return command(cart, "payment.requires_action", session + R"("url":"https://x"})");
  if (dice < 94) return command(cart, "payment.capture_failed", session + R"("reason":"no","retryable":true})");
  const char* states[] = {"pending", "authorized", "captured", "not_found"};
  command(cart, "payment.status",
          session + "\"state\":\"" + states[chance_.below(4)] + "\"," +
              number("authorized_minor", amount < 0 ? 0 : amount) + R"(,"captured_minor":0,"refunded_minor":0})");
}

void Traffic::command(const Cart& cart, std::string_view type, std::string data) {
  sent_.push_back(
      {cart.id, "s" + std::to_string(++count_), "dev.mayfly." + std::string(type) + ".v1", std::move(data)});
  append(sent_.back());
}

void Traffic::append(const Sent& sent, std::string_view source, bool keyed) {
  const events::Header headers[] = {
      {"ce_specversion", "1.0"}, {"ce_id", sent.id}, {"ce_source", source}, {"ce_type", sent.type}};
  const auto partition = events::partition_of(sent.key, store_.partitions());
  store_.append({events::Stream::commands, partition, keyed ? std::optional<events::Bytes>(sent.key) : std::nullopt,
                 sent.data, headers});
}

/// One that a producer with the engine's source could write: it may start waits early or be out of time. Some have a
/// source that is not taken.
void Traffic::tick() {
  Sent sent{std::string(1, static_cast<char>('a' + chance_.below(6))), "tick", "dev.mayfly.clock.tick.v1", {}};
  const auto at = chance_.permille(100) ? clock_.now() + events::Millis{61'000} : clock_.now();
  if (chance_.permille(300)) {
    events::append_release_data(sent.data, at, carts_[chance_.below(carts_.size())].id);
  } else {
    events::append_tick_data(sent.data, at, static_cast<events::Offset>(chance_.below(60)), nullptr, {});
  }
  append(sent, chance_.permille(200) ? "/sim" : "/mayfly/mayfly", false);
}

void Traffic::release_all() {
  for (const auto& cart : carts_) {
    Sent sent{cart.id, "release", "dev.mayfly.clock.tick.v1", {}};
    events::append_release_data(sent.data, clock_.now(), cart.id);
    append(sent, events::deadletters_source, false);
  }
}

}  // namespace mayfly::sim
