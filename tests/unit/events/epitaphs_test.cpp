// Epitaphs against an obvious, slow model: two deques of what ended, with restores from pages at random moments.
#include "events/state/epitaphs.h"

#include "unit/events/seed.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstring>
#include <deque>
#include <map>
#include <memory>
#include <memory_resource>
#include <string>
#include <vector>

namespace mayfly::events {

static bool operator==(const Ended& a, const Ended& b) {
  return a.created == b.created && a.outcome == b.outcome && a.order_session == b.order_session &&
         a.newest_session == b.newest_session && a.newest_reservation == b.newest_reservation;
}

namespace {

constexpr Timestamp noon{1'795'521'600'000};

/// Evenly spread, as SHA-256 is.
CartHash hash_number(std::uint64_t n) {
  CartHash hash{};
  std::uint64_t bits = n * 0x9e37'79b9'7f4a'7c15 + 1;
  bits ^= bits >> 29;
  bits *= 0xbf58'476d'1ce4'e5b9;
  std::memcpy(hash.data(), &bits, 8);
  std::memcpy(hash.data() + 8, &n, 8);
  return hash;
}

Ended ended(Offset created, int newest_session) {
  const auto outcome = newest_session > 0 ? CartOutcome::converted_paid : CartOutcome::expired;
  return {created, outcome, newest_session, newest_session, 2};
}

std::string page_key(std::string_view slot) { return "\001e" + std::string(slot); }

using Pages = std::map<std::string, std::string>;

void take_pages(Epitaphs& epitaphs, Pages& pages) {
  Pages taken;
  epitaphs.take_dirty_pages([&](std::string_view key, std::string_view bytes) {
    CHECK(taken.emplace(key, bytes).second);  // each page once
  });
  for (auto& [key, bytes] : taken) pages[key] = std::move(bytes);
}

/// In the order given by `order`, which is used up.
template <class Random>
std::unique_ptr<Epitaphs> restored_from(const Pages& pages, Timestamp ticked, std::int64_t with, std::int64_t without,
                                        Random& random) {
  std::vector<std::pair<std::string, std::string>> any_order(pages.begin(), pages.end());
  std::shuffle(any_order.begin(), any_order.end(), random);
  auto epitaphs = std::make_unique<Epitaphs>(with, without);
  for (const auto& [key, bytes] : any_order) {
    CHECK(Epitaphs::is_page_key(key));
    const auto no = epitaphs->restore_page(key, bytes);
    CAPTURE((no ? no->message : ""));
    REQUIRE_FALSE(no);
  }
  REQUIRE_FALSE(epitaphs->restored(ticked));
  return epitaphs;
}

/// What decisions.md 6 says, as slowly as it says it.
class Model {
 public:
  Model(std::int64_t with, std::int64_t without) : capacity_{with, without} {}

  void add(const CartHash& hash, const Ended& e, Timestamp time) {
    auto& queue = queues_[e.newest_session > 0 ? 0 : 1];
    queue.push_back({hash, e, time.ms / 1000});
    if (std::ssize(queue) > capacity_[e.newest_session > 0 ? 0 : 1]) queue.pop_front();
  }
  void forget(Timestamp ticked) { ticked_s_ = std::max(ticked_s_, ticked.ms / 1000); }

  [[nodiscard]] std::optional<Ended> find(const CartHash& hash) const {
    for (const auto& queue : queues_) {
      for (const auto& one : queue) {
        if (one.hash == hash && !old(one)) return one.ended;
      }
    }
    return std::nullopt;
  }
  /// Would it be gone after n more in its queue?
  [[nodiscard]] bool may_go_out(const CartHash& hash, std::int64_t n) const {
    for (const int which : {0, 1}) {
      const auto& queue = queues_[which];
      for (std::int64_t i = 0; i < std::ssize(queue); ++i) {
        if (queue[static_cast<std::size_t>(i)].hash != hash || old(queue[static_cast<std::size_t>(i)])) continue;
        return std::ssize(queue) - i + n > capacity_[which];
      }
    }
    return false;
  }

 private:
  struct One {
    CartHash hash;
    Ended ended;
    std::int64_t ended_s;
  };
  [[nodiscard]] bool old(const One& one) const {
    return one.ended_s < ticked_s_ - (one.ended.newest_session > 0 ? 35 * 24 : 72) * 3600;
  }
  std::int64_t capacity_[2];
  std::deque<One> queues_[2];
  std::int64_t ticked_s_ = 0;
};

/// Counts what is held.
class Counting : public std::pmr::memory_resource {
 public:
  std::size_t held = 0;

 private:
  void* do_allocate(std::size_t bytes, std::size_t alignment) override {
    held += bytes;
    return std::pmr::new_delete_resource()->allocate(bytes, alignment);
  }
  void do_deallocate(void* p, std::size_t bytes, std::size_t alignment) override {
    held -= bytes;
    std::pmr::new_delete_resource()->deallocate(p, bytes, alignment);
  }
  [[nodiscard]] bool do_is_equal(const memory_resource& other) const noexcept override { return this == &other; }
};

}  // namespace

TEST_CASE("an epitaph says all that late words ask for") {
  Epitaphs epitaphs(128, 128);
  const Ended cases[] = {
      {1'000'000'000'000, CartOutcome::converted_paid, 32, 32, 32},
      {0, CartOutcome::converted_unpaid, 1, 2, 3},
      {5, CartOutcome::expired, 0, 0, 0},
      {6, CartOutcome::canceled, 0, 1, 1},
      {7, CartOutcome::merged, 0, 0, 1},
  };
  std::uint64_t n = 0;
  for (const auto& e : cases) epitaphs.add(hash_number(n++), e, noon);
  CHECK(epitaphs.size() == 5);
  n = 0;
  for (const auto& e : cases) CHECK(epitaphs.find(hash_number(n++)) == e);
  CHECK_FALSE(epitaphs.find(hash_number(n)));
}

TEST_CASE("the oldest of a full queue goes out, and only of that queue") {
  Epitaphs epitaphs(128, 128);
  for (std::uint64_t n = 0; n < 128; ++n) epitaphs.add(hash_number(n), ended(1, 1), noon);
  epitaphs.add(hash_number(1000), ended(1, 0), noon);
  CHECK(epitaphs.evicted() == 0);
  CHECK(epitaphs.may_go_out(hash_number(0), 1));
  CHECK_FALSE(epitaphs.may_go_out(hash_number(0), 0));
  CHECK_FALSE(epitaphs.may_go_out(hash_number(1000), 127));
  CHECK(epitaphs.may_go_out(hash_number(1000), 128));
  CHECK_FALSE(epitaphs.may_go_out(hash_number(2000), 1'000));
  epitaphs.add(hash_number(128), ended(1, 1), noon);
  CHECK(epitaphs.evicted() == 1);
  CHECK_FALSE(epitaphs.find(hash_number(0)));
  CHECK(epitaphs.find(hash_number(1)));
  CHECK(epitaphs.find(hash_number(1000)));
}

TEST_CASE(
    "an epitaph is forgotten a second after 72 hours, of a cart that opened a session after 35 days, not before") {
  const struct {
    int newest_session;
    Millis after;
    bool found;
  } cases[] = {{0, 0_s, true},
               {0, 72_h, true},
               {0, {limits::epitaph_age.count + 999}, true},
               {0, {limits::epitaph_age.count + 1'000}, false},
               {0, 100_h, false},
               {1, 73_h, true},
               {1, 35_d, true},
               {1, {limits::epitaph_age_with_session.count + 999}, true},
               {1, {limits::epitaph_age_with_session.count + 1'000}, false}};
  for (const auto& c : cases) {
    CAPTURE(c.after.count);
    Epitaphs epitaphs(128, 128);
    epitaphs.add(hash_number(1), ended(1, c.newest_session), noon);
    epitaphs.forget(noon + c.after);
    CHECK(epitaphs.find(hash_number(1)).has_value() == c.found);
    CHECK(epitaphs.size() == (c.found ? 1 : 0));
  }
}

TEST_CASE("an old epitaph behind a younger one is not found, before and after a restore") {
  std::mt19937_64 random;
  Epitaphs epitaphs(128, 128);
  epitaphs.add(hash_number(1), ended(1, 1), noon + 1_h);
  epitaphs.add(hash_number(2), ended(2, 1), noon);  // append time went back
  const auto ticked = noon + 35_d + 1_s;
  epitaphs.forget(ticked);
  epitaphs.add(hash_number(3), ended(3, 0), noon);  // old when it comes
  Pages pages;
  take_pages(epitaphs, pages);
  const auto again = restored_from(pages, ticked, 128, 128, random);
  for (const auto* one : {&epitaphs, &*again}) {
    CHECK(one->find(hash_number(1)));
    CHECK_FALSE(one->find(hash_number(2)));
    CHECK_FALSE(one->find(hash_number(3)));
    CHECK(one->size() == 2);
  }
}

TEST_CASE("time that goes back forgets nothing more and brings nothing back") {
  Epitaphs epitaphs(128, 128);
  epitaphs.add(hash_number(1), ended(1, 1), noon);
  epitaphs.forget(noon + 36_d);
  epitaphs.forget(noon);
  CHECK_FALSE(epitaphs.find(hash_number(1)));
}

TEST_CASE("a page holds 128 epitaphs under its slot's key and is written only when changed") {
  Epitaphs epitaphs(256, 128);
  Pages pages;
  take_pages(epitaphs, pages);
  CHECK(pages.empty());
  for (std::uint64_t n = 0; n < 129; ++n) epitaphs.add(hash_number(n), ended(1, 1), noon);
  epitaphs.add(hash_number(1000), ended(1, 0), noon);
  take_pages(epitaphs, pages);
  REQUIRE(pages.size() == 3);
  CHECK(pages.at(page_key("0")).size() == 13 + 128 * 32);
  CHECK(pages.at(page_key("1")).size() == 13 + 32);
  CHECK(pages.at(page_key("2")).size() == 13 + 32);
  pages.clear();
  epitaphs.add(hash_number(1001), ended(1, 0), noon);
  epitaphs.forget(noon + 1_h);
  take_pages(epitaphs, pages);
  REQUIRE(pages.size() == 1);
  CHECK(pages.begin()->first == page_key("2"));
}

TEST_CASE("random adds, forgets, evictions and restores find what the obvious model finds") {
  auto random = tests::seeded();
  for (int history = 0; history < 12; ++history) {
    const auto with = std::int64_t{128} * (1 + static_cast<std::int64_t>(random() % 4));
    const auto without = std::int64_t{128} * (1 + static_cast<std::int64_t>(random() % 2));
    Model model(with, without);
    auto epitaphs = std::make_unique<Epitaphs>(with, without);
    Pages pages;
    Timestamp now = noon;
    Timestamp ticked{};
    std::uint64_t next = 0;
    const auto slowest_s = 1 + random() % 3'000;
    for (int step = 0; step < 40; ++step) {
      for (auto adds = random() % 200; adds > 0; --adds) {
        now = now + Millis{static_cast<std::int64_t>(random() % (1'000 * slowest_s))};
        const auto time = random() % 10 == 0 ? now - Millis{static_cast<std::int64_t>(random() % 36'000'000)} : now;
        const auto e = ended(static_cast<Offset>(next), static_cast<int>(random() % 3));
        epitaphs->add(hash_number(next), e, time);
        model.add(hash_number(next), e, time);
        ++next;
      }
      if (random() % 3 == 0) {
        if (random() % 8 == 0) now = now + (random() % 2 == 0 ? 73_h : 36_d);
        ticked = std::max(ticked, now);
        epitaphs->forget(ticked);
        model.forget(ticked);
      }
      if (random() % 2 == 0) take_pages(*epitaphs, pages);
      if (random() % 3 == 0) {
        take_pages(*epitaphs, pages);
        const auto size = epitaphs->size();
        epitaphs = restored_from(pages, ticked, with, without, random);
        CHECK(epitaphs->size() == size);
      }
      const auto first = next > 1'500 ? next - 1'500 : 0;
      for (auto n = first; n < next + 3; n += 1 + random() % 4) {
        const auto more = static_cast<std::int64_t>(random() % 300);
        if (epitaphs->find(hash_number(n)) != model.find(hash_number(n)) ||
            epitaphs->may_go_out(hash_number(n), more) != model.may_go_out(hash_number(n), more)) {
          FAIL("history ", history, " step ", step, " epitaph ", n, " of ", next);
        }
      }
    }
  }
}

TEST_CASE("after every single add a restore finds the same, through two laps and a bit") {
  std::mt19937_64 random;
  Epitaphs epitaphs(256, 128);
  Pages pages;
  for (std::uint64_t n = 0; n < 600; ++n) {
    epitaphs.add(hash_number(n), ended(static_cast<Offset>(n), 1), noon);
    take_pages(epitaphs, pages);
    const auto again = restored_from(pages, noon, 256, 128, random);
    CHECK(again->size() == epitaphs.size());
    for (std::uint64_t i = n < 258 ? 0 : n - 258; i <= n; i += 5) {
      if (again->find(hash_number(i)) != epitaphs.find(hash_number(i))) FAIL("epitaph ", i, " after ", n);
    }
  }
}

TEST_CASE("a restored engine writes the pages that the one before would have written") {
  auto random = tests::seeded();
  Epitaphs epitaphs(256, 128);
  Pages pages;
  Timestamp now = noon;
  for (std::uint64_t n = 0; n < 2'000; ++n) {
    now = now + Millis{static_cast<std::int64_t>(random() % 4'000'000)};
    epitaphs.add(hash_number(n), ended(1, static_cast<int>(n % 3)), now);
    epitaphs.forget(now);
    if (random() % 20 != 0) continue;
    take_pages(epitaphs, pages);
    auto again = restored_from(pages, now, 256, 128, random);
    Pages ours;
    Pages theirs;
    const auto last = n + 1 + random() % 200;
    for (++n; n <= last; ++n) {
      epitaphs.add(hash_number(n), ended(1, static_cast<int>(n % 3)), now);
      again->add(hash_number(n), ended(1, static_cast<int>(n % 3)), now);
    }
    take_pages(epitaphs, ours);
    take_pages(*again, theirs);
    CHECK((ours == theirs));
    for (const auto& [key, bytes] : ours) pages[key] = bytes;
  }
}

TEST_CASE("a full set takes at most 48 bytes per epitaph, an emptied one nearly nothing") {
  Counting memory;
  Epitaphs epitaphs(128 * 256, 128 * 64, &memory);
  CHECK(memory.held == 0);
  double most = 0;
  for (std::uint64_t n = 0; n < 128 * 300; ++n) {
    epitaphs.add(hash_number(n), ended(1, n % 5 == 0 ? 0 : 1), noon);
    if (n >= 10'000) most = std::max(most, static_cast<double>(memory.held) / static_cast<double>(epitaphs.size()));
  }
  MESSAGE("bytes per epitaph, at most: ", most);
  CHECK(most <= 48);
  epitaphs.forget(noon + 36_d);
  CHECK(epitaphs.size() == 0);
  CHECK(memory.held < 32'000);
}

TEST_CASE("pages that cannot be read are refused with a sentence") {
  Epitaphs written(256, 128);
  Pages pages;
  for (std::uint64_t n = 0; n < 130; ++n) written.add(hash_number(n), ended(1, 1), noon);
  take_pages(written, pages);
  const auto page = pages.at(page_key("1"));
  auto changed = [&](std::size_t at, char byte) {
    auto copy = page;
    copy[at] = byte;
    return copy;
  };
  const struct {
    std::string key, bytes;
    std::string_view said;
  } cases[] = {
      {page_key("1"), "", "is cut short or damaged"},
      {page_key("1"), page.substr(0, page.size() - 1), "is cut short or damaged"},
      {page_key("1"), page + "x", "is cut short or damaged"},
      {page_key("0"), page, "is cut short or damaged"},
      {page_key("1"), changed(0, 2), "has layout version 2, but this program reads layouts up to version 1"},
      {page_key("1"), changed(2, 2), "belongs to a queue of 512"},
      {page_key("1"), changed(13 + 28, 6), "is cut short or damaged"},
      {page_key("1"), changed(12, '\x7f'), "is cut short or damaged"},
      {page_key("2"), page, "belongs to a queue of 256"},
      {page_key("3"), page, "has no page of epitaphs '3'"},
      {page_key(""), page, "has no page of epitaphs ''"},
      {page_key("1x"), page, "has no page of epitaphs '1x'"},
      {page_key("-1"), page, "has no page of epitaphs '-1'"},
  };
  for (const auto& c : cases) {
    Epitaphs epitaphs(256, 128);
    const auto no = epitaphs.restore_page(c.key, c.bytes);
    CAPTURE(c.key);
    CAPTURE(c.said);
    REQUIRE(no);
    CAPTURE(no->message);
    CHECK(no->message.find(c.said) != std::string::npos);
  }
  for (std::size_t size = 0; size < page.size(); ++size) {
    Epitaphs epitaphs(256, 128);
    CHECK(epitaphs.restore_page(page_key("1"), page.substr(0, size)));
  }
}

TEST_CASE("a missing page is noticed") {
  Epitaphs written(256, 128);
  Pages pages;
  for (std::uint64_t n = 0; n < 130; ++n) written.add(hash_number(n), ended(1, 1), noon);
  take_pages(written, pages);
  Epitaphs epitaphs(256, 128);
  REQUIRE_FALSE(epitaphs.restore_page(page_key("1"), pages.at(page_key("1"))));
  const auto no = epitaphs.restored(noon);
  REQUIRE(no);
  CHECK(no->message.find("page 0") != std::string::npos);
}

TEST_CASE("garbled pages are refused or read, and never do harm") {
  auto random = tests::seeded();
  Epitaphs written(256, 128);
  Pages pages;
  for (std::uint64_t n = 0; n < 300; ++n) written.add(hash_number(n), ended(1, 1), noon);
  take_pages(written, pages);
  for (int round = 0; round < 2'000; ++round) {
    Epitaphs epitaphs(256, 128);
    for (auto [key, bytes] : pages) {
      for (auto flips = random() % 3; flips > 0; --flips) {
        bytes[random() % (random() % 2 == 0 ? 13 : bytes.size())] = static_cast<char>(random());
      }
      (void)epitaphs.restore_page(key, bytes);
    }
    if (epitaphs.restored(noon)) continue;
    for (std::uint64_t n = 0; n < 300; ++n) (void)epitaphs.find(hash_number(n));
    for (std::uint64_t n = 1'000; n < 1'400; ++n) epitaphs.add(hash_number(n), ended(1, 1), noon);
    CHECK(epitaphs.find(hash_number(1'399)));
  }
}

TEST_CASE("capacities are whole pages that the index can number") {
  CHECK_THROWS(Epitaphs(127, 128));
  CHECK_THROWS(Epitaphs(128, 0));
  CHECK_THROWS(Epitaphs(524'288, 128));
  CHECK_NOTHROW(Epitaphs());
}

}  // namespace mayfly::events
