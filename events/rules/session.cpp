// How a payment session takes over what was decided, and how it begins.
#include "events/rules/session.h"

#include "events/rules/decide.h"

namespace mayfly::events {

std::string_view name(SessionState state) {
  switch (state) {
    case SessionState::authorizing: return "authorizing";
    case SessionState::canceling: return "canceling";
    case SessionState::capturing: return "capturing";
    case SessionState::refunding: return "refunding";
    case SessionState::settling: return "settling";
    case SessionState::holding: return "holding";
  }
  return "";
}

void evolve(Session& session, const SessionDecision& decision) {
  session.ledger = decision.next;
  if (session.reference.empty() && !decision.reference.empty()) session.reference = decision.reference;
  if (decision.action_url) session.action_url = *decision.action_url;
}

std::optional<Session> opened_session(const std::vector<Event>& events, const Context& context,
                                      std::pmr::memory_resource* memory) {
  for (const auto& event : events) {
    const auto* opened = std::get_if<PaymentEvent>(&event);
    if (opened == nullptr || opened->type != EventType::payment_session_opened) continue;
    Session session(memory);
    session.number = opened->number;
    session.amount_minor = opened->amount_minor;
    session.currency = opened->currency;
    session.opened_at = context.time;
    session.provider = opened->provider;
    if (opened->terms != nullptr) session.terms = *opened->terms;
    return session;
  }
  return std::nullopt;
}

}  // namespace mayfly::events
