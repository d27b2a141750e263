// Which commands become spans: as their sender says in its traceparent, and else as the sampler of the environment
// (OTEL_TRACES_SAMPLER) says.
#pragma once

#include "tools/traces/span.h"

#include <cstdint>
#include <optional>
#include <random>
#include <string_view>

namespace mayfly::tools {

/// Of commands without a parent: the part that is sampled, 0 to 1. A command with a parent is sampled as that is.
struct Sampler {
  double ratio = 0;
  /// "always_off", "parentbased_always_off", ..., with OTEL_TRACES_SAMPLER_ARG; empty: parentbased_always_off. None
  /// where it is no sampler that Mayfly knows, or the argument of a ratio is no number from 0 to 1.
  [[nodiscard]] static std::optional<Sampler> named(std::string_view name, std::string_view argument);
  bool heeds_parent = true;  // false: of the samplers without parentbased_, which decide of every command
};

/// Makes ids and decides. Not shared between threads.
class Sampling {
 public:
  Sampling(Sampler sampler, std::uint64_t seed) : sampler_(sampler), random_(seed) {}

  /// Of a command with this traceparent, which is well-formed or empty: where its span stands in its trace, without an
  /// id of its own; none: it is not sampled.
  struct Place {
    std::array<char, 32> trace{};
    std::optional<std::array<char, 16>> parent;
  };
  [[nodiscard]] std::optional<Place> place(std::string_view traceparent);

  [[nodiscard]] std::array<char, 32> new_trace();
  [[nodiscard]] std::array<char, 16> new_span();

 private:
  /// By the trace's id, so that all who sample by a ratio come to the same.
  [[nodiscard]] bool takes(std::string_view trace) const;

  Sampler sampler_;
  std::mt19937_64 random_;
};

}  // namespace mayfly::tools
