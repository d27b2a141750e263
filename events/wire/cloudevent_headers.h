// The headers of a CloudEvent in binary mode, as everything in this program writes them (contract.md 3).
#pragma once

#include "events/log/record.h"

#include <cstddef>
#include <string_view>
#include <vector>

namespace mayfly::events {

/// Views: what they view outlives the headers that are made of them. Empty texts are left out, but for the first three.
struct CloudEventHeaders {
  std::string_view id;
  std::string_view source;
  std::string_view type;
  std::string_view subject{};
  std::string_view time{};
  std::string_view sequence{};
  std::string_view causation_id{};
  std::string_view correlation_id{};
  std::string_view traceparent{};

  static constexpr std::size_t most = 11;

  /// `add(name, value)` for each, in the order in which they are written.
  template <class Add>
  void each(Add add) const {
    const auto add_given = [&add](std::string_view name, std::string_view value) {
      if (!value.empty()) add(name, value);
    };
    add("ce_specversion", "1.0");
    add("ce_id", id);
    add("ce_source", source);
    add("ce_type", type);
    add_given("ce_subject", subject);
    add_given("ce_time", time);
    add("content-type", "application/json");
    add_given("ce_sequence", sequence);
    add_given("ce_causationid", causation_id);
    add_given("ce_correlationid", correlation_id);
    add_given("traceparent", traceparent);
  }
  [[nodiscard]] std::vector<Header> list() const {
    std::vector<Header> headers;
    headers.reserve(most);
    each([&headers](std::string_view name, std::string_view value) { headers.push_back({name, value}); });
    return headers;
  }
};

/// ce_type of every alert, whoever raises it.
inline constexpr std::string_view alert_type = "dev.mayfly.alert.raised.v1";

}  // namespace mayfly::events
