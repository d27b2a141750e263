// Whether a provider's books come out even with what Mayfly says: every amount is paid for an order, given back,
// released, or listed as at risk.
#pragma once

#include "tools/funds/funds_book.h"
#include "tools/simulate/provider.h"

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace mayfly::tools {

/// Of the sessions of one currency, in minor units.
struct Balance {
  std::int64_t sessions = 0;
  std::int64_t authorized = 0;
  std::int64_t released = 0;
  std::int64_t held = 0;  // must be listed
  std::int64_t captured = 0;
  std::int64_t completed = 0;  // kept for an order
  std::int64_t refunded = 0;
  std::int64_t loose = 0;   // kept for none: must be listed
  std::int64_t listed = 0;  // by Mayfly, of these sessions
};

/// `orders`: the sessions of orders that are placed, and how much each may keep. To `wrong`: a sentence for each
/// session that does not come out even.
[[nodiscard]] std::map<std::string, Balance> balance(const SimulatedProvider::Accounts&,
                                                     const std::map<std::string, std::int64_t>& orders,
                                                     const std::vector<Risk>& listed, std::vector<std::string>& wrong);

/// A table with a line for each currency.
[[nodiscard]] std::string balance_text(const std::map<std::string, Balance>&);

}  // namespace mayfly::tools
