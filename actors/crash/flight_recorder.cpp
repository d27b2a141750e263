#include "actors/crash/flight_recorder.h"

#include "events/rules/settings.h"

#include <pthread.h>

#include <algorithm>
#include <cstring>
#include <ctime>
#include <stdexcept>
#include <utility>

namespace mayfly::actors {

namespace {

constexpr std::uint64_t format = 0x31'594c'4659'414d;  // "MAYFLY1"

std::uint64_t hash_of_cart(std::string_view cart) { return std::hash<std::string_view>{}(cart); }

/// The slot that a thread was given, and by which recorder.
struct Claimed {
  std::uint64_t recorder = 0;
  FlightRecorder::Slot* slot = nullptr;
};
thread_local Claimed claimed_slot;
std::atomic<std::uint64_t> recorders{0};

}  // namespace

/// One thread's place: written by that thread only. Odd marks: it decides.
struct alignas(64) FlightRecorder::Slot {
  std::atomic<std::uint64_t> marks;
  std::atomic<std::int32_t> partition;
  std::atomic<std::int64_t> offset;
  std::atomic<std::uint64_t> cart;
};

struct FlightRecorder::Page {
  std::uint64_t format;
  std::uint64_t in_use;  // 1: not ended cleanly yet
  Slot slots[threads];
  Suspect suspects[most_suspects];
  std::uint64_t in_flight;  // records; behind what earlier versions have, whose files are made longer with zeros
};

const std::size_t FlightRecorder::bytes = sizeof(Page) + alignof(Page);

FlightRecorder::FlightRecorder(std::span<std::byte> memory, std::function<void()> sync)
    : sync_(std::move(sync)), number_(++recorders), beyond_(std::make_unique<Slot>()) {
  open(memory);
}

FlightRecorder::FlightRecorder()
    : own_(bytes / sizeof(std::max_align_t) + 1), number_(++recorders), beyond_(std::make_unique<Slot>()) {
  open(std::as_writable_bytes(std::span(own_)));
}

void FlightRecorder::open(std::span<std::byte> memory) {
  void* begin = memory.data();
  std::size_t space = memory.size();
  page_ = static_cast<Page*>(std::align(alignof(Page), sizeof(Page), begin, space));
  if (page_ == nullptr) throw std::invalid_argument("a flight recorder needs FlightRecorder::bytes of memory");
  if (page_->format != format) {
    std::memset(begin, 0, sizeof(Page));
    page_->format = format;
  }
  if (page_->in_use != 0) {
    suspect_all();
    died_with_ = page_->in_flight;
  }
  page_->in_flight = 0;
  for (auto& slot : page_->slots) slot.marks = 0;
  page_->in_use = 1;
  recount();
  if (sync_) sync_();
}

FlightRecorder::~FlightRecorder() {
  page_->in_use = 0;
  if (sync_) sync_();
}

FlightRecorder::Slot& FlightRecorder::slot() {
  if (claimed_slot.recorder == number_) return *claimed_slot.slot;
  const auto at = claimed_.fetch_add(1);
  if (at >= threads) {
    claimed_slot = {number_, beyond_.get()};
    return *beyond_;
  }
  clockid_t clock{};
  if (pthread_getcpuclockid(pthread_self(), &clock) == 0) clocks_[at] = clock;
  claimed_slot = {number_, &page_->slots[at]};
  return *claimed_slot.slot;
}

// --- suspects ------------------------------------------------------------------------------------------------------

/// What was under decision when the process died. A cart and its session may both have been at one record: one death.
void FlightRecorder::suspect_all() {
  const auto& slots = page_->slots;
  for (const auto& slot : slots) {
    const auto same = [&](const Slot& other) {
      return other.marks % 2 == 1 && other.partition == slot.partition && other.offset == slot.offset &&
             other.cart == slot.cart;
    };
    if (std::find_if(std::begin(slots), std::end(slots), same) == &slot) {
      suspect({slot.partition, 1, slot.offset, slot.cart});
    }
  }
}

/// Counts a death against it. Where there is no place, those that died least often make room.
void FlightRecorder::suspect(const Suspect& one) {
  Suspect* place = nullptr;
  for (auto& known : page_->suspects) {
    const bool same =
        known.deaths > 0 && known.partition == one.partition && known.offset == one.offset && known.cart == one.cart;
    if (same) {
      ++known.deaths;
      return;
    }
    if (place == nullptr || known.deaths < place->deaths) place = &known;
  }
  *place = one;
}

void FlightRecorder::recount() {
  const auto& all = page_->suspects;
  suspected_ = static_cast<std::size_t>(
      std::count_if(std::begin(all), std::end(all), [](const Suspect& s) { return s.deaths > 0; }));
}

std::optional<events::Offset> FlightRecorder::next_suspect(events::Partition partition, events::Offset from) const {
  std::optional<events::Offset> next;
  std::scoped_lock lock(mutex_);
  for (const auto& s : page_->suspects) {
    if (s.deaths == 0 || s.partition != partition || s.offset < from) continue;
    next = next ? std::min(*next, s.offset) : s.offset;
  }
  return next;
}

bool FlightRecorder::condemned(events::Position at, std::string_view cart) const {
  if (nobody_suspected()) return false;
  const auto hash = hash_of_cart(cart);
  std::scoped_lock lock(mutex_);
  return std::any_of(std::begin(page_->suspects), std::end(page_->suspects), [&](const Suspect& s) {
    return s.deaths >= events::limits::attempts && s.partition == at.partition && s.offset == at.offset &&
           s.cart == hash;
  });
}

std::vector<Suspect> FlightRecorder::suspects() const {
  std::vector<Suspect> all;
  std::scoped_lock lock(mutex_);
  for (const auto& s : page_->suspects) {
    if (s.deaths > 0) all.push_back(s);
  }
  return all;
}

void FlightRecorder::passed(events::Partition partition, events::Offset next) {
  if (nobody_suspected()) return;
  std::scoped_lock lock(mutex_);
  for (auto& s : page_->suspects) {
    if (s.deaths > 0 && s.partition == partition && s.offset < next) s = {};
  }
  recount();
  if (sync_) sync_();
}

void FlightRecorder::in_flight(std::size_t records) { page_->in_flight = records; }

// --- watching ------------------------------------------------------------------------------------------------------

std::vector<FlightRecorder::Thread> FlightRecorder::look() const {
  std::vector<Thread> all(std::min(claimed_.load(), threads));
  for (std::size_t i = 0; i < all.size(); ++i) {
    all[i].marks = page_->slots[i].marks.load(std::memory_order_acquire);
    timespec used{};
    if (clock_gettime(clocks_[i].load(), &used) == 0) all[i].cpu_ms = used.tv_sec * 1000 + used.tv_nsec / 1'000'000;
  }
  return all;
}

void FlightRecorder::blame_only(std::size_t thread) {
  for (std::size_t i = 0; i < threads; ++i) {
    if (i != thread) page_->slots[i].marks = 0;
  }
}

Deciding::Deciding(FlightRecorder& recorder, events::Position at, std::string_view cart) : slot_(recorder.slot()) {
  slot_.partition.store(at.partition, std::memory_order_relaxed);
  slot_.offset.store(at.offset, std::memory_order_relaxed);
  slot_.cart.store(hash_of_cart(cart), std::memory_order_relaxed);
  slot_.marks.store(slot_.marks.load(std::memory_order_relaxed) | 1U, std::memory_order_release);
}

Deciding::~Deciding() {
  slot_.marks.store((slot_.marks.load(std::memory_order_relaxed) | 1U) + 1, std::memory_order_release);
}

}  // namespace mayfly::actors
