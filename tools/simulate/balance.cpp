#include "tools/simulate/balance.h"

#include "tools/console/text.h"

#include <algorithm>
#include <array>
#include <utility>

namespace mayfly::tools {

namespace {

constexpr std::size_t column_width = 16;

struct Column {
  const char* name;
  std::int64_t Balance::*member;
};
constexpr Column columns[] = {
    {"sessions", &Balance::sessions}, {"authorized", &Balance::authorized}, {"released", &Balance::released},
    {"held", &Balance::held},         {"captured", &Balance::captured},     {"completed", &Balance::completed},
    {"refunded", &Balance::refunded}, {"loose", &Balance::loose},           {"listed", &Balance::listed}};

std::string right(const std::string& text) {
  return std::string(column_width - std::min(column_width - 1, text.size()), ' ') + text;
}

}  // namespace

std::map<std::string, Balance> balance(const SimulatedProvider::Accounts& accounts,
                                       const std::map<std::string, std::int64_t>& orders,
                                       const std::vector<Risk>& listed, std::vector<std::string>& wrong) {
  std::map<std::string, std::int64_t> listed_of;
  for (const auto& risk : listed) listed_of[risk.session] += risk.amount_minor;
  std::map<std::string, Balance> balances;
  for (const auto& [session, a] : accounts) {
    const auto kept = a.captured - a.refunded;
    const auto order = orders.find(session);
    const auto completed = order == orders.end() ? 0 : std::min(kept, order->second);
    const auto held = std::max<std::int64_t>(0, a.held());
    const auto is_listed = listed_of[session];
    auto& sums = balances[a.currency];
    ++sums.sessions;
    sums.authorized += a.authorized;
    sums.released += a.canceled;
    sums.held += held;
    sums.captured += a.captured;
    sums.completed += completed;
    sums.refunded += a.refunded;
    sums.loose += kept - completed;
    sums.listed += is_listed;
    const auto at_risk = held + kept - completed;
    if (a.held() < 0 || kept < 0) {
      wrong.push_back(session + ": more was captured, released or refunded than there was");
    } else if (at_risk > is_listed) {
      wrong.push_back(session + ": " + grouped(at_risk) + " of " + a.currency +
                      " are held or taken for no order, and " + grouped(is_listed) + " are listed");
    }
  }
  return balances;
}

std::string balance_text(const std::map<std::string, Balance>& balances) {
  std::string text = "currency";
  for (const auto& column : columns) text += right(column.name);
  for (const auto& [currency, sums] : balances) {
    text += "\n" + currency;
    text += std::string(std::string_view("currency").size() - std::min<std::size_t>(currency.size(), 8), ' ');
    for (const auto& column : columns) text += right(grouped(sums.*column.member));
  }
  return text + "\n";
}

}  // namespace mayfly::tools
