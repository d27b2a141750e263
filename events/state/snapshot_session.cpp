// The payment session's part of a state record (docs/state-format.md).
#include "events/state/snapshot_layout.h"

#include <iterator>

namespace mayfly::events {

namespace {

// Flags: the state in bits 0-1 and, since version 3, 5. Second flags, since version 3, say what follows at the end.
constexpr std::uint64_t state_bits = 3, order_placed = 4, in_doubt = 8, capture_retry = 16, state_high = 32,
                        asked_since = 64, second_follows = 128;
constexpr std::uint64_t has_attempts = 1, has_refund_failures = 2, refund_retry = 4, has_refund_before = 8,
                        with_terms = 16, with_tenders = 32, known_of_second = 31;
// What the terms end with: flags of their own.
constexpr std::uint64_t order_pending = 1, final_asked = 2;

std::uint64_t flags_of(const SessionLedger& ledger, bool more) {
  const auto state = static_cast<std::uint64_t>(ledger.state);
  return (state & state_bits) | (state > state_bits ? state_high : 0) | (ledger.order_placed ? order_placed : 0) |
         (ledger.in_doubt ? in_doubt : 0) | (ledger.capture_retry_running ? capture_retry : 0) |
         (ledger.asked_since ? asked_since : 0) | (more ? second_follows : 0);
}

std::uint64_t second_flags_of(const Session& session) {
  const auto& ledger = session.ledger;
  return (ledger.attempts_told > 0 ? has_attempts : 0) | (ledger.refund_failures > 0 ? has_refund_failures : 0) |
         (ledger.refund_retry_running ? refund_retry : 0) | (ledger.refund_before_minor > 0 ? has_refund_before : 0) |
         (session.terms.any() ? with_terms : 0) | (session.tenders ? with_tenders : 0);
}

void put_terms(ByteWriter& to, const Session& session) {
  const auto& ledger = session.ledger;
  layout::put(to, session.terms);
  to.fixed((ledger.order_pending ? order_pending : 0) | (ledger.final_asked ? final_asked : 0), 1);
  layout::put(to, ledger.captures_asked);
  layout::put(to, ledger.capture_total_minor);
  layout::put(to, ledger.capture_from_minor);
  layout::put(to, ledger.until.ms);
}

void take_terms(ByteReader& in, Session& session) {
  auto& ledger = session.ledger;
  session.terms = layout::take_terms(in);
  const auto flags = in.fixed(1);
  if (flags > (order_pending | final_asked)) in.fail();
  ledger.order_pending = (flags & order_pending) != 0;
  ledger.final_asked = (flags & final_asked) != 0;
  ledger.captures_asked = static_cast<std::int32_t>(layout::take_least(in, 0, limits::captures_asked));
  ledger.capture_total_minor = layout::take_least(in, 0, session.amount_minor);
  ledger.capture_from_minor = layout::take_least(in, 0, ledger.capture_total_minor);
  ledger.until = layout::take_time(in);
  if (ledger.order_pending && ledger.order_placed) in.fail();
  if (session.terms.extra_up_to_minor > session.amount_minor) in.fail();
}

void put_more(ByteWriter& to, const Session& session, std::uint64_t second) {
  const auto& ledger = session.ledger;
  to.fixed(second, 1);
  if ((second & has_attempts) != 0) {
    layout::put(to, ledger.attempts_told);
    layout::put(to, ledger.last_attempt);
  }
  if ((second & has_refund_failures) != 0) layout::put(to, ledger.refund_failures);
  if ((second & has_refund_before) != 0) layout::put(to, ledger.refund_before_minor);
  if ((second & with_terms) != 0) put_terms(to, session);
  if ((second & with_tenders) != 0) layout::put(to, *session.tenders);
}

/// The one that moves is open, and of its number and amount.
void take_tenders(ByteReader& in, Session& session) {
  Tenders tenders(std::pmr::get_default_resource());
  layout::take_tenders(in, tenders);
  if (in.failed()) return;
  if (session.number < tenders.first || session.number > tenders.last() || session.terms.any()) return in.fail();
  const auto& moving = tenders.of(session.number);
  if (moving.state != TenderState::open || moving.amount_minor != session.amount_minor) return in.fail();
  session.tenders.keep(tenders, session.provider.get_allocator().resource());
}

void take_more(ByteReader& in, Session& session, bool may_have_tenders) {
  auto& ledger = session.ledger;
  const auto second = in.fixed(1);
  if (second == 0 || second > (known_of_second | (may_have_tenders ? with_tenders : 0))) in.fail();
  if ((second & has_attempts) != 0) {
    ledger.attempts_told = static_cast<std::int32_t>(layout::take_least(in, 1, limits::attempts_told));
    ledger.last_attempt = static_cast<std::int32_t>(layout::take_least(in, 1, limits::attempt_number));
  }
  if ((second & has_refund_failures) != 0) {
    ledger.refund_failures = static_cast<std::int32_t>(layout::take_least(in, 1, std::ssize(limits::refund_retry)));
  }
  ledger.refund_retry_running = (second & refund_retry) != 0;
  if ((second & has_refund_before) != 0) {
    ledger.refund_before_minor = layout::take_least(in, 1, ledger.refund_asked_minor);
  }
  if (ledger.refund_retry_running && ledger.refund_failures == 0) in.fail();
  if ((second & with_terms) != 0) take_terms(in, session);
  if ((second & with_tenders) != 0) take_tenders(in, session);
}

}  // namespace

void append_session(std::string& out, const Session& session) {
  const auto& ledger = session.ledger;
  const auto second = second_flags_of(session);
  const auto flags = flags_of(ledger, second != 0);
  // The older layout where it can say all: the same history leaves the same bytes as with an older program.
  const bool terms = flags >= 2 * capture_retry || ledger.why > Why::paid;
  ByteWriter to(out);
  const bool tenders = session.tenders || session.number > limits::checkouts;
  to.fixed(tenders ? layout::newest_session : terms ? layout::without_tenders : layout::without_terms, 1);
  to.fixed(flags, 1);
  to.fixed(static_cast<std::uint64_t>(ledger.why), 1);
  layout::put(to, session.number);
  layout::put(to, session.amount_minor);
  layout::put(to, session.currency);
  layout::put(to, session.opened_at.ms);
  to.text(session.provider);
  to.text(session.reference);
  for (const Minor amount :
       {ledger.authorized_minor, ledger.captured_minor, ledger.refunded_minor, ledger.refund_asked_minor}) {
    layout::put(to, amount);
  }
  layout::put(to, ledger.status_tries);
  layout::put(to, ledger.capture_failures);
  to.text(session.action_url);
  if (second != 0) put_more(to, session, second);
}

std::variant<Session, Unsupported> decode_session(std::string_view bytes, std::pmr::memory_resource* memory) {
  if (auto no = layout::check(layout::a_session, bytes, layout::newest_session)) return *no;
  const auto version = static_cast<unsigned char>(bytes.front());
  auto in = layout::behind_version(bytes);
  Session session(memory);
  auto& ledger = session.ledger;
  const auto flags = in.fixed(1);
  if (version <= layout::without_terms && flags >= 2 * capture_retry) in.fail();
  const auto state = (flags & state_bits) + ((flags & state_high) != 0 ? state_bits + 1 : 0);
  if (state > static_cast<std::uint64_t>(SessionState::holding)) in.fail();
  ledger.state = static_cast<SessionState>(state);
  ledger.asked_since = (flags & asked_since) != 0;
  ledger.order_placed = (flags & order_placed) != 0;
  ledger.in_doubt = (flags & in_doubt) != 0;
  ledger.capture_retry_running = (flags & capture_retry) != 0;
  ledger.why = in.one_of(version > layout::without_terms ? Why::released : Why::paid);
  const bool tenders = version > layout::without_tenders;
  session.number = static_cast<int>(layout::take_least(in, 1, limits::checkouts * (tenders ? limits::tenders : 1)));
  session.amount_minor = layout::take_least(in, 1, max_amount_minor);
  session.currency = layout::take_currency(in);
  session.opened_at = layout::take_time(in);
  session.provider = in.text();
  session.reference = in.text();
  for (Minor* amount :
       {&ledger.authorized_minor, &ledger.captured_minor, &ledger.refunded_minor, &ledger.refund_asked_minor}) {
    *amount = layout::take_reported(in);
  }
  if (ledger.refunded_minor > ledger.captured_minor) in.fail();
  ledger.status_tries = layout::take_tries(in);
  if (ledger.asked_since && ledger.status_tries == 0) in.fail();
  ledger.capture_failures = layout::take_tries(in);
  // An order is placed by being authorized, and only what is then captured can be tried again.
  const bool authorizing = ledger.state == SessionState::authorizing;
  if (authorizing && (ledger.order_placed || ledger.capture_retry_running)) in.fail();
  if (version > layout::without_action_url) session.action_url = in.text();
  if ((flags & second_follows) != 0) take_more(in, session, tenders);
  if (ledger.state == SessionState::settling && !ledger.order_pending) in.fail();
  if (ledger.state == SessionState::holding && !(session.terms.on_command && ledger.order_placed)) in.fail();
  if (!in.done()) return layout::damage(layout::a_session, in, bytes);
  return session;
}

}  // namespace mayfly::events
