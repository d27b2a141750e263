// A log that makes whole checkouts as it is polled, as many as wanted a second of simulated time, and forgets what is
// committed, but for alerts where a file is given.
#pragma once

#include "events/log/log.h"
#include "events/rules/identity.h"
#include "tools/records/record_text.h"
#include "unit/actors/commands.h"

#include <array>
#include <cstdint>
#include <cstdio>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace mayfly::leaks {

/// Each poll moves the clock by a step and gives that step's commands. A cart says one each twenty steps, ten in all.
class TrafficLog final : public events::Log {
 public:
  static constexpr std::int32_t partition_count = 2;
  TrafficLog(testing::SetClock& clock, std::function<void()> at_step) : clock_(clock), at_step_(std::move(at_step)) {}

  std::int64_t carts_per_s = 2'000;
  events::Millis step{50};
  std::FILE* alerts = nullptr;  // written there a line each, as `tail --json` does; null: not kept

  [[nodiscard]] std::int32_t partitions() const override { return partition_count; }
  events::Polled poll(const events::PollLimits&) override {
    events::Polled polled;
    if (!taken_) {
      taken_ = true;
      polled.taken = {0, 1};
      return polled;
    }
    at_step_();
    clock_.time.ms += step.count;
    auto made = std::make_shared<Made>();
    const auto begun = begun_;
    begun_ += carts_per_s * step.count / 1000;
    cohorts_.push_front({begun, begun_});
    if (cohorts_.size() > commands * steps_between) cohorts_.pop_back();
    for (std::size_t i = 0; i * steps_between < cohorts_.size(); ++i) {
      const auto cohort = cohorts_[i * steps_between];
      for (auto cart = cohort.first; cart < cohort.second; ++cart) make(*made, cart, i);
    }
    for (events::Partition p = 0; p < partition_count; ++p) {
      for (auto& tick : ticks_[static_cast<std::size_t>(p)]) made->of[static_cast<std::size_t>(p)].push_back(tick);
      ticks_[static_cast<std::size_t>(p)].clear();
      for (auto& command : made->of[static_cast<std::size_t>(p)]) polled.batch.records.push_back(record(command, p));
    }
    polled.batch.storage = made;
    return polled;
  }
  events::Restored restore(events::Partition, const std::function<void(events::Bytes, events::Bytes)>&) override {
    return {};
  }
  void start(events::Partition, events::Offset) override {}
  events::CommitResult commit(const events::Commit& commit) override {
    if (alerts == nullptr) return {};
    for (const auto& made : commit.records) {
      if (made.stream != events::Stream::alerts) continue;
      const events::Record record{{made.partition, ++alerts_},
                                  clock_.now(),
                                  events::TimestampType::log_append_time,
                                  made.key,
                                  made.value,
                                  made.headers};
      std::fprintf(alerts, "%s\n", tools::as_ndjson(record).c_str());
    }
    std::fflush(alerts);
    return {};
  }
  events::LogStatus append(const events::NewRecord& tick) override {
    Command command;
    command.type = "dev.mayfly.clock.tick.v1";
    command.data = *tick.value;
    command.id = "tick";
    ticks_[static_cast<std::size_t>(tick.partition)].push_back(std::move(command));
    return {};
  }

 private:
  static constexpr std::size_t commands = 10;
  static constexpr std::size_t steps_between = 20;
  struct Command {
    std::string key;  // empty: none
    std::string id;
    std::string_view type;
    std::string data;
    std::array<events::Header, 4> headers{};
  };
  struct Made {
    std::array<std::deque<Command>, partition_count> of;
  };

  static void make(Made& made, std::int64_t cart, std::size_t step) {
    constexpr std::size_t lines = 5;
    Command c;
    c.key = "018f0000-7c00-7000-8000-" + std::to_string(100'000'000'000 + cart);
    c.id = std::to_string(cart) + "-" + std::to_string(step);
    if (step == 0) {
      c.type = "dev.mayfly.cart.create.v1";
      c.data = R"({"currency":"GBP","customer_id":"cust-)" + std::to_string(cart) + "\"}";
    } else if (step <= lines) {
      c.type = "dev.mayfly.cart.add_line.v1";
      c.data = R"({"sku":"SKU-)" + std::to_string(step) +
               R"(","quantity":1,"unit_price_minor":100,"name":"WHITE HANGING HEART T-LIGHT HOLDER"})";
    } else if (step == lines + 1) {
      c.type = "dev.mayfly.checkout.complete.v1";
      c.data = R"({"expected_total_minor":500,"payment":{"provider":"stripe","token":"pm_card_visa"}})";
    } else if (step == lines + 2) {
      c.type = "dev.mayfly.inventory.reserved.v1";
      c.data = R"({"reservation_id":")" + c.key + "-r1\"}";
    } else {
      c.type = step == lines + 3 ? "dev.mayfly.payment.authorized.v1" : "dev.mayfly.payment.captured.v1";
      c.data = R"({"session_id":")" + c.key + R"(-p1","reference":"pi_1","amount_minor":500,"currency":"GBP"})";
    }
    const auto partition = static_cast<std::size_t>(events::partition_of(c.key, partition_count));
    made.of[partition].push_back(std::move(c));
  }

  events::Record record(Command& c, events::Partition p) {
    c.headers = {{{"ce_specversion", "1.0"},
                  {"ce_id", c.id},
                  {"ce_source", c.key.empty() ? "/mayfly/mayfly" : "/shop"},
                  {"ce_type", c.type}}};
    events::Record r;
    r.at = {p, next_[static_cast<std::size_t>(p)]++};
    r.append_time = clock_.time;
    if (!c.key.empty()) r.key = c.key;
    r.value = c.data;
    r.headers = c.headers;
    return r;
  }

  testing::SetClock& clock_;
  std::function<void()> at_step_;
  bool taken_ = false;
  std::int64_t begun_ = 0;
  events::Offset alerts_ = 0;
  std::deque<std::pair<std::int64_t, std::int64_t>> cohorts_;  // carts begun in each step, newest first
  std::array<std::vector<Command>, partition_count> ticks_;
  std::array<events::Offset, partition_count> next_{};
};

}  // namespace mayfly::leaks
