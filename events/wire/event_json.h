// The data of events as JSON (contract.md 7), and the headers round them.
#pragma once

#include "events/log/record.h"
#include "events/rules/cart.h"
#include "events/rules/event.h"
#include "events/rules/merging.h"

#include <string>

namespace mayfly::events {

/// What an event's data may need besides the event.
struct EventSurroundings {
  std::string_view engine;
  std::string_view cart_id;
  const Cart* cart;  // null: the cart does not live (event carries no sequence)
  Position created;  // of the record that created the cart: live carts' or the epitaph's
  Timestamp time;    // of the record that causes it
  const Settings& settings;
  const Command* command;  // null for events that a tick caused
};

/// Appends the event's data object, UTF-8 JSON without spaces. Precondition: the cart has not evolved past it, and
/// lives if the event tells of its lines, total or newest reservation.
void append_event_data(std::string& out, const Event&, const EventSurroundings&);

/// Appends the data of command.dead_lettered. `deadline_of`: the cart whose deadline, fired by the tick there, it is.
void append_dead_lettered_data(std::string& out, DeadLetterReason, Position, std::string_view command_type,
                               std::string_view command_id, std::string_view deadline_of = {});

/// Appends the data of cart.merge_offered: all lines of the cart. At most limits::offer_bytes, whatever cart it is.
void append_merge_offer_data(std::string& out, const Cart&, Offset merge);
/// Appends the data of cart.merge_answered.
void append_merge_answer_data(std::string& out, std::string_view from, const MergeAnswer&);

/// A sentence for a person about a refusal: what, and what to do. It is part of events: those of old logs are decided
/// again to the same bytes only while it stays as it is.
[[nodiscard]] std::string_view sentence(Code);
[[nodiscard]] std::string_view sentence(DeadLetterReason);

}  // namespace mayfly::events
