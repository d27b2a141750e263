// How a payment session takes over what was decided, and how it begins.
#include "events/rules/session.h"

#include "events/rules/decide.h"

namespace mayfly::events {

namespace {

void keep_tenders(Session& session, const Tenders& asked) {
  Tenders tenders(asked, std::pmr::get_default_resource());
  tenders.first = session.number;
  tenders.list.front().state = TenderState::open;
  session.tenders.keep(tenders, session.provider.get_allocator().resource());
  session.tenders.forget_tokens();
}

/// The payment goes on with the tender that moves now.
void evolve_tenders(Session& session, const SessionDecision& decision) {
  session.tenders.keep(*decision.tenders, session.provider.get_allocator().resource());
  session.tenders.forget_tokens();
  if (session.number == decision.moving) return;
  session.number = decision.moving;
  const auto& tender = decision.tenders->of(decision.moving);
  session.amount_minor = tender.amount_minor;
  session.provider = tender.provider;
  session.reference = tender.reference;
  session.action_url.clear();
  if (decision.opened_at != Timestamp{}) session.opened_at = decision.opened_at;
}

}  // namespace

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
  if (decision.tenders) evolve_tenders(session, decision);
  if (session.reference.empty() && !decision.reference.empty()) session.reference = decision.reference;
  if (decision.action_url) session.action_url = *decision.action_url;
}

std::optional<Session> opened_session(const std::vector<Event>& events, const Context& context,
                                      std::pmr::memory_resource* memory) {
  for (const auto& event : events) {
    const auto* opened = std::get_if<PaymentEvent>(&event);
    if (opened == nullptr || opened->type != EventType::payment_session_opened) continue;
    if (opened->next_tender) continue;
    Session session(memory);
    session.number = opened->number;
    session.amount_minor = opened->amount_minor;
    session.currency = opened->currency;
    session.opened_at = context.time;
    session.provider = opened->provider;
    if (opened->terms != nullptr) session.terms = *opened->terms;
    if (opened->tenders != nullptr) keep_tenders(session, *opened->tenders);
    return session;
  }
  return std::nullopt;
}

}  // namespace mayfly::events
