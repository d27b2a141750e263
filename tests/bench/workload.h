// Whole checkouts as a stream of commands, replies included: ten commands and eighteen events a cart at five lines.
// Deterministic; keeps only the carts that are open.
#pragma once

#include "events/rules/identity.h"
#include "events/text/precondition.h"

#include <cstdint>
#include <cstdio>
#include <string>
#include <string_view>
#include <vector>

namespace mayfly::bench {

struct WorkCommand {
  std::string key;
  std::string_view type;  // whole ce_type
  std::string id;
  std::string data;
};

class Workload {
 public:
  Workload(std::int64_t carts, int lines, std::int64_t concurrent)
      : carts_(carts), lines_(lines), concurrent_(concurrent) {}

  [[nodiscard]] bool done() const { return finished_ == carts_; }
  [[nodiscard]] std::int64_t finished() const { return finished_; }

  /// The next command. Precondition: not done.
  WorkCommand next() {
    events::precondition(!done(), "Workload::next: there is more to do");
    while (static_cast<std::int64_t>(open_.size()) < concurrent_ && begun_ < carts_) open_.push_back(begin());
    turn_ = (turn_ + 1) % open_.size();
    Open& cart = open_[turn_];
    WorkCommand c;
    c.key = cart.id;
    c.id = "c" + std::to_string(sent_++);
    const int step = cart.step++;
    if (step == 0) {
      c.type = "dev.mayfly.cart.create.v1";
      c.data = R"({"currency":"GBP","customer_id":"cust-)" + std::to_string(random(1'000'000)) + "\"}";
    } else if (step <= lines_) {
      const auto quantity = 1 + random(12);
      const auto price = 42 + random(5000);
      cart.total += quantity * price;
      c.type = "dev.mayfly.cart.add_line.v1";
      c.data = R"({"sku":")" + std::to_string(20'000 + random(5000)) + "X-" + std::to_string(step) +
               R"(","quantity":)" + std::to_string(quantity) + R"(,"unit_price_minor":)" + std::to_string(price) +
               R"(,"name":"WHITE HANGING HEART T-LIGHT HOLDER"})";
    } else if (step == lines_ + 1) {
      c.type = "dev.mayfly.checkout.complete.v1";
      c.data = R"({"expected_total_minor":)" + std::to_string(cart.total) +
               R"(,"payment":{"provider":"stripe","token":"pm_card_visa"}})";
    } else if (step == lines_ + 2) {
      c.type = "dev.mayfly.inventory.reserved.v1";
      c.data = R"({"reservation_id":")" + cart.id + "-r1\"}";
    } else {
      const bool last = step == lines_ + 4;
      c.type = last ? "dev.mayfly.payment.captured.v1" : "dev.mayfly.payment.authorized.v1";
      c.data = R"({"session_id":")" + cart.id + R"(-p1","reference":"pi_)" + std::to_string(sent_) +
               R"(","amount_minor":)" + std::to_string(cart.total) + R"(,"currency":"GBP"})";
      if (last) {
        cart = std::move(open_.back());
        open_.pop_back();
        if (!open_.empty()) turn_ %= open_.size();
        ++finished_;
      }
    }
    return c;
  }

 private:
  struct Open {
    std::string id;
    int step = 0;
    std::int64_t total = 0;
  };
  Open begin() {
    char id[40];
    const auto n = static_cast<unsigned long>(begun_++);
    std::snprintf(id, sizeof id, "018f%04lx-7c00-7000-8000-%012lx", n * 40503UL & 0xffff, n);
    return {id, 0, 0};
  }
  std::int64_t random(std::uint32_t below) {
    seed_ = seed_ * 1664525U + 1013904223U;
    return (seed_ >> 8) % below;
  }
  std::int64_t carts_;
  int lines_;
  std::int64_t concurrent_;
  std::vector<Open> open_;
  std::size_t turn_ = 0;
  std::int64_t begun_ = 0;
  std::int64_t finished_ = 0;
  std::int64_t sent_ = 0;
  std::uint32_t seed_ = 12345;
};

}  // namespace mayfly::bench
