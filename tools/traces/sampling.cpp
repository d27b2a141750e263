#include "tools/traces/sampling.h"

#include "events/text/number.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <system_error>

namespace mayfly::tools {

namespace {

// https://www.w3.org/TR/trace-context/#traceparent-header
constexpr std::size_t trace_at = 3;
constexpr std::size_t parent_at = 36;
constexpr std::size_t flags_at = 53;

/// Digits of a number that is not 0: an id of zeros is none.
void write_hex(std::uint64_t number, char* digits) {
  constexpr std::string_view of = "0123456789abcdef";
  for (int i = 15; i >= 0; --i, number >>= 4) digits[i] = of[number & 0xf];
}

std::uint64_t not_zero(std::mt19937_64& random) {
  std::uint64_t number = 0;
  while (number == 0) number = random();
  return number;
}

std::uint64_t from_hex(std::string_view digits) { return events::number_in<std::uint64_t>(digits, 16).value_or(0); }

}  // namespace

std::optional<Sampler> Sampler::named(std::string_view name, std::string_view argument) {
  constexpr std::string_view by_parent = "parentbased_";
  Sampler sampler;
  sampler.heeds_parent = name.empty() || name.starts_with(by_parent);
  const auto root = name.starts_with(by_parent) ? name.substr(by_parent.size()) : name;
  if (name.empty() || root == "always_off") return sampler;
  if (root != "always_on" && root != "traceidratio") return std::nullopt;
  sampler.ratio = 1;
  if (root == "always_on" || argument.empty()) return sampler;
  const auto [stopped, wrong] = std::from_chars(argument.data(), argument.data() + argument.size(), sampler.ratio);
  const bool fits =
      wrong == std::errc{} && stopped == argument.data() + argument.size() && sampler.ratio >= 0 && sampler.ratio <= 1;
  return fits ? std::optional(sampler) : std::nullopt;
}

std::optional<Sampling::Place> Sampling::place(std::string_view traceparent) {
  Place place;
  if (traceparent.empty()) {
    if (sampler_.ratio <= 0) return std::nullopt;
    place.trace = new_trace();
    return takes({place.trace.data(), place.trace.size()}) ? std::optional(place) : std::nullopt;
  }
  const auto trace = traceparent.substr(trace_at, place.trace.size());
  const bool sampled = (from_hex(traceparent.substr(flags_at, 2)) & 1) != 0;
  if (sampler_.heeds_parent ? !sampled : !takes(trace)) return std::nullopt;
  std::copy_n(trace.data(), trace.size(), place.trace.data());
  place.parent.emplace();
  std::copy_n(traceparent.data() + parent_at, place.parent->size(), place.parent->data());
  return place;
}

std::array<char, 32> Sampling::new_trace() {
  std::array<char, 32> digits{};
  write_hex(not_zero(random_), digits.data());
  write_hex(not_zero(random_), digits.data() + 16);
  return digits;
}

std::array<char, 16> Sampling::new_span() {
  std::array<char, 16> digits{};
  write_hex(not_zero(random_), digits.data());
  return digits;
}

bool Sampling::takes(std::string_view trace) const {
  if (sampler_.ratio >= 1) return true;
  constexpr double all = 9'223'372'036'854'775'808.0;  // 2^63
  return static_cast<double>(from_hex(trace.substr(16)) >> 1U) < sampler_.ratio * all;
}

}  // namespace mayfly::tools
