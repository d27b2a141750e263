// Tasks are used again from batch to batch: resetting keeps their buffers unless they have grown large.
#include "actors/cart/task.h"

#include "events/wire/event_json.h"

namespace mayfly::actors {

namespace {

constexpr std::size_t kept_buffer_bytes = 1024;
constexpr std::int64_t large_outcome_bytes = 2 * kept_buffer_bytes;

template <class Buffer>
void reuse(Buffer& buffer) {
  if (buffer.capacity() * sizeof(typename Buffer::value_type) > kept_buffer_bytes) {
    Buffer().swap(buffer);
  } else {
    buffer.clear();
  }
}

}  // namespace

std::int64_t Outcome::buffer_bytes() const {
  const auto texts = data.capacity() + sent.capacity() + sent_to.capacity() + cart.capacity() + session.capacity();
  return static_cast<std::int64_t>(texts + events.capacity() * sizeof(SaidEvent));
}

bool Outcome::is_large() const { return buffer_bytes() > large_outcome_bytes; }

std::int64_t Task::bytes() const {
  const auto said = by_session.events.capacity() + (decided ? decided->events.capacity() : 0);
  return static_cast<std::int64_t>(sizeof(Task) + said * sizeof(events::Event)) + outcome.buffer_bytes();
}

void Outcome::clear() {
  reuse(data);
  reuse(events);
  reuse(sent);
  sent_to.clear();
  wait = {};
  concern = events::Concern::none;
  changed = false;
  reuse(cart);
  reuse(session);
  session_part = SessionPart::kept;
  end.reset();
  newest_session = 0;
  newest_reservation = 0;
  created = {};
}

void Outcome::answer(std::string_view cart_id, const events::Command& command, const events::Decision& decision) {
  if (command.type != events::CommandType::cart_merge_offered) return;
  const auto given = events::answer_to_offer(command, decision.events);
  if (!given) return;
  sent_type = events::CommandType::cart_merge_answered;
  sent_to = given->to;
  append_merge_answer_data(sent, cart_id, *given);
}

void Task::reset() {
  record = nullptr;
  read = {};
  settings = nullptr;
  cart = nullptr;
  segment = nullptr;
  next = nullptr;
  decided.reset();
  by_session = {};
  outcome.clear();
  attempts = 0;
  done = false;
  dead_letter.reset();
  dead_letter_about = {};
  dead_letter_type.reset();
}

}  // namespace mayfly::actors
