// State records as bytes (docs/state-format.md): versioned, compact, the same bytes for the same state.
#pragma once

#include "events/rules/cart.h"
#include "events/rules/session.h"
#include "events/rules/settings.h"
#include "events/state/trouble.h"

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>

namespace mayfly::events {

/// The wait of a cart as its snapshot keeps it. due is set once a tick has started the wait; then a snapshot no longer
/// keeps set_at. Lengths beyond 34 years are kept as that.
struct Wait {
  WaitKind kind = WaitKind::none;
  Millis length{};
  Offset set_at = no_offset;  // offset of the record that set it
  std::optional<Timestamp> due;
  bool operator==(const Wait&) const = default;
};

/// Why bytes are not a state record that this program can read; a sentence for a person.
struct Unsupported {
  std::string message;
  bool newer = false;  // whole, it seems, but written by a newer program
};

/// A cart's state record: a header with the wait and what supervision remembers, then the cart, then its open session
/// if any. The three are encoded apart because three actors own them: the partition, the cart, the payment session.
void append_cart(std::string& out, const Cart&);
void append_session(std::string& out, const Session&);
void append_snapshot(std::string& out, const Wait&, std::string_view cart, std::string_view session,
                     const Trouble& = {});

struct SnapshotParts {
  Wait wait;
  Trouble trouble;
  std::string_view cart;
  std::string_view session;  // empty: none is open
};
/// The same into memory of just that size. The parts must not lie in it.
[[nodiscard]] std::size_t snapshot_bytes(std::string_view cart, std::string_view session);
void put_snapshot(std::span<char> to, const Wait&, std::string_view cart, std::string_view session);
/// Another wait in a snapshot, which was split without complaint before; the rest stays. Precondition: it is not empty.
void put_wait(std::span<char> snapshot, const Wait&);
/// The parts of a snapshot that was split without complaint before; nothing of an empty one.
[[nodiscard]] SnapshotParts parts_of(std::string_view snapshot);
[[nodiscard]] std::variant<SnapshotParts, Unsupported> split_snapshot(std::string_view bytes);
/// Of a cart's part, without reading the rest: the offset of the record that created it. Nothing if it is damaged
/// there.
[[nodiscard]] std::optional<Offset> created_offset(std::string_view cart);
/// The id is not in the bytes: it is the record's key.
[[nodiscard]] std::variant<Cart, Unsupported> decode_cart(std::string_view id, std::string_view bytes,
                                                          const CartMemory&);
[[nodiscard]] std::variant<Session, Unsupported> decode_session(std::string_view bytes, std::pmr::memory_resource*);

/// The position record of a partition (decisions.md 8).
struct PositionRecord {
  Offset next = 0;     // next commands offset to decide
  Timestamp ticked{};  // T: highest append time of a valid tick; 0 before the first
  std::int32_t partitions = 0;
  std::string engine;
  Settings settings;
  bool operator==(const PositionRecord&) const = default;
};
inline constexpr std::string_view position_key{"\x01p", 2};
void append_position(std::string& out, const PositionRecord&);
[[nodiscard]] std::variant<PositionRecord, Unsupported> decode_position(std::string_view bytes);

}  // namespace mayfly::events
