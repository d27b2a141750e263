// Commands for tests of the engine: what a shop and its connectors would produce, appended to a memory log.
#pragma once

#include "events/rules/identity.h"
#include "events/wire/cloudevent.h"
#include "logs/memory_log.h"

#include <atomic>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace mayfly::testing {

/// A clock that stands still until it is moved, also while others read it.
class SetClock final : public events::Clock {
 public:
  struct Time {
    std::atomic<std::int64_t> ms{1'790'000'000'000};
    Time& operator=(events::Timestamp to) {
      ms = to.ms;
      return *this;
    }
    operator events::Timestamp() const { return {ms}; }
  };
  [[nodiscard]] events::Timestamp now() const override { return time; }
  Time time;
};

/// Appends commands, each with an id of its own unless one is given.
class Shop {
 public:
  explicit Shop(adapters::MemoryStore& store) : store_(store) {}

  void send(std::string_view cart, std::string_view type, std::string_view data, std::string_view id = {}) {
    const std::string own_id = id.empty() ? "test-" + std::to_string(++sent_) : std::string(id);
    const std::string ce_type = "dev.mayfly." + std::string(type) + ".v1";
    const events::Header headers[] = {
        {"ce_specversion", "1.0"}, {"ce_id", own_id}, {"ce_source", "/test"}, {"ce_type", ce_type}};
    store_.append({events::Stream::commands, events::partition_of(cart, store_.partitions()), cart, data, headers});
  }
  /// A tick of the engine named as EngineConfig's default, at `at`, that covers what is there up to `through`.
  void tick(events::Partition partition, events::Timestamp at, events::Offset through) {
    std::string data;
    events::append_tick_data(data, at, through, nullptr, {});
    tick(partition, data);
  }
  void tick(events::Partition partition, std::string_view data, std::string_view source = "/mayfly/mayfly",
            std::optional<std::string_view> key = {}) {
    const events::Header headers[] = {
        {"ce_specversion", "1.0"}, {"ce_id", "tick"}, {"ce_source", source}, {"ce_type", "dev.mayfly.clock.tick.v1"}};
    store_.append({events::Stream::commands, partition, key, data, headers});
  }
  void create(std::string_view cart) { send(cart, "cart.create", R"({"currency":"GBP"})"); }
  void add(std::string_view cart, std::string_view sku, int quantity, int price) {
    send(cart, "cart.add_line",
         R"({"sku":")" + std::string(sku) + R"(","quantity":)" + std::to_string(quantity) + R"(,"unit_price_minor":)" +
             std::to_string(price) + "}");
  }
  void complete(std::string_view cart, int total) {
    send(cart, "checkout.complete",
         R"({"expected_total_minor":)" + std::to_string(total) + R"(,"payment":{"provider":"sim","token":"tok"}})");
  }
  void reserved(std::string_view cart, int n = 1) {
    send(cart, "inventory.reserved", R"({"reservation_id":")" + std::string(cart) + "-r" + std::to_string(n) + "\"}");
  }
  void paid(std::string_view cart, std::string_view type, int total, int n = 1) {
    send(cart, type,
         R"({"session_id":")" + std::string(cart) + "-p" + std::to_string(n) + R"(","reference":"pi","amount_minor":)" +
             std::to_string(total) + R"(,"currency":"GBP"})");
  }
  void whole_checkout(std::string_view cart, int price) {
    create(cart);
    add(cart, "A", 1, price);
    complete(cart, price);
    reserved(cart);
    paid(cart, "payment.authorized", price);
    paid(cart, "payment.captured", price);
  }

 private:
  adapters::MemoryStore& store_;
  int sent_ = 0;
};

/// "type {data}" of each event of a partition, or of one cart.
inline std::vector<std::string> said(const adapters::MemoryStore& store, std::string_view cart = {}) {
  std::vector<std::string> lines;
  for (events::Partition p = 0; p < store.partitions(); ++p) {
    for (const auto& record : store.records(events::Stream::events, p)) {
      if (!cart.empty() && record.key != cart) continue;
      for (const auto& h : record.headers) {
        if (h.name == "ce_type") lines.emplace_back(h.value.substr(11, h.value.size() - 14));
      }
    }
  }
  return lines;
}

/// Everything an engine wrote, byte by byte: events in order, and the newest state per key.
inline std::string written(const adapters::MemoryStore& store) {
  std::string all;
  for (events::Partition p = 0; p < store.partitions(); ++p) {
    for (const auto& record : store.records(events::Stream::events, p)) {
      all.append(record.key.value_or("-")).append("|").append(record.value.value_or("-"));
      for (const auto& h : record.headers) all.append("|").append(h.name).append("=").append(h.value);
      all.append("\n");
    }
    for (const auto& [key, value] : store.state(p))
      all.append(key).append("->").append(value.value_or("-")).append("\n");
  }
  return all;
}

}  // namespace mayfly::testing
