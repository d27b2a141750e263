#include "tools/replay/replay_sums.h"

#include "events/rules/identity.h"
#include "tools/console/text.h"
#include "tools/replay/replay_state.h"

#include <type_traits>

namespace mayfly::tools {

namespace {

// These alone are read for what is in them.
constexpr std::string_view rejected = "command.rejected";
constexpr std::string_view placed = "order.placed";
constexpr std::string_view captured = "payment.captured";
constexpr std::string_view refunded = "payment.refunded";
constexpr std::string_view unresolved = "payment.unresolved";
constexpr std::string_view session_ended = "payment.session_ended";

template <class T>
T member_of(const nlohmann::json& data, const char* name, const T& otherwise) {
  const auto found = data.find(name);
  if constexpr (std::is_same_v<T, std::string>) {
    return found != data.end() && found->is_string() ? found->get<T>() : otherwise;
  } else {
    return found != data.end() && found->is_number_integer() ? found->get<T>() : otherwise;
  }
}

std::string shorter_number(std::int64_t n, std::size_t columns) {
  const auto text = grouped(n);
  return text.size() < columns ? std::string(columns - text.size(), ' ') + text : text;
}

}  // namespace

void SummedEvents::begin_with(const ReplayedPartition& partition) {
  partition.each_cart([&](const ReplayedCart& cart) {
    if (!cart.session) return;
    const std::string id(std::string_view(events::session_id(cart.cart.id, cart.session->number)));
    captured_[id] = cart.session->ledger.captured_minor;
    refunded_[id] = cart.session->ledger.refunded_minor;
  });
}

void SummedEvents::count(std::string_view type, const std::string& text) {
  ++sums_[std::string(type)];
  if (type != rejected && type != placed && type != captured && type != refunded && type != unresolved &&
      type != session_ended)
    return;
  const auto data = nlohmann::json::parse(text, nullptr, false);
  if (!data.is_object()) return;  // another program's
  const auto currency = member_of<std::string>(data, "currency", "XXX");
  const auto session = member_of<std::string>(data, "session_id", "");
  const auto amount = member_of<std::int64_t>(data, "amount_minor", 0);
  if (type == rejected) ++sums_["command.rejected " + member_of<std::string>(data, "code", "")];
  if (type == placed) sums_["money ordered " + currency] += member_of<std::int64_t>(data, "total_minor", 0);
  if (type == captured) add_total("money captured " + currency, captured_[session], amount);
  if (type == refunded) add_total("money refunded " + currency, refunded_[session], amount);
  if (type == unresolved) sums_["money unresolved " + currency] += amount;
  if (type == session_ended) {
    ++sums_["payment.session_ended " + member_of<std::string>(data, "outcome", "")];
    captured_.erase(session);
    refunded_.erase(session);
  }
}

/// Events tell totals so far.
void SummedEvents::add_total(const std::string& sum, std::int64_t& before, std::int64_t total) {
  sums_[sum] += total - before;
  before = total;
}

std::string sum_line(const std::string& name, std::int64_t one, std::int64_t other) {
  constexpr std::size_t name_columns = 44;
  constexpr std::size_t number_columns = 14;
  const auto more = other - one;
  return padded(name, name_columns) + " " + shorter_number(one, number_columns) + " -> " +
         shorter_number(other, number_columns) + "  " + (more > 0 ? "+" : "") + std::to_string(more) + "\n";
}

}  // namespace mayfly::tools
