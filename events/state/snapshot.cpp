// The header of a cart's state record, and what its parts have in common (docs/state-format.md).
#include "events/state/snapshot_layout.h"
#include "events/text/precondition.h"

#include <algorithm>
#include <cstring>
#include <stdexcept>

namespace mayfly::events {

namespace layout {

std::optional<Unsupported> check(std::string_view what, std::string_view bytes, std::uint64_t newest_known) {
  const std::uint64_t version = bytes.empty() ? 0 : static_cast<unsigned char>(bytes.front());
  if (version == 0) return Unsupported{damaged(what, 0, bytes.size())};
  if (version > newest_known) return Unsupported{newer_layout(what, version, newest_known), true};
  return std::nullopt;
}

void put(ByteWriter& to, Currency currency) {
  for (const char letter : currency.code) to.fixed(static_cast<unsigned char>(letter), 1);
}

Currency take_currency(ByteReader& in) {
  Currency currency;
  for (char& letter : currency.code) {
    letter = static_cast<char>(in.fixed(1));
    if (letter < 'A' || letter > 'Z') in.fail();
  }
  return currency;
}

void put(ByteWriter& to, const Terms& terms) {
  to.fixed(terms.on_command ? 1 : 0, 1);
  put(to, terms.capture_within_s);
  put(to, terms.settles_within_s);
  put(to, terms.extra_up_to_minor);
}

Terms take_terms(ByteReader& in) {
  Terms terms;
  const auto on_command = in.fixed(1);
  if (on_command > 1) in.fail();
  terms.on_command = on_command == 1;
  terms.capture_within_s = static_cast<std::int32_t>(take_least(in, 0, limits::capture_within_max_s));
  terms.settles_within_s = static_cast<std::int32_t>(take_least(in, 0, limits::settles_within_max_s));
  terms.extra_up_to_minor = take_least(in, 0, max_amount_minor);
  if (!terms.any() || terms.on_command != (terms.capture_within_s > 0)) in.fail();
  return terms;
}

void put(ByteWriter& to, const Tenders& tenders) {
  put(to, tenders.first);
  to.varint(tenders.list.size());
  for (const auto& tender : tenders.list) {
    to.fixed(static_cast<std::uint64_t>(tender.state), 1);
    for (const auto amount :
         {tender.amount_minor, tender.authorized_minor, tender.captured_minor, tender.refunded_minor}) {
      put(to, amount);
    }
    to.text(tender.provider);
    to.text(tender.token);
    to.text(tender.reference);
  }
}

void take_tenders(ByteReader& in, Tenders& tenders) {
  tenders.first = static_cast<int>(take_least(in, 1, limits::checkouts * limits::tenders));
  const auto count = in.varint(limits::tenders);
  if (count < limits::tenders_min) in.fail();
  for (std::uint64_t i = 0; i < count && !in.failed(); ++i) {
    auto& tender = tenders.list.emplace_back();
    tender.state = in.one_of(TenderState::over);
    tender.amount_minor = take_least(in, 1, max_amount_minor);
    for (auto* amount : {&tender.authorized_minor, &tender.captured_minor, &tender.refunded_minor}) {
      *amount = take_reported(in);
    }
    tender.provider = in.text();
    tender.token = in.text();
    tender.reference = in.text();
    if (tender.refunded_minor > tender.captured_minor) in.fail();
  }
}

}  // namespace layout

namespace {

constexpr std::string_view a_record = "the cart's state record";

// The header: version 1, kind of wait and flags 1, length 5, set_at or due 6, bytes of the cart's part 3. Since
// version 3 what supervision remembers may follow it.
constexpr int length_width = 5, moment_width = 6, cart_bytes_width = 3;
constexpr std::size_t header_bytes = 2 + length_width + moment_width + cart_bytes_width;
constexpr std::uint64_t kind_bits = 0x1f, has_trouble = 0x20, has_session = 0x40, has_started = 0x80;
constexpr std::uint64_t newest_header = 3, without_trouble = 2;
constexpr std::uint64_t failures_bits = 0x0f, is_quarantined = 0x80;

constexpr std::uint64_t most_of(int width) { return (std::uint64_t{1} << (8 * width)) - 1; }

/// What is beyond `width` bytes (lengths of 34 years, the year 10889) becomes the most that fits.
std::uint64_t saturated(std::int64_t value, int width) {
  return std::min(static_cast<std::uint64_t>(std::max<std::int64_t>(value, 0)), most_of(width));
}

void put(ByteWriter& to, const Trouble& trouble) {
  to.fixed(trouble.failures | (trouble.quarantined() ? is_quarantined : 0), 1);
  if (trouble.quarantined()) layout::put(to, trouble.quarantined_by);
  for (std::size_t i = 0; i < trouble.failures; ++i) layout::put(to, trouble.failed[i].ms);
}

Trouble take_trouble(ByteReader& in) {
  Trouble trouble;
  const auto flags = in.fixed(1);
  if ((flags & is_quarantined) != 0) trouble.quarantined_by = layout::take_offset(in);
  const auto failures = flags & failures_bits;
  if (failures > Trouble::most || (flags & ~(failures_bits | is_quarantined)) != 0) in.fail();
  for (std::uint64_t i = 0; i < failures && !in.failed(); ++i) trouble.add_failure(layout::take_time(in));
  if (trouble.none()) in.fail();
  return trouble;
}

}  // namespace

namespace {

/// Writes the header; `trouble`, `session`: one follows.
void put_header(char* to, const Wait& wait, std::size_t cart_bytes, bool trouble, bool session) {
  const bool waits = wait.kind != WaitKind::none;
  const bool started = waits && wait.due;
  const auto put = [&to](std::uint64_t value, int width) {
    for (int i = 0; i < width; ++i) *to++ = static_cast<char>(static_cast<unsigned char>(value >> (8 * i)));
  };
  put(newest_header, 1);
  put(static_cast<std::uint64_t>(wait.kind) | (trouble ? has_trouble : 0) | (session ? has_session : 0) |
          (started ? has_started : 0),
      1);
  put(waits ? saturated(wait.length.count, length_width) : 0, length_width);
  put(waits ? saturated(started ? wait.due->ms : wait.set_at, moment_width) : 0, moment_width);
  put(cart_bytes, cart_bytes_width);
}

}  // namespace

std::size_t snapshot_bytes(std::string_view cart, std::string_view session) {
  if (cart.size() > most_of(cart_bytes_width)) throw std::length_error("a cart's state of 16 MiB or more");
  return header_bytes + cart.size() + session.size();
}

void put_snapshot(std::span<char> to, const Wait& wait, std::string_view cart, std::string_view session) {
  precondition(to.size() == snapshot_bytes(cart, session), "put_snapshot: the parts fill the memory");
  put_header(to.data(), wait, cart.size(), false, !session.empty());
  char* end = to.data() + header_bytes;
  if (!cart.empty()) std::memcpy(end, cart.data(), cart.size());
  if (!session.empty()) std::memcpy(end + cart.size(), session.data(), session.size());
}

void put_wait(std::span<char> snapshot, const Wait& wait) {
  precondition(snapshot.size() >= header_bytes, "put_wait: there is a snapshot");
  const auto parts = parts_of({snapshot.data(), snapshot.size()});
  put_header(snapshot.data(), wait, parts.cart.size(), !parts.trouble.none(), !parts.session.empty());
}

void append_snapshot(std::string& out, const Wait& wait, std::string_view cart, std::string_view session,
                     const Trouble& trouble) {
  const auto begin = out.size();
  out.reserve(begin + snapshot_bytes(cart, session));
  out.resize(begin + header_bytes);
  put_header(out.data() + begin, wait, cart.size(), !trouble.none(), !session.empty());
  if (!trouble.none()) {
    ByteWriter to(out);
    put(to, trouble);
  }
  out.append(cart).append(session);
}

SnapshotParts parts_of(std::string_view snapshot) {
  if (snapshot.empty()) return {};
  auto in = layout::behind_version(snapshot);
  const auto flags = in.fixed(1);
  const auto length = static_cast<std::int64_t>(in.fixed(length_width));
  const auto moment = static_cast<std::int64_t>(in.fixed(moment_width));
  const auto cart_bytes = in.fixed(cart_bytes_width);
  SnapshotParts parts;
  if ((flags & has_trouble) != 0) parts.trouble = take_trouble(in);
  parts.cart = in.view(cart_bytes);
  parts.session = snapshot.substr(in.position());
  const auto kind = static_cast<WaitKind>(flags & kind_bits);
  const bool started = (flags & has_started) != 0;
  if (kind == WaitKind::none) return parts;
  parts.wait = {kind, {length}, started ? no_offset : moment, std::nullopt};
  if (started) parts.wait.due = Timestamp{moment};
  return parts;
}

std::variant<SnapshotParts, Unsupported> split_snapshot(std::string_view bytes) {
  if (auto no = layout::check(a_record, bytes, newest_header)) return *no;
  auto in = layout::behind_version(bytes);
  const auto flags = in.fixed(1);
  (void)in.view(length_width + moment_width);
  const auto cart_bytes = in.fixed(cart_bytes_width);
  const bool troubled = (flags & has_trouble) != 0;
  if (troubled) (void)take_trouble(in);
  (void)in.view(cart_bytes);
  const bool session = in.position() < bytes.size();
  const auto kind = static_cast<WaitKind>(flags & kind_bits);
  const bool too_old = troubled && static_cast<unsigned char>(bytes.front()) <= without_trouble;
  if (in.failed() || too_old || kind > WaitKind::merge || ((flags & has_session) != 0) != session) {
    return layout::damage(a_record, in, bytes);
  }
  const auto parts = parts_of(bytes);
  if (auto no = layout::check(layout::a_cart, parts.cart, layout::newest_cart)) return *no;
  if (parts.session.empty()) return parts;
  if (auto no = layout::check(layout::a_session, parts.session, layout::newest_session)) return *no;
  return parts;
}

}  // namespace mayfly::events
