// State records: what was written is read, in this layout and in older ones; anything else is refused with a sentence.
#include "events/state/snapshot.h"

#include "unit/events/seed.h"

#include <doctest/doctest.h>

#include <limits>
#include <memory_resource>
#include <string>
#include <string_view>
#include <vector>

namespace mayfly::events {
namespace {

std::pmr::memory_resource* heap() { return std::pmr::get_default_resource(); }

std::string bytes_of(const Cart& cart) {
  std::string out;
  append_cart(out, cart);
  return out;
}
std::string bytes_of(const Session& session) {
  std::string out;
  append_session(out, session);
  return out;
}
std::string bytes_of(const Wait& wait, std::string_view cart, std::string_view session) {
  std::string out;
  append_snapshot(out, wait, cart, session);
  return out;
}
std::string bytes_of(const PositionRecord& record) {
  std::string out;
  append_position(out, record);
  return out;
}

template <class T>
std::string why(const std::variant<T, Unsupported>& result) {
  const auto* unsupported = std::get_if<Unsupported>(&result);
  return unsupported != nullptr ? unsupported->message : "";
}

/// Everything in a state record that can be read, or why not.
std::string read_all(std::string_view bytes) {
  const auto split = split_snapshot(bytes);
  if (!why(split).empty()) return why(split);
  const auto& parts = std::get<SnapshotParts>(split);
  const auto cart = decode_cart("c1", parts.cart, heap());
  if (!why(cart).empty()) return why(cart);
  return parts.session.empty() ? "" : why(decode_session(parts.session, heap()));
}

Line line(std::string_view sku, std::string_view name, std::int32_t quantity, Minor unit_price_minor) {
  Line made;
  made.sku = sku;
  made.name = name;
  made.quantity = quantity;
  made.unit_price_minor = unit_price_minor;
  return made;
}

KeptAdjustment adjustment(AdjustmentKind kind, std::string_view label, Minor amount_minor) {
  KeptAdjustment made;
  made.kind = kind;
  made.label = label;
  made.amount_minor = amount_minor;
  return made;
}

Cart empty_cart() {
  Cart cart(heap());
  cart.id = "c1";
  cart.created = {3, 70'000};
  cart.created_at = {1'795'521'600'000};
  cart.sequence = 1;
  cart.currency = {{'G', 'B', 'P'}};
  cart.expires_after_s = 86'400;
  return cart;
}

/// With every member that a cart can have.
Cart full_cart() {
  Cart cart = empty_cart();
  cart.customer_id = "17850";
  cart.phase = Phase::reserving;
  cart.sequence = 1'000'000;
  cart.lines.push_back(line("85123A", "WHITE HANGING HEART T-LIGHT HOLDER", 6, 255));
  cart.lines.push_back(line("tee", "", 1'000'000, 1'000'000'000));
  cart.lines_minor = 6 * 255 + 1'000'000'000'000'000;
  cart.text_bytes = 6 + 34 + 3;
  cart.adjustments.push_back(adjustment(AdjustmentKind::fee, "Gift wrap", 9'000'000'000'000'000'000));
  cart.adjustments.push_back(adjustment(AdjustmentKind::fee, "", 9'000'000'000'000'000'000));
  cart.adjustments.push_back(adjustment(AdjustmentKind::discount, "Staff", 9'000'000'000'000'000'000));
  cart.adjustments.push_back(adjustment(AdjustmentKind::discount, "Friends", 9'000'000'000'000'002'000));
  cart.adjustments_minor = -2'000;
  cart.reservations = 32;
  cart.sessions = 31;
  cart.provider = "sim";
  cart.token = "tok_536365";
  for (std::uint32_t i = 0; i < 32; ++i) cart.remembered.push_back({0xfedc'ba98'7654'3210 + i, 0xffff'ffff - i});
  return cart;
}

Session full_session() {
  Session session(heap());
  session.number = 31;
  session.amount_minor = 1'999;
  session.currency = {{'J', 'P', 'Y'}};
  session.opened_at = {1'795'521'600'123};
  session.provider = "sim";
  session.reference = "ch_3";
  session.action_url = "https://bank.example/3ds?a=b";
  session.ledger = {SessionState::refunding,
                    Why::paid,
                    true,
                    true,
                    false,
                    1'999,
                    std::numeric_limits<Minor>::max(),
                    1,
                    2,
                    47,
                    2,
                    true,
                    1,
                    2,
                    true,
                    true,
                    32,
                    1'000'000};
  return session;
}

void check_equal(const Cart& a, const Cart& b) {
  CHECK(a.id == b.id);
  CHECK(a.created == b.created);
  CHECK(a.created_at == b.created_at);
  CHECK(a.sequence == b.sequence);
  CHECK(a.currency == b.currency);
  CHECK(a.customer_id == b.customer_id);
  CHECK(a.merge == b.merge);
  CHECK(a.merge_into == b.merge_into);
  CHECK(a.expires_after_s == b.expires_after_s);
  CHECK(a.phase == b.phase);
  REQUIRE(a.lines.size() == b.lines.size());
  for (std::size_t i = 0; i < a.lines.size(); ++i) {
    CHECK(a.lines[i].sku == b.lines[i].sku);
    CHECK(a.lines[i].name == b.lines[i].name);
    CHECK(a.lines[i].quantity == b.lines[i].quantity);
    CHECK(a.lines[i].unit_price_minor == b.lines[i].unit_price_minor);
    CHECK(a.line_id(a.lines[i]) == b.line_id(b.lines[i]));
    CHECK(a.per_quantity(a.lines[i]) == b.per_quantity(b.lines[i]));
    CHECK(a.attributes(a.lines[i]) == b.attributes(b.lines[i]));
  }
  REQUIRE(a.adjustments.size() == b.adjustments.size());
  for (std::size_t i = 0; i < a.adjustments.size(); ++i) {
    CHECK(a.adjustments[i].kind == b.adjustments[i].kind);
    CHECK(a.adjustments[i].label == b.adjustments[i].label);
    CHECK(a.adjustments[i].amount_minor == b.adjustments[i].amount_minor);
    CHECK(a.adjustments[i].included == b.adjustments[i].included);
    CHECK(a.adjustments[i].line == b.adjustments[i].line);
  }
  CHECK(a.lines_minor == b.lines_minor);
  CHECK(a.adjustments_minor == b.adjustments_minor);
  CHECK(a.text_bytes == b.text_bytes);
  CHECK(a.reservations == b.reservations);
  CHECK(a.sessions == b.sessions);
  CHECK(a.provider == b.provider);
  CHECK(a.token == b.token);
  CHECK(a.remembered == b.remembered);
  CHECK_FALSE(b.end);
}

void check_equal(const Session& a, const Session& b) {
  CHECK(a.number == b.number);
  CHECK(a.amount_minor == b.amount_minor);
  CHECK(a.currency == b.currency);
  CHECK(a.opened_at == b.opened_at);
  CHECK(a.provider == b.provider);
  CHECK(a.reference == b.reference);
  CHECK(a.action_url == b.action_url);
  CHECK(a.ledger == b.ledger);
}

std::string from_hex(std::string_view hex) {
  std::string bytes;
  std::string digits;
  for (const char c : hex) {
    if (c == ' ') continue;
    digits += c;
    if (digits.size() < 2) continue;
    bytes += static_cast<char>(std::stoi(digits, nullptr, 16));
    digits.clear();
  }
  return bytes;
}

const Wait waits[] = {
    {},
    {WaitKind::idle, 24_h, 0, std::nullopt},
    {WaitKind::status_try, 1'800_s, 281'474'976'710'655, std::nullopt},
    {WaitKind::reservation, 60_s, no_offset, Timestamp{1'795'521'660'000}},
    {WaitKind::merge, 900_s, 7, std::nullopt},
};

}  // namespace

TEST_CASE("a cart that was written is read, and written again as the same bytes") {
  for (const Cart& cart : {empty_cart(), full_cart()}) {
    const auto bytes = bytes_of(cart);
    const auto read = decode_cart("c1", bytes, heap());
    REQUIRE(why(read) == "");
    check_equal(cart, std::get<Cart>(read));
    CHECK(bytes_of(std::get<Cart>(read)) == bytes);
  }
}

TEST_CASE("a cart lives in the memory it is read into") {
  std::pmr::monotonic_buffer_resource memory;
  const auto bytes = bytes_of(full_cart());
  auto* before = std::pmr::set_default_resource(std::pmr::null_memory_resource());
  auto read = decode_cart("a cart id that is longer than any small string", bytes, &memory);
  std::pmr::set_default_resource(before);
  REQUIRE(std::holds_alternative<Cart>(read));
  CHECK(std::get<Cart>(read).lines[0].name.get_allocator().resource() == &memory);
}

TEST_CASE("a payment session that was written is read, and written again as the same bytes") {
  Session small(heap());
  small.number = 1;
  small.amount_minor = 1;
  for (const Session& session : {small, full_session()}) {
    const auto bytes = bytes_of(session);
    const auto read = decode_session(bytes, heap());
    REQUIRE(why(read) == "");
    check_equal(session, std::get<Session>(read));
    CHECK(bytes_of(std::get<Session>(read)) == bytes);
  }
}

TEST_CASE("a state record gives its wait and its parts back") {
  const auto cart = bytes_of(full_cart());
  for (const auto& session : {std::string{}, bytes_of(full_session())}) {
    for (const auto& wait : waits) {
      const auto record = bytes_of(wait, cart, session);
      const auto read = split_snapshot(record);
      REQUIRE(why(read) == "");
      const auto& parts = std::get<SnapshotParts>(read);
      CHECK(parts.wait == wait);
      CHECK(parts.cart == cart);
      CHECK(parts.session == session);
    }
  }
}

TEST_CASE("a new wait changes the header of a state record and nothing else") {
  const auto cart = bytes_of(full_cart());
  const auto before = bytes_of(waits[0], cart, {});
  for (const auto& wait : waits) {
    const auto after = bytes_of(wait, cart, {});
    CHECK(after.size() == before.size());
    CHECK(after.substr(after.size() - cart.size()) == before.substr(before.size() - cart.size()));
  }
}

TEST_CASE("a wait that has started no longer knows which record set it") {
  const Wait wait{WaitKind::idle, 24_h, 7, Timestamp{5}};
  const auto record = bytes_of(wait, bytes_of(empty_cart()), {});
  CHECK(std::get<SnapshotParts>(split_snapshot(record)).wait == Wait{WaitKind::idle, 24_h, no_offset, Timestamp{5}});
}

TEST_CASE("a wait of centuries is kept as the longest that fits") {
  const Wait wait{WaitKind::idle, {std::numeric_limits<std::int64_t>::max()}, 7, std::nullopt};
  const auto record = bytes_of(wait, bytes_of(empty_cart()), {});
  CHECK(std::get<SnapshotParts>(split_snapshot(record)).wait.length == Millis{(std::int64_t{1} << 40) - 1});
}

TEST_CASE("an ordinary cart takes at most 345 bytes, 12 of them per remembered command") {
  Cart cart = empty_cart();
  cart.id = "0b7c9a52-6a7e-4c83-9f0e-3d1f4f1a2b3c";
  for (int i = 0; i < 5; ++i) {
    cart.lines.push_back(line("SKU-000" + std::to_string(i), "WHITE HANGING HEART T-LIGHT HOLDER", 6, 1'255));
  }
  const auto without = bytes_of(cart).size();
  for (std::uint32_t i = 0; i < 6; ++i) cart.remembered.push_back({i, i});
  const auto with = bytes_of(cart).size();
  CHECK(with - without == 6 * 12);
  const auto record = bytes_of(waits[1], bytes_of(cart), {});
  MESSAGE("bytes: ", record.size(), ", of them the header's ", record.size() - with);
  CHECK(record.size() <= 345);
}

TEST_CASE("a state record that is cut short anywhere is refused") {
  const auto record = bytes_of(waits[1], bytes_of(full_cart()), bytes_of(full_session()));
  REQUIRE(read_all(record) == "");
  for (std::size_t size = 0; size < record.size(); ++size) {
    CAPTURE(size);
    CHECK(read_all(std::string(record.substr(0, size))).find("is cut short or damaged") != std::string::npos);
  }
}

TEST_CASE("a state record with something behind it is refused") {
  const auto cart = bytes_of(full_cart());
  CHECK(read_all(bytes_of(waits[1], cart, bytes_of(full_session()) + "x")) != "");
  CHECK(read_all(bytes_of(waits[1], cart + "x", {})) != "");
  CHECK(why(decode_position(bytes_of(PositionRecord{}) + "x")) != "");
}

TEST_CASE("garbled bytes are refused or read as something that can be written again, and never do harm") {
  auto random = tests::seeded();
  const auto record = bytes_of(waits[3], bytes_of(full_cart()), bytes_of(full_session()));
  const auto position = bytes_of(PositionRecord{7, {8}, 12, "shop", {}});
  for (int round = 0; round < 20'000; ++round) {
    auto garbled = round % 4 == 0 ? position : record;
    const auto flips = 1 + random() % 3;
    for (std::uint64_t i = 0; i < flips; ++i) garbled[random() % garbled.size()] = static_cast<char>(random());
    garbled.resize(garbled.size() - (random() % 5 == 0 ? random() % garbled.size() : 0));
    const std::string exact(garbled);  // so that a sanitizer sees a read beyond
    if (round % 4 == 0) {
      const auto read = decode_position(exact);
      if (why(read).empty()) CHECK(bytes_of(std::get<PositionRecord>(read)) == exact);
      continue;
    }
    const auto split = split_snapshot(exact);
    if (!why(split).empty()) continue;
    const auto& parts = std::get<SnapshotParts>(split);
    if (const auto cart = decode_cart("c1", parts.cart, heap()); why(cart).empty()) {
      CHECK(within_limit(std::get<Cart>(cart).total_minor()));
      CHECK(why(decode_cart("c1", bytes_of(std::get<Cart>(cart)), heap())) == "");
    }
    if (const auto session = decode_session(parts.session, heap()); why(session).empty()) {
      CHECK(why(decode_session(bytes_of(std::get<Session>(session)), heap())) == "");
    }
  }
}

TEST_CASE("a newer layout is refused by naming it and the newest that is known") {
  auto newer = [](std::string bytes) {
    bytes.front() = 9;
    return bytes;
  };
  const auto cart = bytes_of(full_cart());
  const auto session = bytes_of(full_session());
  const struct {
    std::string said;
    std::string_view known;
  } cases[] = {
      {read_all(newer(bytes_of(waits[0], cart, session))), "up to version 3"},
      {read_all(bytes_of(waits[0], newer(cart), session)), "up to version 4"},
      {read_all(bytes_of(waits[0], cart, newer(session))), "up to version 4"},
      {why(decode_cart("c1", newer(cart), heap())), "up to version 4"},
      {why(decode_session(newer(session), heap())), "up to version 4"},
      {why(decode_position(newer(bytes_of(PositionRecord{})))), "up to version 2"},
  };
  for (const auto& c : cases) {
    CAPTURE(c.said);
    CHECK(c.said.find("has layout version 9") != std::string::npos);
    CHECK(c.said.find(c.known) != std::string::npos);
  }
}

// --- golden bytes: what stands in somebody's log --------------------------------------------------------------------

namespace {

/// A cart that pays: one line of 6 x 2.55, session 1.
constexpr std::string_view golden_cart =
    "06 03 f0a204 80b4b5eba034 04 474250 80a305 01 01 "  // paying, 3-70000, time, 4 events, GBP, 86400 s, r1, p1
    "01 06 383531323341 05 48 45 41 52 54 06 ff01 "      // 85123A HEART 6 x 255
    "01 1032547698badcfe 04030201";                      // one remembered
constexpr std::string_view golden_session =
    "00 08 01 fa0b 474250 80b4b5eba034 03 73696d 04 63685f33 "           // authorizing, p1 of 15.30, sim, ch_3
    "00 00 00 00 01 00";                                                 // nothing yet, one status try
constexpr std::string_view golden_wait = "43 c0d4010000 e8030000000 0";  // authorization, 120 s, set at 1000; a session

void check_golden(const std::string& record, std::string_view action_url) {
  const auto split = split_snapshot(record);
  REQUIRE(why(split) == "");
  const auto& parts = std::get<SnapshotParts>(split);
  CHECK(parts.wait == Wait{WaitKind::authorization, 120_s, 1'000, std::nullopt});

  const auto read = decode_cart("c1", parts.cart, heap());
  REQUIRE(why(read) == "");
  Cart cart = empty_cart();
  cart.created_at = {1'795'521'600'000};
  cart.phase = Phase::paying;
  cart.sequence = 4;
  cart.reservations = cart.sessions = 1;
  cart.lines.push_back(line("85123A", "HEART", 6, 255));
  cart.lines_minor = 1'530;
  cart.text_bytes = 11;
  cart.remembered.push_back({0xfedc'ba98'7654'3210, 0x0102'0304});
  check_equal(cart, std::get<Cart>(read));

  const auto read_session = decode_session(parts.session, heap());
  REQUIRE(why(read_session) == "");
  Session session(heap());
  session.number = 1;
  session.amount_minor = 1'530;
  session.currency = cart.currency;
  session.opened_at = cart.created_at;
  session.provider = "sim";
  session.reference = "ch_3";
  session.action_url = action_url;
  session.ledger.status_tries = 1;
  check_equal(session, std::get<Session>(read_session));
}

std::string golden_record(std::string_view header, std::string_view version, std::string_view behind_session) {
  const std::string cart = std::string(version) + std::string(golden_cart);
  const std::string session = std::string(version) + std::string(golden_session) + std::string(behind_session);
  const auto size = from_hex(cart).size();
  const char cart_bytes[] = {static_cast<char>(size), 0, 0};
  return from_hex(std::string(header) + std::string(golden_wait)) + std::string(cart_bytes, 3) + from_hex(cart) +
         from_hex(session);
}

}  // namespace

TEST_CASE("header 3 before parts 2, as they stand in logs, are read and written") {
  const auto record = golden_record("03", "02", "05 68747470 73");
  check_golden(record, "https");
  const auto split = split_snapshot(record);
  const auto& parts = std::get<SnapshotParts>(split);
  const auto cart = decode_cart("c1", parts.cart, heap());
  const auto session = decode_session(parts.session, heap());
  CHECK(bytes_of(parts.wait, bytes_of(std::get<Cart>(cart)), bytes_of(std::get<Session>(session))) == record);
}

TEST_CASE("what a session of version 3 may have besides, as it stands in logs, is read and written") {
  const std::string begin = "03 82 04 01 fa0b 474250 80b4b5eba034 03 73696d 00 00 00 00 dc0b 01 00 00 ";
  const struct {
    std::string_view said;
    std::string_view second;
    SessionLedger ledger;
  } cases[] = {
      {"two attempts told, the newest the fifth", "01 02 05",
       [] {
         SessionLedger l;
         l.attempts_told = 2;
         l.last_attempt = 5;
         return l;
       }()},
      {"a refund failed once, its retry runs", "06 01",
       [] {
         SessionLedger l;
         l.refund_failures = 1;
         l.refund_retry_running = true;
         return l;
       }()},
      {"asked back in two requests", "08 e807",
       [] {
         SessionLedger l;
         l.refund_before_minor = 1000;
         return l;
       }()},
  };
  for (const auto& c : cases) {
    CAPTURE(c.said);
    const auto bytes = from_hex(begin + std::string(c.second));
    const auto read = decode_session(bytes, heap());
    REQUIRE(why(read) == "");
    auto expected = c.ledger;
    expected.state = SessionState::capturing;
    expected.why = Why::payment_short;
    expected.refund_asked_minor = 1500;
    expected.status_tries = 1;
    CHECK(std::get<Session>(read).ledger == expected);
    CHECK(bytes_of(std::get<Session>(read)) == bytes);
    for (std::size_t size = 0; size < bytes.size(); ++size)
      CHECK(why(decode_session(bytes.substr(0, size), heap())) != "");
    auto older = bytes;
    older.front() = 2;
    CHECK(why(decode_session(older, heap())) != "");
  }
  CHECK(why(decode_session(from_hex(begin + "04"), heap())) != "");       // a retry of nothing that failed
  CHECK(why(decode_session(from_hex(begin + "00"), heap())) != "");       // nothing more, and it says so
  CHECK(why(decode_session(from_hex(begin + "08 dd0b"), heap())) != "");  // more than was asked back in all
}

TEST_CASE("a session's terms, as they stand in logs, are read and written") {
  const auto bytes = from_hex(
      "03 a5 04 01 fa0b 474250 80b4b5eba034 03 73696d 00 00 00 00 00 00 00 00 "
      "10 01 80f524 00 00 00 01 d804 00 80b4b5eba034");
  const auto read = decode_session(bytes, heap());
  REQUIRE(why(read) == "");
  const auto& session = std::get<Session>(read);
  CHECK(session.ledger.state == SessionState::holding);
  CHECK(session.terms == Terms{true, 604'800, 0, 0});
  CHECK(session.ledger.captures_asked == 1);
  CHECK(session.ledger.capture_total_minor == 600);
  CHECK(session.ledger.until == session.opened_at);
  CHECK(bytes_of(session) == bytes);
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    CHECK(why(decode_session(bytes.substr(0, size), heap())) != "");
  }
  const auto damaged = [&](std::size_t at, unsigned char value) {
    auto other = bytes;
    other[at] = static_cast<char>(value);
    return why(decode_session(other, heap())) != "";
  };
  const std::size_t terms = bytes.size() - 17;  // behind the second flags
  CHECK(damaged(1, 0xa1));                      // holding, and no order is placed
  CHECK(damaged(1, 0xa4));                      // settling, and no order is pending
  CHECK(damaged(1, 0xa6));                      // a state that there is not
  CHECK(damaged(terms, 0));                     // not on command, and to be captured within
  CHECK(damaged(terms, 2));
  CHECK(damaged(terms + 6, 1));  // pending and placed
  CHECK(damaged(terms + 6, 4));
  CHECK(damaged(terms + 7, 33));  // more captures than may be asked for
  CHECK_FALSE(damaged(terms + 6, 2));

  Cart cart = empty_cart();
  cart.phase = Phase::reserving;
  cart.reservations = 1;
  cart.provider = "sim";
  cart.token = "tok";
  CHECK(bytes_of(cart).front() == 2);
  cart.terms = {true, 60, 3600, 5};
  const auto with_terms = bytes_of(cart);
  CHECK(with_terms.front() == 3);
  CHECK(with_terms.find(from_hex("03 746f6b 01 3c 901c 05")) != std::string::npos);
  const auto again = decode_cart("c1", with_terms, heap());
  REQUIRE(why(again) == "");
  CHECK(std::get<Cart>(again).terms == cart.terms);
  CHECK(bytes_of(std::get<Cart>(again)) == with_terms);
}

TEST_CASE("a session is written as version 2 where that says everything, else as version 3") {
  const struct {
    std::string_view said;
    int version;
    void (*change)(Session&);
  } cases[] = {
      {"a status request and its wait", 2, [](Session& s) { s.ledger.status_tries = 1; }},
      {"a retry of the capture", 2,
       [](Session& s) {
         s.ledger.state = SessionState::capturing;
         s.ledger.capture_retry_running = true;
       }},
      {"asked again after a status request", 3,
       [](Session& s) {
         s.ledger.status_tries = 1;
         s.ledger.asked_since = true;
       }},
      {"abandoned", 3, [](Session& s) { s.ledger.why = Why::abandoned; }},
      {"an attempt that failed", 3,
       [](Session& s) {
         s.ledger.attempts_told = 1;
         s.ledger.last_attempt = 1;
       }},
  };
  for (const auto& c : cases) {
    CAPTURE(c.said);
    Session session(heap());
    session.number = 1;
    session.amount_minor = 1'530;
    session.currency = empty_cart().currency;
    c.change(session);
    const auto bytes = bytes_of(session);
    CHECK(static_cast<int>(bytes.front()) == c.version);
    const auto read = decode_session(bytes, heap());
    REQUIRE(why(read) == "");
    CHECK(std::get<Session>(read).ledger == session.ledger);
  }
}

TEST_CASE("what a cart of version 3 has besides, as it stands in logs, is read and written; else it is version 2") {
  Cart cart = empty_cart();
  cart.lines.push_back(line("A", "", 2, 5));
  cart.lines.push_back(line("GIFT", "", 350, 2990));
  cart.adjustments.push_back(adjustment(AdjustmentKind::tax, "VAT", 3));
  cart.lines_minor = 10 + 1'046'500;
  cart.adjustments_minor = 3;
  cart.text_bytes = 1 + 4;
  const auto old = bytes_of(cart);
  CHECK(old.front() == 2);
  auto& extras = cart.extras.emplace_back();
  extras.line_id = "a";
  extras.per_quantity = 1000;
  extras.attributes = R"({"to":"Ann"})";
  cart.lines[1].extras = 1;
  cart.lines_minor = 10 + 1046;
  cart.text_bytes += 1 + 12;
  cart.adjustments[0].included = true;
  cart.adjustments[0].line = 2;
  cart.adjustments_minor = 0;
  const auto bytes = bytes_of(cart);
  CHECK(bytes.front() == 3);
  CHECK(bytes.substr(old.size()) == from_hex("03 01 01 01 61 e807 0c 7b22746f223a22416e6e227d 01 00 05"));
  const auto read = decode_cart("c1", bytes, heap());
  REQUIRE(why(read) == "");
  check_equal(cart, std::get<Cart>(read));
  CHECK(bytes_of(std::get<Cart>(read)) == bytes);
  for (std::size_t size = 0; size < bytes.size(); ++size)
    CHECK(why(decode_cart("c1", bytes.substr(0, size), heap())) != "");

  const auto damaged = [&](std::size_t from_end, char value) {
    auto other = bytes;
    other[other.size() - from_end] = value;
    return why(decode_cart("c1", other, heap())) != "";
  };
  CHECK(damaged(1, 7));   // an adjustment of a third line, where there are two
  CHECK(damaged(1, 0));   // of nothing
  CHECK(damaged(2, 1));   // a second adjustment, where there is one
  CHECK(damaged(3, 2));   // two of them
  CHECK(damaged(21, 2));  // extras of a third line
  CHECK(damaged(22, 0));  // extras of no line
  CHECK(damaged(23, 7));  // something that is not known
  auto unmarked = bytes;
  unmarked[0] = 2;
  CHECK(why(decode_cart("c1", unmarked, heap())) != "");

  Cart many = empty_cart();
  for (int i = 0; i < 16; ++i) many.adjustments.push_back(adjustment(AdjustmentKind::tax, "l", 0));
  CHECK(bytes_of(many).front() == 2);
  many.adjustments.push_back(adjustment(AdjustmentKind::tax, "l", 0));
  auto seventeen = bytes_of(many);
  CHECK(seventeen.front() == 3);
  CHECK(why(decode_cart("c1", seventeen, heap())) == "");
  seventeen[0] = 2;
  CHECK(why(decode_cart("c1", seventeen, heap())) != "");
}

TEST_CASE("a merge, as it stands in logs, is read and written; a cart without one keeps its bytes") {
  Cart cart = empty_cart();
  const auto old = bytes_of(cart);
  CHECK(old.front() == 2);
  cart.merge = 300;
  cart.merge_into = "c2";
  for (const auto phase : {Phase::active, Phase::merging}) {
    cart.phase = phase;
    const auto bytes = bytes_of(cart);
    CHECK(bytes.substr(0, 2) == (phase == Phase::active ? from_hex("03 80") : from_hex("03 83")));
    CHECK(bytes.substr(old.size()) == from_hex("04 ac02 02 6332"));
    const auto read = decode_cart("c1", bytes, heap());
    REQUIRE(why(read) == "");
    check_equal(cart, std::get<Cart>(read));
    CHECK(std::get<Cart>(read).merge == 300);
    CHECK(std::get<Cart>(read).merge_into == "c2");
    CHECK(bytes_of(std::get<Cart>(read)) == bytes);
    for (std::size_t size = 0; size < bytes.size(); ++size)
      CHECK(why(decode_cart("c1", bytes.substr(0, size), heap())) != "");
    auto unknown = bytes;
    unknown[old.size()] = 12;
    CHECK(why(decode_cart("c1", unknown, heap())) != "");
  }
  const auto of_no_cart = [&](Phase phase) {
    Cart other = empty_cart();
    other.phase = phase;
    other.reservations = 1;
    other.merge = phase == Phase::merging ? no_offset : 300;
    if (phase != Phase::merging) other.merge_into = "c2";
    return why(decode_cart("c1", bytes_of(other), heap()));
  };
  CHECK(of_no_cart(Phase::merging) != "");    // into nothing
  CHECK(of_no_cart(Phase::reserving) != "");  // its lines are frozen for a checkout
}

TEST_CASE("header 2, from before supervision remembered anything, is read") {
  check_golden(golden_record("02", "02", "05 68747470 73"), "https");
}

TEST_CASE("what supervision remembers, as it stands in logs, is read and written") {
  const auto cart = bytes_of(empty_cart());
  const char cart_bytes[] = {static_cast<char>(cart.size()), 0, 0};
  const struct {
    std::string_view said;
    std::string_view golden;
    Trouble trouble;
  } cases[] = {
      {"two failures", "02 e807 d00f", {{Timestamp{1'000}, Timestamp{2'000}}, 2, no_offset}},
      {"quarantined at offset 42 after one failure", "81 2a e807", {{Timestamp{1'000}}, 1, 42}},
      {"quarantined without a failure", "80 2a", {{}, 0, 42}},
  };
  for (const auto& c : cases) {
    CAPTURE(c.said);
    const auto record =
        from_hex("03 21 005c260500 e80300000000") + std::string(cart_bytes, 3) + from_hex(c.golden) + cart;
    const auto split = split_snapshot(record);
    REQUIRE(why(split) == "");
    const auto& parts = std::get<SnapshotParts>(split);
    CHECK(parts.trouble == c.trouble);
    CHECK(parts.cart == cart);
    std::string again;
    append_snapshot(again, parts.wait, parts.cart, parts.session, parts.trouble);
    CHECK(again == record);
    auto older = record;
    older.front() = 2;
    CHECK(why(split_snapshot(older)) != "");
    for (std::size_t size = 0; size < record.size(); ++size) CHECK(read_all(record.substr(0, size)) != "");
  }
}

TEST_CASE("of a cart's failures the newest eight are kept, in the order of their times") {
  Trouble trouble;
  for (const std::int64_t at : {5, 3, 9, 1, 7, 2, 8, 6, 4}) trouble.add_failure({at});
  CHECK(trouble.failures == Trouble::most);
  CHECK(trouble.failed.front() == Timestamp{2});
  CHECK(trouble.failed.back() == Timestamp{9});
  CHECK(trouble.failures_since({7}) == 3);
}

TEST_CASE("layout 1, from before sessions kept their action's url, is read") {
  check_golden(golden_record("01", "01", ""), "");
}

TEST_CASE("parts of different layouts make one record") {
  const auto split_old = golden_record("01", "01", "");
  const auto old = std::get<SnapshotParts>(split_snapshot(split_old));
  const auto record = bytes_of(waits[3], bytes_of(full_cart()), old.session);
  CHECK(read_all(record) == "");
}

TEST_CASE("a position record that was written is read") {
  PositionRecord full{std::numeric_limits<Offset>::max(), {1'795'521'600'000}, 12, "shop", {}};
  full.settings.cart_idle = 1_s;
  full.settings.capture_retry[1] = 2_s;
  full.settings.status_try[3] = 3_s;
  full.settings.status_tries_order_placed = 7;
  full.settings.admission_closed = true;
  full.settings.live_carts = 9;
  auto secured = full;
  secured.settings.tick_secret = std::numeric_limits<std::int64_t>::max();
  secured.settings.reply_sources = *SourcePatterns::from("/pay/* /stock");
  auto one_more = PositionRecord{};
  one_more.settings.tick_secret = 1;
  for (const auto& record : {PositionRecord{}, full, secured, one_more}) {
    const auto bytes = bytes_of(record);
    const auto read = decode_position(bytes);
    REQUIRE(why(read) == "");
    CHECK(std::get<PositionRecord>(read) == record);
  }
  for (const auto& record : {full, secured}) {
    const auto bytes = bytes_of(record);
    for (std::size_t size = 0; size < bytes.size(); ++size) CHECK(why(decode_position(bytes.substr(0, size))) != "");
  }
}

TEST_CASE("the position record's layout 1, as it stands in logs, is read and written") {
  const auto golden = from_hex(
      "01 2a e807 0c 04 73686f70 "  // next 42, T = 1000 ms, 12 partitions, shop
      "80b89929 8090fbd309 e0d403 80979305 c0a907 c0a907 c0a907 a0f736 80dddb01 e0d403 "
      "e0d403 e0d403 e0a712 c0a907 b0ea01 c0a907 c0cf24 c0ee6d b0ea01 04 30 00 c0843d");
  const auto read = decode_position(golden);
  REQUIRE(why(read) == "");
  CHECK(std::get<PositionRecord>(read) == PositionRecord{42, {1'000}, 12, "shop", {}});
  CHECK(bytes_of(std::get<PositionRecord>(read)) == golden);
}

}  // namespace mayfly::events
