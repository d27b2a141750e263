// The payment session's part of a state record (docs/state-format.md).
#include "events/state/snapshot_layout.h"

namespace mayfly::events {

namespace {

// Flags: the state in the two low bits.
constexpr std::uint64_t state_bits = 3, order_placed = 4, in_doubt = 8, capture_retry = 16;

}  // namespace

void append_session(std::string& out, const Session& session) {
  const auto& ledger = session.ledger;
  ByteWriter to(out);
  to.fixed(layout::newest, 1);
  to.fixed(static_cast<std::uint64_t>(ledger.state) | (ledger.order_placed ? order_placed : 0) |
               (ledger.in_doubt ? in_doubt : 0) | (ledger.capture_retry_running ? capture_retry : 0),
           1);
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
}

std::variant<Session, Unsupported> decode_session(std::string_view bytes, std::pmr::memory_resource* memory) {
  if (auto no = layout::check(layout::a_session, bytes)) return *no;
  const auto version = static_cast<unsigned char>(bytes.front());
  auto in = layout::behind_version(bytes);
  Session session(memory);
  auto& ledger = session.ledger;
  const auto flags = in.fixed(1);
  if (flags >= 2 * capture_retry) in.fail();
  ledger.state = static_cast<SessionState>(flags & state_bits);
  ledger.order_placed = (flags & order_placed) != 0;
  ledger.in_doubt = (flags & in_doubt) != 0;
  ledger.capture_retry_running = (flags & capture_retry) != 0;
  ledger.why = in.one_of(Why::paid);
  session.number = static_cast<int>(layout::take_least(in, 1, limits::checkouts));
  session.amount_minor = layout::take_least(in, 1, max_amount_minor);
  session.currency = layout::take_currency(in);
  session.opened_at = layout::take_time(in);
  session.provider = in.text();
  session.reference = in.text();
  for (Minor* amount :
       {&ledger.authorized_minor, &ledger.captured_minor, &ledger.refunded_minor, &ledger.refund_asked_minor}) {
    *amount = layout::take_reported(in);
  }
  ledger.status_tries = layout::take_tries(in);
  ledger.capture_failures = layout::take_tries(in);
  // An order is placed by being authorized, and only what is then captured can be tried again.
  const bool authorizing = ledger.state == SessionState::authorizing;
  if (authorizing && (ledger.order_placed || ledger.capture_retry_running)) in.fail();
  if (version > layout::without_action_url) session.action_url = in.text();
  if (!in.done()) return layout::damage(layout::a_session, in, bytes);
  return session;
}

}  // namespace mayfly::events
