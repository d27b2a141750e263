// A leak with its name: what an operator is told of it. A plain value; its forms as a sentence and as JSON.
#pragma once

#include "actors/memory/ledger.h"
#include "events/log/types.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace mayfly::actors {

/// What kind of growth it is.
enum class LeakKind : std::uint8_t {
  growth_per_actor,           // a living cart or session takes what its state does not explain
  growth_at_constant_actors,  // a partition, the log or the codec takes what it does not explain; messages pile up
  session_without_end,        // carts, and so their sessions, that no deadline will end
  blocks_without_actor,       // memory of actors that have ended; actors that nobody owns
  unaccounted,                // memory of the process that no row of the ledger explains
};
/// As in "growth_per_actor".
std::string_view name(LeakKind);

struct Leak {
  LeakKind kind = LeakKind::unaccounted;
  std::string_view purpose;  // "cart.lines" and the ledger's other rows; "cart.actor", "messages" ...: a literal
  std::string_view owner;    // kind of its holder: "cart", "session", "partition", "log", "codec", "process"
  std::int64_t bytes = 0;
  std::int64_t bytes_per_s = 0;            // on the mean since it began
  std::optional<std::int64_t> limit_in_s;  // until memory's limit, if it goes on like this
  events::Timestamp begun{};               // the last look before it
  std::vector<Holder> holders;             // a few of perhaps many
  std::string profile;                     // unaccounted: the heap profile's file, or how to get one
  bool ended = false;
};

/// A sentence or two for people; card numbers and cart ids cannot be in it.
[[nodiscard]] std::string sentence(const Leak&);
/// As one JSON object (docs/asyncapi.yaml, Leak).
void append_json(std::string& out, const Leak&);

}  // namespace mayfly::actors
