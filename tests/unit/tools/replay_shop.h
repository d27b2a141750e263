// A shop in a memory log with one partition, a clock that the test moves, and an engine that decides when it is told
// to.
#pragma once

#include "actors/engine/engine.h"
#include "events/wire/cloudevent.h"
#include "logs/memory_log.h"
#include "tools/records/command_writer.h"

#include <doctest/doctest.h>

#include <string>

namespace mayfly::tools {

class HandClock final : public events::Clock {
 public:
  [[nodiscard]] events::Timestamp now() const override { return now_; }
  void add(events::Millis length) { now_ = now_ + length; }

 private:
  events::Timestamp now_{1'767'225'600'000};
};

class Shop {
 public:
  HandClock clock;
  adapters::MemoryStore store{1, clock};
  adapters::MemoryClient client{store};
  adapters::MemoryLog log{store};

  void send(const std::string& cart, const std::string& type, const std::string& data) {
    send_as(cart, type, data, "id-" + std::to_string(++ids));
  }
  void send_as(const std::string& cart, const std::string& type, const std::string& data, const std::string& id) {
    CommandWriter out(client);
    OutgoingCommand c;
    c.key = cart;
    c.type = type;
    c.id = id;
    c.source = "/shop";
    c.data = data;
    CHECK(out.write(std::move(c)).ok());
    CHECK(out.flush().ok());
  }
  /// A command that only the engine writes.
  void send_own(const std::string& cart, const std::string& type, const std::string& data) {
    const std::string id = "0-" + std::to_string(++ids) + "-1";
    const std::string ce_type = "dev.mayfly." + type + ".v1";
    const events::Header headers[] = {{"ce_specversion", "1.0"},
                                      {"ce_id", id},
                                      {"ce_source", "/mayfly/mayfly"},
                                      {"ce_type", ce_type},
                                      {"content-type", "application/json"}};
    const events::NewRecord command{events::Stream::commands, 0, cart, data, headers};
    CHECK(client.append({&command, 1}).status.ok());
  }
  /// A tick of the engine's, with settings other than the defaults where they are given.
  void tick_after(events::Millis length, const events::Settings* settings = nullptr) {
    clock.add(length);
    std::string data;
    events::append_tick_data(data, clock.now(), store.ends(events::Stream::commands, 0).end - 1, settings, {});
    const std::string id = "tick-" + std::to_string(++ids);
    const events::Header headers[] = {{"ce_specversion", "1.0"},
                                      {"ce_id", id},
                                      {"ce_source", "/mayfly/mayfly"},
                                      {"ce_type", events::ce_type(events::CommandType::clock_tick)},
                                      {"content-type", "application/json"}};
    const events::NewRecord tick{events::Stream::commands, 0, std::nullopt, data, headers};
    CHECK(client.append({&tick, 1}).status.ok());
  }
  void serve() { CHECK(engine.run_until_caught_up().end == actors::RunEnd::caught_up); }

 private:
  static actors::EngineConfig small_batches() {
    actors::EngineConfig config;
    config.batch_records = 3;
    return config;
  }
  int ids = 0;
  actors::Engine engine{log, clock, small_batches(), nullptr};
};

/// Carts that pay, are declined, wait too long, merge, expire, come twice, and records that nobody can read.
inline void busy_day(Shop& shop) {
  using namespace events;
  constexpr const char* pay = R"({"expected_total_minor":500,"payment":{"provider":"sim","token":"tok_1"}})";
  for (const std::string cart : {"pays", "declined", "silent", "merges", "expires", "stays"}) {
    shop.send(cart, "cart.create", R"({"currency":"GBP","customer_id":"ann"})");
    shop.send(cart, "cart.add_line", R"({"sku":"TEA","quantity":2,"unit_price_minor":250})");
  }
  shop.send("pays", "cart.add_line", R"({"sku":"TEA","quantity":0,"unit_price_minor":250})");
  shop.send_as("pays", "cart.remove_line", R"({"sku":"OUT"})", "again");
  shop.send_as("pays", "cart.remove_line", R"({"sku":"OUT"})", "again");
  shop.send_as("pays", "cart.remove_line", R"({"sku":"OTHER"})", "again");
  shop.send("pays", "cart.add_line", "{no json");
  shop.send("nobody", "cart.cancel", "{}");
  for (const std::string cart : {"pays", "declined", "silent"}) {
    shop.send(cart, "checkout.complete", pay);
    shop.send(cart, "inventory.reserved", R"({"reservation_id":")" + cart + R"(-r1"})");
  }
  shop.send("merges", "cart.merge", R"({"into":"stays"})");
  shop.tick_after(1_s);
  shop.send("pays", "payment.authorized",
            R"({"session_id":"pays-p1","reference":"ref-1","amount_minor":500,"currency":"GBP"})");
  shop.send("declined", "payment.declined", R"({"session_id":"declined-p1","reason":"no","retryable":false})");
  shop.send("pays", "payment.captured",
            R"({"session_id":"pays-p1","reference":"ref-1","amount_minor":500,"currency":"GBP"})");
  shop.serve();
  shop.send("pays", "payment.captured",
            R"({"session_id":"pays-p1","reference":"ref-1","amount_minor":700,"currency":"GBP"})");
  for (int i = 0; i < 8; ++i) shop.tick_after(121_s);
  shop.serve();
  shop.tick_after(25_h);
  shop.tick_after(25_h);
  shop.serve();
}

}  // namespace mayfly::tools
