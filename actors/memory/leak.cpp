#include "actors/memory/leak.h"

#include "events/wire/json_writer.h"

#include <array>

namespace mayfly::actors {

namespace {

std::string_view what_it_is(LeakKind kind) {
  switch (kind) {
    case LeakKind::growth_per_actor: return "bytes of living actors that their state does not explain";
    case LeakKind::growth_at_constant_actors: return "bytes more, and not for more carts";
    case LeakKind::session_without_end: return "bytes of carts that no deadline will end";
    case LeakKind::blocks_without_actor: return "bytes left behind by what has ended";
    case LeakKind::unaccounted: return "bytes more that no row of the ledger explains";
  }
  return "";
}

std::string duration(std::int64_t s) {
  constexpr std::int64_t minute = 60;
  constexpr std::int64_t hour = 60 * minute;
  if (s < 3 * minute) return std::to_string(s) + " s";
  return s < 3 * hour ? std::to_string(s / minute) + " min" : std::to_string(s / hour) + " h";
}

std::string hash_text(std::uint64_t hash) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string text;
  for (int shift = 60; shift >= 0; shift -= 4) text += digits[hash >> shift & 0xfU];
  return text;
}

}  // namespace

std::string_view name(LeakKind kind) {
  constexpr std::array<std::string_view, 5> names{"growth_per_actor", "growth_at_constant_actors",
                                                  "session_without_end", "blocks_without_actor", "unaccounted"};
  return names[static_cast<std::size_t>(kind)];
}

std::string sentence(const Leak& leak) {
  std::string text(leak.purpose);
  if (leak.ended) {
    text += ": the leak has ended, ";
    text += leak.bytes > 0 ? std::to_string(leak.bytes) + " bytes are still lost." : "nothing of it is left.";
    return text;
  }
  text += ": " + std::to_string(leak.bytes) + " ";
  text += what_it_is(leak.kind);
  text += ", " + std::to_string(leak.bytes_per_s) + " bytes/s";
  if (leak.limit_in_s) text += ", " + duration(*leak.limit_in_s) + " until the limit";
  text += ".";
  if (!leak.profile.empty()) text += " Heap profile: " + leak.profile;
  return text;
}

void append_json(std::string& out, const Leak& leak) {
  events::JsonObject json(out);
  json.text("kind", name(leak.kind));
  json.text("purpose", leak.purpose);
  json.text("owner", leak.owner);
  json.number("begun_ms", leak.begun.ms);
  json.number("bytes", leak.bytes);
  json.number("bytes_per_s", leak.bytes_per_s);
  if (leak.limit_in_s) json.number("limit_in_s", *leak.limit_in_s);
  if (!leak.holders.empty()) {
    json.array("holders", leak.holders, [](events::JsonText& text, const Holder& holder) {
      events::JsonObject one(text);
      one.number("partition", holder.partition);
      if (holder.cart != 0) one.text("cart_hash", hash_text(holder.cart));
      one.close();
    });
  }
  json.text_if("profile", leak.profile);
  json.close();
}

}  // namespace mayfly::actors
