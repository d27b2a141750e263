#include "rules/model/invariants.h"

#include <algorithm>

namespace mayfly::model {

using namespace events;

void Invariants::check(const std::string& cart, bool holds, const char* what) {
  if (!holds && broken_.empty()) broken_ = cart + ": " + what;
}

void Invariants::heard(const Step& step) {
  const auto book = books_.find(step.cart);
  if (book == books_.end() || step.unreadable || step.type != "inventory.reserved") return;
  if (step.reservation_id == step.cart + "-r" + std::to_string(book->second.reservation)) book->second.reserved = true;
}

void Invariants::created(const std::string& cart) { books_[cart] = {}; }

void Invariants::said(const Cart& cart, const Event& event) {
  const std::string id(cart.id);
  auto& book = books_[id];
  check(id, cart.sequence == book.sequence + 1, "the sequence has a gap");
  book.sequence = cart.sequence;
  switch (type_of(event)) {
    case EventType::cart_line_added:
    case EventType::cart_quantity_changed:
    case EventType::cart_line_removed:
    case EventType::cart_adjusted:
    case EventType::cart_merge_started: check(id, !book.frozen, "an edit was accepted while a checkout runs"); break;
    case EventType::cart_merged: check(id, !book.frozen, "a cart was merged while a checkout runs"); break;
    case EventType::checkout_started:
      check(id, !book.frozen, "a second checkout began");
      book.frozen = true;
      book.reserved = false;
      break;
    case EventType::checkout_reopened: book.frozen = false; break;
    case EventType::order_placed: {
      check(id, ++book.orders == 1, "a second order was placed");
      check(id, book.reserved, "an order was placed without a reservation");
      const bool covered = std::max(book.authorized, book.captured) >= cart.total_minor();
      check(id, cart.total_minor() == 0 || covered, "an order was placed that is not authorized in full");
      break;
    }
    case EventType::checkout_completed:
      check(id,
            cart.total_minor() == 0 ||
                book.captured >= std::get<CheckoutCompleted>(event).captured_minor.value_or(cart.total_minor()),
            "completed, not captured in full");
      check(id, book.orders == 1, "completed without an order");
      break;
    default: break;
  }
  if (const auto* stock = std::get_if<InventoryRequested>(&event);
      stock != nullptr && stock->type == EventType::inventory_reservation_requested) {
    book.reservation = stock->number;
  }
  if (const auto* payment = std::get_if<PaymentEvent>(&event)) money(book, cart, *payment);
}

void Invariants::money(Book& book, const Cart& cart, const PaymentEvent& e) {
  const std::string id(cart.id);
  const bool open = book.sessions_opened > book.sessions_ended;
  if (e.type == EventType::payment_session_opened) {
    check(id, !open, "a session was opened while one is open");
    ++book.sessions_opened;
    book.authorized = book.captured = 0;
  }
  if (e.type == EventType::payment_session_ended) {
    check(id, open && e.number == book.sessions_opened, "a session ended that is not open");
    ++book.sessions_ended;
  }
  const bool of_open_session = e.number == book.sessions_opened && e.currency == cart.currency;
  if (of_open_session && e.type == EventType::payment_authorized) book.authorized = e.amount_minor;
  if (of_open_session && e.type == EventType::payment_captured) book.captured = e.amount_minor;
  // A refund that rises asks for the rise under the key of all that was asked back; a late capture of that session asks
  // for all of it under the same key, so that nothing is paid back twice (decisions.md 5, 6).
  const bool late = e.number != book.sessions_opened || book.sessions_opened == book.sessions_ended;
  if (late) {
    check(id, e.key_amount_minor == 0 || e.key_amount_minor == e.amount_minor,
          "a late request's key is not its amount");
  } else if (e.key_amount_minor != 0) {
    check(id, !e.late_key, "an open session asks under a late key");
    const auto key = std::to_string(static_cast<int>(e.type)) + " " + std::to_string(e.number) + " " +
                     std::to_string(e.key_amount_minor);
    const auto known = book.amount_by_key.emplace(key, e.amount_minor).first->second;
    check(id, known == e.amount_minor, "one idempotency key stands for two amounts");
  }
}

void Invariants::said_without_state(const std::string& cart, const Event& event) {
  const auto type = type_of(event);
  const bool late = type == EventType::command_rejected || type == EventType::payment_unresolved ||
                    type == EventType::payment_refund_requested || type == EventType::payment_cancel_requested ||
                    type == EventType::payment_canceled || type == EventType::payment_refunded ||
                    type == EventType::payment_captured || type == EventType::inventory_release_requested ||
                    type == EventType::payment_declined || type == EventType::payment_unmatched ||
                    type == EventType::payment_disputed;
  check(cart, late, "a cart without state said something that only a live one may");
}

void Invariants::ended(const std::string& cart, bool session_open) {
  const auto& book = books_[cart];
  check(cart, !session_open, "a session outlives its cart");
  check(cart, book.sessions_opened == book.sessions_ended, "a cart ended before its session");
}

void Invariants::look(const Cart& cart, const std::optional<Session>& session, const Wait& wait) {
  const std::string id(cart.id);
  auto& book = books_[id];
  check(id, wait.kind != WaitKind::none && wait.length.count > 0, "a live cart waits for nothing");
  check(id, (wait.kind == WaitKind::idle) == (cart.phase == Phase::active), "an active cart waits idly, no other does");
  check(id, (wait.kind == WaitKind::merge) == (cart.phase == Phase::merging),
        "a merging cart waits for the answer, no other does");
  check(id, cart.phase != Phase::merging || !cart.merge_into.empty(), "a cart merges into nothing");
  check(id, session.has_value() == (cart.phase == Phase::paying), "a paying cart has a session, no other has");
  check(id, book.sessions_opened - book.sessions_ended == (session ? 1 : 0), "sessions opened - ended is not open");
  if (!session) return;
  const auto& l = session->ledger;
  check(id, l.captured_minor <= l.authorized_minor, "more is captured than authorized");
  check(id, l.refunded_minor <= l.captured_minor, "more is refunded than captured");
  if (book.ledger_of != session->number) book.ledger[0] = book.ledger[1] = book.ledger[2] = 0;
  book.ledger_of = session->number;
  const std::int64_t now[3] = {l.authorized_minor, l.captured_minor, l.refunded_minor};
  for (int i = 0; i < 3; ++i) {
    check(id, now[i] >= book.ledger[i], "a total went down");
    book.ledger[i] = now[i];
  }
}

}  // namespace mayfly::model
