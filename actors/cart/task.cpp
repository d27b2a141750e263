// Tasks are used again from batch to batch: resetting keeps their buffers unless they have grown large.
#include "actors/cart/task.h"

namespace mayfly::actors {

namespace {

constexpr std::size_t kept_buffer_bytes = 1024;

void reuse(std::string& s) {
  if (s.capacity() > kept_buffer_bytes) {
    std::string().swap(s);
  } else {
    s.clear();
  }
}

}  // namespace

std::int64_t Outcome::buffer_bytes() const {
  const auto texts =
      data.capacity() + merge_lines.capacity() + merge_into.capacity() + cart.capacity() + session.capacity();
  const auto lists = events.capacity() * sizeof(SaidEvent) + merge_ends.capacity() * sizeof(std::uint32_t);
  return static_cast<std::int64_t>(texts + lists);
}

std::int64_t Task::bytes() const {
  const auto said = by_session.events.capacity() + (decided ? decided->events.capacity() : 0);
  return static_cast<std::int64_t>(sizeof(Task) + said * sizeof(events::Event)) + outcome.buffer_bytes();
}

void Outcome::clear() {
  reuse(data);
  events.clear();
  reuse(merge_lines);
  merge_ends.clear();
  merge_into.clear();
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
