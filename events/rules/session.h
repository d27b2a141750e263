// The state of one open payment session: what was asked of the provider and what it said so far.
#pragma once

#include "events/log/types.h"
#include "events/rules/event.h"
#include "events/rules/money.h"
#include "events/rules/tenders.h"
#include "events/rules/words.h"

#include <cstdint>
#include <memory_resource>
#include <string>

namespace mayfly::events {

/// settling: an order is pending, the money may take days. holding: an order is placed, its money is captured by
/// command.
enum class SessionState : std::uint8_t { authorizing, canceling, capturing, refunding, settling, holding };
[[nodiscard]] std::string_view name(SessionState);

/// The numbers of a session. Totals so far, never increments; they only rise.
struct SessionLedger {
  SessionState state = SessionState::authorizing;
  Why why = Why::canceled;  // canceling, refunding: how it will close
  bool order_placed = false;
  bool in_doubt = false;  // payment.in_doubt was said in this state
  bool ended = false;     // payment.session_ended was said: the session dies now
  Minor authorized_minor = 0;
  Minor captured_minor = 0;
  Minor refunded_minor = 0;
  Minor refund_asked_minor = 0;   // all asked back so far: the amount in the refund's key
  std::int32_t status_tries = 0;  // in this state
  std::int32_t capture_failures = 0;
  bool capture_retry_running = false;
  Minor refund_before_minor = 0;  // what of refund_asked was asked back before the newest request
  std::int32_t refund_failures = 0;
  bool refund_retry_running = false;
  bool asked_since = false;        // after the newest status request in this state, something else was asked
  std::int32_t attempts_told = 0;  // payment.attempt_failed that were passed on
  std::int32_t last_attempt = 0;   // the number of the newest of them
  // Of sessions with terms.
  bool order_pending = false;       // order.pending was said, neither order.placed nor order.canceled
  bool final_asked = false;         // by payment.capture: what is beyond capture_total is released
  std::int32_t captures_asked = 0;  // by payment.capture
  Minor capture_total_minor = 0;    // T: all that was asked to be captured
  Minor capture_from_minor = 0;     // what of it had been captured when the newest request was made
  Timestamp until{};                // settling: S; holding, capturing: H
  bool operator==(const SessionLedger&) const = default;
};

/// A member that allocates belongs in footprint.cpp too.
struct Session {
  explicit Session(std::pmr::memory_resource* memory) : provider(memory), reference(memory), action_url(memory) {}

  int number = 0;
  Minor amount_minor = 0;  // A
  Currency currency{};
  Timestamp opened_at{};
  Terms terms;
  KeptTenders tenders;  // several: number, amount, provider and ledger are those of the one that moves
  std::pmr::string provider;
  std::pmr::string reference;   // the first that was given
  std::pmr::string action_url;  // the last that was passed on
  SessionLedger ledger;
};

}  // namespace mayfly::events
