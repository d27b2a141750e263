// One record of a partition's commands as the generator makes it: what the model and the engine are both given.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace mayfly::model {

struct StepAdjustment {
  std::string kind;
  std::string label;
  std::int64_t amount_minor = 0;
  bool included = false;
  std::string sku{}, line_id{};  // of the line that it is bound to
};

struct StepLine {
  std::string sku, name;
  std::int64_t quantity = 0, price = 0;
  std::string line_id, attributes;
  std::int64_t per_quantity = 1;
};

/// What of a record is wrong before its command is read (decisions.md 1); nothing: a command like any other.
struct Record {
  bool over_64_kib = false;
  bool of_64_kib = false;
  std::string specversion = "1.0";
  bool key_is_cart_id = true;
  std::string subject;  // none if empty
  bool type_known = true;
  bool data_is_object = true;
  bool right_partition = true;
  std::string source = "shop";
  std::string reply_sources;         // the setting, for this record alone
  std::string type = "cart.cancel";  // another is only read: the step ends with whether it may be a command
};

struct Step {
  std::string type;  // the names of contract.md 6: cart.create, payment.captured, clock.tick, ...
  std::string cart;  // the key; none for clock.tick
  std::string id;    // ce_id; the source is always the same
  std::int64_t offset = 0;
  std::int64_t time = 0;  // append time, ms

  std::optional<Record> record;  // of a cart.cancel: given as bytes, through the reader
  bool unreadable = false;       // a member is missing or wrong; the amounts can be read

  // Data members, under the names of contract.md 6. Empty: not given.
  std::string currency, customer_id, sku, name, reason, into, provider, token, session_id, reservation_id, reference,
      url, state, line_id, from, code;
  std::int64_t merge = -1;      // of cart.merge_offered and cart.merge_answered
  std::vector<StepLine> lines;  // of cart.merge_offered
  std::optional<std::int64_t> expires_after_s, attempt;
  std::int64_t quantity = 0;
  std::int64_t unit_price_minor = 0;
  std::int64_t per_quantity = 1;
  std::optional<std::string> attributes;  // as JSON; none: not given
  std::int64_t amount_minor = 0;
  std::int64_t expected_total_minor = 0;
  std::int64_t authorized_minor = 0;
  std::int64_t captured_minor = 0;
  std::int64_t refunded_minor = 0;
  bool retryable = false;
  bool payment = false;  // checkout.complete has one
  bool on_command = false;
  std::int64_t capture_within_s = 0, settles_within_s = 0, extra_up_to_minor = 0;  // 0: not given
  std::optional<std::int64_t> total_minor;                                         // payment.capture
  bool final = false;
  std::vector<StepAdjustment> adjustments;
  std::vector<std::string> skus;

  // clock.tick
  std::optional<std::int64_t> at;
  std::int64_t through = 0;
  std::vector<std::pair<std::string, std::int64_t>> settings;  // what this tick changes, by the names of numbers.h
};

/// The type and all members of a shop command: what makes a repeated id the same command.
[[nodiscard]] std::string body_of(const Step&);
/// The whole step on one line, for a person.
[[nodiscard]] std::string describe(const Step&);

}  // namespace mayfly::model
