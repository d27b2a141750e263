// A simulated payment service with its own books. It sees requests and nothing else of the engine: not its carts, not
// its state. One account per session; one idempotency key, at most one success; a session's requests in order;
// declined, canceled and not_found close the account for good. All chances come from the seed and the request's id: the
// same requests come to the same books.
#pragma once

#include "tools/simulate/answering.h"

#include <map>
#include <optional>
#include <set>
#include <string>

namespace mayfly::tools {

struct ProviderAccount {
  std::string cart;
  std::string currency;
  std::int64_t asked = 0;
  std::int64_t extra = 0;       // that may be kept beyond it
  std::int64_t added = 0;       // of that, by the buyer
  std::int64_t authorized = 0;  // totals, minor units
  std::int64_t captured = 0;
  std::int64_t canceled = 0;  // of what was authorized
  std::int64_t refunded = 0;
  bool on_command = false;  // the money is taken in parts, and the last one says so
  bool settles = false;     // days later
  bool closed = false;      // takes no more money
  bool declined = false;
  bool needs_buyer = false;
  std::optional<events::Timestamp> pending_until;
  std::set<std::string> done;  // keys that had their success
  std::string request;         // the authorization's, which is answered again when it is pending no more
  std::string correlation_id;
  events::Position at{};

  /// Authorized, and neither captured nor canceled.
  [[nodiscard]] std::int64_t held() const { return authorized - captured - canceled; }
};

class SimulatedProvider {
 public:
  using Accounts = std::map<std::string, ProviderAccount>;  // by session
  /// All three outlive it.
  SimulatedProvider(Outbox& out, const Rates& rates, Chance& chance)
      : answers_(out, rates, chance), rates_(rates), chance_(chance) {}

  /// A payment.*_requested event.
  void take(events::Timestamp now, const ConnectorRequest&);
  /// Decides what was pending and is due.
  void settle_pending(events::Timestamp now);
  /// Decides what is pending of the requests of that partition, each at its time.
  void settle_all(events::Partition);
  /// From here on everything asked for is done and answered.
  void become_reliable() { answers_.become_reliable(); }
  void forget(const std::string& session) { accounts_.erase(session); }
  /// The books, one account a line.
  [[nodiscard]] std::string books_as_ndjson() const;
  [[nodiscard]] const Accounts& accounts() const { return accounts_; }
  /// When the next pending one is due.
  [[nodiscard]] std::optional<events::Timestamp> next_pending() const;
  /// Moves each position back to the first authorization that is pending.
  void hold_back(std::vector<events::Position>& next) const;

 protected:
  void status(events::Timestamp now, const std::string& session, ProviderAccount&);
  /// What a status says of it. An account of which nothing is known is closed by that.
  [[nodiscard]] static std::string status_of(const std::string& session, ProviderAccount&);
  void say(events::Timestamp now, const std::string& session, const ProviderAccount&, std::string_view type,
           std::int64_t amount);
  Answering answers_;
  Accounts accounts_;

 private:
  void begin(events::Timestamp now, const std::string& session, ProviderAccount&, const ConnectorRequest&);
  void wait(events::Timestamp now, const std::string& session, ProviderAccount&, const nlohmann::json& terms);
  void settle(events::Timestamp now, const std::string& session, ProviderAccount&);
  void authorize(events::Timestamp now, const std::string& session, ProviderAccount&);
  void capture(events::Timestamp now, const std::string& session, ProviderAccount&, const std::string& key,
               std::int64_t amount, bool final);
  void cancel(events::Timestamp now, const std::string& session, ProviderAccount&, const std::string& key);
  void refund(events::Timestamp now, const std::string& session, ProviderAccount&, const std::string& key,
              std::int64_t amount);
  void perhaps_disputed(events::Timestamp now, const std::string& session, const ProviderAccount&);
  std::int64_t perhaps_wrong(std::int64_t amount, bool may_be_more);

  const Rates& rates_;
  Chance& chance_;
  std::multimap<events::Timestamp, std::string> pending_;  // sessions; those that are decided already are passed over
};

}  // namespace mayfly::tools
