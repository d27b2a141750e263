// Names that are derived, never random, so that a replay finds the same ones (contract.md 4, decisions.md 8.1).
#pragma once

#include "events/log/types.h"
#include "events/rules/command.h"

#include <array>
#include <optional>
#include <string>
#include <string_view>

namespace mayfly::events {

/// 1..128 bytes of UTF-8 without control characters (U+0000..1F, 7F..9F).
[[nodiscard]] bool is_cart_id(std::string_view);

/// An id that is made of a cart's. Precondition: that one is not longer than is_cart_id allows.
class DerivedId {
 public:
  DerivedId(std::string_view begin, std::string_view end);
  DerivedId(std::string_view begin, std::string_view mark, int number);
  operator std::string_view() const { return {bytes_.data(), size_}; }

 private:
  void append(std::string_view);

  std::array<char, limits::cart_id_bytes + 16> bytes_;
  std::size_t size_ = 0;
};

/// "o-" + cart id.
[[nodiscard]] DerivedId order_id(std::string_view cart_id);
/// Cart id + "-p" + number.
[[nodiscard]] DerivedId session_id(std::string_view cart_id, int number);
/// Cart id + "-r" + number.
[[nodiscard]] DerivedId reservation_id(std::string_view cart_id, int number);

/// The number of a session or reservation id of that cart ("-p" or "-r"): 1.., no leading zero; 0 if malformed or
/// of another cart; numbers beyond int saturate (they are beyond every newest anyway).
[[nodiscard]] int session_number(std::string_view id, std::string_view cart_id);
/// Of an id of which it is known that it is that of a session.
[[nodiscard]] int session_number(std::string_view id);
[[nodiscard]] int reservation_number(std::string_view id, std::string_view cart_id);

/// UUID version 5 over engine name, cart id, creating partition-offset, event name, number, amount, joined by line
/// feeds, in namespace 97c51ef5-c368-56a7-b041-eece82576df5 (decisions.md 8.1), as 36 characters. `late`: "late"
/// stands behind the number.
[[nodiscard]] std::array<char, 36> idempotency_key(std::string_view engine, std::string_view cart_id, Position created,
                                                   std::string_view event_name, int number, Minor amount_minor,
                                                   bool late = false);

/// Kafka's murmur2 as its Java client has it (org.apache.kafka.common.utils.Utils.murmur2), for partitions.
[[nodiscard]] std::uint32_t murmur2(std::string_view bytes);
/// (murmur2 & 0x7fffffff) % count. Precondition: count > 0.
[[nodiscard]] Partition partition_of(std::string_view key, std::int32_t count);

/// First 16 bytes of SHA-256(cart id): the name an epitaph has.
using CartHash = std::array<unsigned char, 16>;
[[nodiscard]] CartHash hash_of(std::string_view cart_id);

/// SHA-256 as 64 lower-case hexadecimal digits.
[[nodiscard]] std::string sha256_hex(std::string_view bytes);

/// Keyed 64-bit hash (SipHash-2-4); the key is derived from the engine's name, so that a replay agrees. Keeps a buffer:
/// one thread at a time.
class Fingerprinter {
 public:
  explicit Fingerprinter(std::string_view engine);
  /// Of source + id, and of type + known members.
  [[nodiscard]] Fingerprint of(std::string_view source, std::string_view id, CommandType, const CommandData&);
  /// Of a cart's id: names it where the id itself must not stand.
  [[nodiscard]] std::uint64_t of(std::string_view cart_id) const;

 private:
  std::array<unsigned char, 16> key_;
  std::string bytes_;
};

/// A hash for tables in memory (SipHash-2-4). With a key that nobody outside the process knows, nobody can choose ids
/// that fall into one place.
using HashKey = std::array<unsigned char, 16>;
class KeyedHash {
 public:
  using is_transparent = void;
  explicit KeyedHash(const HashKey& key = {}) : key_(key) {}
  [[nodiscard]] std::uint64_t operator()(std::string_view bytes) const;

 private:
  HashKey key_;
};

/// True when the digits of `text`, spaces and hyphens aside, are a Luhn-valid number of 13..19 digits and there is
/// nothing else in it, or when masking leaves nothing but asterisks and what may stand between them (decisions.md
/// 2.11.5).
[[nodiscard]] bool is_card_number(std::string_view text);
/// False where there are too few digits for one: quick, for what is read with every command.
[[nodiscard]] bool may_hold_card_number(std::string_view text);
/// '0'..'9' for a decimal digit of another script, ' ' for a space, dash, dot or slash beyond ASCII, else '\0'.
[[nodiscard]] char plain_digit_or_gap(char32_t);
/// Free text: replaces by '*' the digits of each Luhn-valid number of 14..19 digits with an issuer's first digits and
/// length, whatever stands before or after it. Digits of other scripts count; up to three spaces, dashes, dots, slashes
/// or line ends may stand between them. It is made of whole groups of digits: a group of 20 or more is no card number.
/// UUIDs, and http and https URLs with a host, are left alone. Looks at each group's next 19 digits, no further.
/// True if anything was masked.
bool mask_card_numbers(std::span<char> text);
/// The same in a record's bytes as they came, JSON or not: escapes are seen as what they stand for. If it begins as
/// JSON, numbers of members `*_minor` and values of `id`, `*_id`, `subject`, `source` and `into` are left alone, and
/// digits of any other number become 9, so that the record can still be parsed. A data_base64 that decodes to bytes
/// with a card number becomes '*' as a whole.
bool mask_card_numbers_in_record(std::span<char> bytes);

}  // namespace mayfly::events
