// What shops, connectors and others send in a history: mostly sensible checkouts of a few carts, with repeats, late and
// wrong words, foreign ticks, garbage. Knows what it sent, not what the engine made of it.
#pragma once

#include "engine/sim/chance.h"
#include "logs/memory_log.h"

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace mayfly::sim {

class Traffic {
 public:
  Traffic(adapters::MemoryStore& store, const events::Clock& clock, Chance& chance);
  /// Appends the next command.
  void send();
  /// Lets every cart out of quarantine.
  void release_all();

 private:
  struct Cart {
    std::string id;
    std::map<std::string, std::pair<int, int>> lines;  // sku: quantity, price
    bool created = false;
    int reservations = 0;
    int sessions = 0;
    int total = 0;  // of the newest checkout
  };
  struct Sent {
    std::string key, id, type, data;
  };
  void shop(Cart&);
  void reply(Cart&);
  void command(const Cart&, std::string_view type, std::string data);
  void append(const Sent&, std::string_view source = "/sim", bool keyed = true);
  void tick();

  adapters::MemoryStore& store_;
  const events::Clock& clock_;
  Chance& chance_;
  std::vector<Cart> carts_;
  std::vector<Sent> sent_;
  int count_ = 0;
};

}  // namespace mayfly::sim
