#include "events/rules/identity.h"

#include "events/rules/sha1.h"
#include "events/text/appender.h"
#include "events/text/hex.h"
#include "events/text/precondition.h"
#include "events/text/utf8.h"

#include <sodium/crypto_hash_sha256.h>
#include <sodium/crypto_shorthash.h>

#include <charconv>
#include <cstring>
#include <limits>

namespace mayfly::events {

namespace {

int derived_number(std::string_view id, std::string_view cart_id, std::string_view mark) {
  if (!id.starts_with(cart_id) || !id.substr(cart_id.size()).starts_with(mark)) return 0;
  const auto digits = id.substr(cart_id.size() + mark.size());
  if (digits.empty() || digits[0] == '0') return 0;
  int number = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  if (error == std::errc::invalid_argument || end != digits.data() + digits.size() || digits[0] == '-') return 0;
  return error == std::errc::result_out_of_range ? std::numeric_limits<int>::max() : number;
}

/// The members of a command as bytes that differ when any of them does: each with its length before it. What came with
/// contract 1.1 is left out where it is not given, so that the fingerprints of older commands stay.
class Canonical {
 public:
  explicit Canonical(Appender& out) : out_(out) {}
  void operator()(const CartCreate& c) {
    text(c.currency), text(c.customer_id), number(c.expires_after_s.value_or(-1));
  }
  void operator()(const CartAddLine& c) {
    text(c.sku), number(c.quantity), number(c.unit_price_minor), text(c.name), text(c.currency);
    if (c.line_id.empty() && c.per_quantity == 1 && !c.attributes) return;
    text(c.line_id), number(c.per_quantity), number(c.attributes ? 1 : 0), text(c.attributes.value_or(Text{}));
  }
  void operator()(const CartSetLine& c) { (*this)(c.line); }
  void operator()(const CartAssign& c) { text(c.customer_id); }
  void operator()(const CartChangeQuantity& c) {
    text(c.sku), number(c.quantity);
    if (!c.line_id.empty()) text(c.line_id);
  }
  void operator()(const CartRemoveLine& c) {
    text(c.sku);
    if (!c.line_id.empty()) text(c.line_id);
  }
  void operator()(const CartAdjust& c) {
    for (const auto& a : c.adjustments) {
      number(static_cast<int>(a.kind)), text(a.label), number(a.amount_minor);
      if (!a.included && a.sku.empty() && a.line_id.empty()) continue;
      number(a.included ? -1 : -2), text(a.sku), text(a.line_id);  // no kind has such a number
    }
  }
  void operator()(const CartCancel& c) { text(c.reason); }
  void operator()(const CartMerge& c) { text(c.into); }
  void operator()(const CartMergeOffered& c) { text(c.from), number(c.merge); }
  void operator()(const CheckoutComplete& c) {
    number(c.expected_total_minor), number(c.has_payment ? 1 : 0), text(c.provider), text(c.token);
    for (const auto& tender : c.payments) (*this)(tender);
    if (!c.terms.any()) return;
    number(c.terms.on_command ? 1 : 0), number(c.terms.capture_within_s), number(c.terms.settles_within_s);
    number(c.terms.extra_up_to_minor);
  }
  void operator()(const TenderAsked& t) { text(t.provider), text(t.token), number(t.amount_minor); }
  void operator()(const PaymentCapture& c) {
    text(c.session_id), number(c.total_minor ? 1 : 0), number(c.total_minor.value_or(0)), number(c.final ? 1 : 0);
  }
  void operator()(const CheckoutAbandon& c) { text(c.reason); }
  template <class Other>
  void operator()(const Other&) {}

 private:
  void text(Text t) {
    number(static_cast<std::int64_t>(t.size()));
    out_.put(t);
  }
  void number(std::int64_t n) {
    char bytes[sizeof n];
    std::memcpy(bytes, &n, sizeof n);
    out_.put({bytes, sizeof n});
  }
  Appender& out_;
};

/// RFC 4122, 4.3: the digest's first 16 bytes with version and variant, as text.
std::array<char, 36> uuid_text(Sha1 digest) {
  constexpr std::string_view digits = "0123456789abcdef";
  digest[6] = static_cast<unsigned char>((digest[6] & 0x0f) | 0x50);
  digest[8] = static_cast<unsigned char>((digest[8] & 0x3f) | 0x80);
  std::array<char, 36> text;
  std::size_t to = 0;
  for (std::size_t i = 0; i < 16; ++i) {
    if (i == 4 || i == 6 || i == 8 || i == 10) text[to++] = '-';
    text[to++] = digits[digest[i] >> 4];
    text[to++] = digits[digest[i] & 15];
  }
  return text;
}

std::uint32_t little_endian(const char* at) {
  const auto byte = [at](int i) { return std::uint32_t{static_cast<unsigned char>(at[i])}; };
  return byte(0) | byte(1) << 8 | byte(2) << 16 | byte(3) << 24;
}

}  // namespace

bool is_cart_id(std::string_view id) {
  return !id.empty() && std::ssize(id) <= limits::cart_id_bytes && is_plain_text(id);
}

DerivedId::DerivedId(std::string_view begin, std::string_view end) {
  append(begin);
  append(end);
}

DerivedId::DerivedId(std::string_view begin, std::string_view mark, int number) : DerivedId(begin, mark) {
  const auto end = std::to_chars(bytes_.data() + size_, bytes_.data() + bytes_.size(), number).ptr;
  size_ = static_cast<std::size_t>(end - bytes_.data());
}

void DerivedId::append(std::string_view text) {
  precondition(text.size() <= bytes_.size() - size_, "DerivedId: it fits, for the cart's id is not too long");
  size_ += text.copy(bytes_.data() + size_, bytes_.size() - size_);
}

DerivedId order_id(std::string_view cart_id) { return {"o-", cart_id}; }
DerivedId session_id(std::string_view cart_id, int number) { return {cart_id, "-p", number}; }
DerivedId reservation_id(std::string_view cart_id, int number) { return {cart_id, "-r", number}; }

int session_number(std::string_view id) {
  const auto mark = id.rfind("-p");
  return mark == std::string_view::npos ? 0 : session_number(id, id.substr(0, mark));
}
int session_number(std::string_view id, std::string_view cart_id) { return derived_number(id, cart_id, "-p"); }
int reservation_number(std::string_view id, std::string_view cart_id) { return derived_number(id, cart_id, "-r"); }

std::array<char, 36> idempotency_key(std::string_view engine, std::string_view cart_id, Position created,
                                     std::string_view event_name, int number, Minor amount_minor, bool late) {
  constexpr std::string_view name_space = "\x97\xc5\x1e\xf5\xc3\x68\x56\xa7\xb0\x41\xee\xce\x82\x57\x6d\xf5";
  std::string bytes;
  Appender name(bytes);
  name.put(name_space);
  name.put(engine);
  name.put('\n');
  name.put(cart_id);
  name.put('\n');
  name.put_digits(created.partition);
  name.put('-');
  name.put_digits(created.offset);
  name.put('\n');
  name.put(event_name);
  name.put('\n');
  name.put_digits(number);
  if (late) name.put("late");
  name.put('\n');
  name.put_digits(amount_minor);
  return uuid_text(sha1(name.end()));
}

std::uint32_t murmur2(std::string_view bytes) {
  constexpr std::uint32_t m = 0x5bd1e995;
  const auto length = static_cast<std::uint32_t>(bytes.size());
  const auto byte = [&](std::size_t i) { return std::uint32_t{static_cast<unsigned char>(bytes[i])}; };
  std::uint32_t h = 0x9747b28c ^ length;
  std::size_t at = 0;
  for (; at + 4 <= bytes.size(); at += 4) {
    auto k = little_endian(bytes.data() + at);
    k *= m;
    k ^= k >> 24;
    k *= m;
    h = h * m ^ k;
  }
  const std::size_t left = bytes.size() - at;
  if (left == 3) h ^= byte(at + 2) << 16;
  if (left >= 2) h ^= byte(at + 1) << 8;
  if (left >= 1) h = (h ^ byte(at)) * m;
  h ^= h >> 13;
  h *= m;
  h ^= h >> 15;
  return h;
}

Partition partition_of(std::string_view key, std::int32_t count) {
  precondition(count > 0, "partition_of: there are partitions");
  return static_cast<Partition>(murmur2(key) & 0x7fff'ffff) % count;
}

CartHash hash_of(std::string_view cart_id) {
  unsigned char digest[crypto_hash_sha256_BYTES];
  crypto_hash_sha256(digest, reinterpret_cast<const unsigned char*>(cart_id.data()), cart_id.size());
  CartHash hash;
  std::memcpy(hash.data(), digest, hash.size());
  return hash;
}

std::string sha256_hex(std::string_view bytes) {
  unsigned char digest[crypto_hash_sha256_BYTES];
  crypto_hash_sha256(digest, reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size());
  return to_hex({reinterpret_cast<const char*>(digest), sizeof digest});
}

Fingerprinter::Fingerprinter(std::string_view engine) {
  const auto hash = hash_of("mayfly fingerprint\n" + std::string(engine));
  std::memcpy(key_.data(), hash.data(), key_.size());
}

std::uint64_t KeyedHash::operator()(std::string_view bytes) const {
  unsigned char out[crypto_shorthash_BYTES];
  crypto_shorthash(out, reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size(), key_.data());
  std::uint64_t value = 0;
  std::memcpy(&value, out, sizeof value);
  return value;
}

std::uint64_t Fingerprinter::of(std::string_view bytes) const { return KeyedHash(key_)(bytes); }

Fingerprint Fingerprinter::of(std::string_view source, std::string_view id, CommandType type, const CommandData& data) {
  Fingerprint fingerprint;
  Appender out(bytes_);
  bytes_.clear();
  out.put(source);
  out.put('\0');
  out.put(id);
  fingerprint.id = of(out.end());
  bytes_.clear();
  out.put(static_cast<char>(type));
  std::visit(Canonical(out), data);
  fingerprint.body = static_cast<std::uint32_t>(of(out.end()));
  return fingerprint;
}

}  // namespace mayfly::events
