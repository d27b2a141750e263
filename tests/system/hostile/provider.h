// A payment provider with its own books. It sees requests and nothing else of the engine: not its carts, not its state.
// One account per session; one idempotency key, at most one success; a session's requests in order; declined, canceled
// and not_found close the account for good.
#pragma once

#include "system/hostile/answering.h"
#include "tools/funds/funds_book.h"

#include <nlohmann/json.hpp>

#include <cstdio>
#include <map>
#include <optional>
#include <set>
#include <string>

namespace mayfly::hostile {

struct Account {
  std::string cart;
  std::string currency;
  std::int64_t asked = 0;
  std::int64_t authorized = 0;  // totals, minor units
  std::int64_t captured = 0;
  std::int64_t canceled = 0;  // of what was authorized
  std::int64_t refunded = 0;
  bool closed = false;  // takes no more money
  bool declined = false;
  bool needs_buyer = false;
  std::optional<events::Timestamp> pending_until;
  std::set<std::string> done;  // keys that had their success
};

class Provider {
 public:
  Provider(Outbox& out, const Rates& rates, Chance& chance)
      : answers_(out, rates, chance), rates_(rates), chance_(chance) {}

  /// A payment.*_requested event.
  void take(events::Timestamp now, const std::string& cart, std::string_view type, const nlohmann::json& data);
  /// Authorizes what was pending and is due.
  void settle_pending(events::Timestamp now);
  /// From here on everything asked for is done and answered.
  void become_reliable() { answers_.become_reliable(); }
  /// A person looks a session up and lets the connector say what is true. `collect`: takes what is held for an order.
  void look_up(events::Timestamp now, const tools::Risk&, bool collect);
  /// The books, one account a line.
  void write_books(std::FILE*) const;
  [[nodiscard]] std::optional<events::Timestamp> next_pending() const;

 private:
  void authorize(events::Timestamp now, const std::string& session, Account&);
  void capture(events::Timestamp now, const std::string& session, Account&, const std::string& key,
               std::int64_t amount);
  void cancel(events::Timestamp now, const std::string& session, Account&, const std::string& key);
  void refund(events::Timestamp now, const std::string& session, Account&, const std::string& key, std::int64_t amount);
  void status(events::Timestamp now, const std::string& session, Account&);
  void say(events::Timestamp now, const std::string& session, const Account&, std::string_view type,
           std::int64_t amount);
  std::int64_t perhaps_wrong(std::int64_t amount, bool may_be_more);

  Answering answers_;
  const Rates& rates_;
  Chance& chance_;
  std::map<std::string, Account> accounts_;                // by session id
  std::multimap<events::Timestamp, std::string> pending_;  // sessions
};

}  // namespace mayfly::hostile
