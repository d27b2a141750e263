// The rules of events/ against the model on random command sequences: every event, alert and wait after every step.
// MAYFLY_SEED is the first sequence's seed, MAYFLY_SEQUENCES how many follow; MAYFLY_SEED=n MAYFLY_SEQUENCES=1 repeats
// the one that a failure names.
#include "rules/model/model.h"
#include "rules/model/coverage_table.h"
#include "rules/model/engine_side.h"
#include "rules/model/generator.h"

#include <doctest/doctest.h>

#include <cstdlib>
#include <optional>
#include <stdexcept>

using namespace mayfly::model;

namespace {

constexpr std::size_t epitaphs = 128;  // a page of each queue: they overflow in a test

struct Difference {
  std::size_t step;
  std::string text;
};

std::string joined(const std::vector<std::string>& lines) {
  std::string text;
  for (const auto& line : lines) text += "    " + line + "\n";
  return text;
}

/// Both sides take the step; what differs, if anything does.
std::optional<std::string> differ(Model& model, EngineSide& engine, const Step& step) {
  const auto expected = model.take(step);
  std::vector<std::string> got;
  try {
    got = engine.take(step);
  } catch (const std::exception& e) {
    got = {std::string("exception: ") + e.what()};
  }
  if (got != expected) return "  model:\n" + joined(expected) + "  engine:\n" + joined(got);
  if (!engine.broken().empty()) return "  broken: " + engine.broken() + "\n  both:\n" + joined(got);
  return std::nullopt;
}

std::optional<Difference> replay(const std::vector<Step>& steps, bool sleeps) {
  Coverage unused;
  Model model(unused, epitaphs);
  EngineSide engine(epitaphs, sleeps);
  for (std::size_t i = 0; i < steps.size(); ++i) {
    if (auto text = differ(model, engine, steps[i])) return Difference{i, *text};
  }
  return std::nullopt;
}

/// Drops steps while what is left still differs.
std::vector<Step> shrink(std::vector<Step> steps, bool sleeps) {
  for (std::size_t chunk = steps.size() / 2; chunk > 0; chunk = chunk > 1 ? (chunk + 1) / 2 : 0) {
    for (std::size_t from = 0; from + chunk <= steps.size();) {
      auto fewer = steps;
      fewer.erase(fewer.begin() + static_cast<std::ptrdiff_t>(from),
                  fewer.begin() + static_cast<std::ptrdiff_t>(from + chunk));
      const auto difference = replay(fewer, sleeps);
      if (difference) {
        fewer.resize(difference->step + 1);
        steps = fewer;
      } else {
        from += chunk;
      }
    }
  }
  return steps;
}

/// One sequence; what went wrong, shrunk, or nothing.
std::optional<std::string> run(std::uint64_t seed, Coverage& coverage, std::uint64_t& steps_taken) {
  const bool sleeps = seed % 4 == 0;
  Model model(coverage, epitaphs);
  EngineSide engine(epitaphs, sleeps);
  Generator generator(seed);
  std::vector<Step> steps;
  while (!generator.done()) {
    steps.push_back(generator.next(model));
    ++steps_taken;
    if (!differ(model, engine, steps.back())) continue;
    const auto few = shrink(steps, sleeps);
    std::string text = "MAYFLY_SEED=" + std::to_string(seed) + " MAYFLY_SEQUENCES=1 differs at step " +
                       std::to_string(steps.size()) + "; enough to show it:\n";
    for (const auto& step : few) text += "  " + describe(step) + "\n";
    return text + replay(few, sleeps)->text;
  }
  return std::nullopt;
}

std::uint64_t from_environment(const char* name, std::uint64_t otherwise) {
  const char* given = std::getenv(name);
  return given != nullptr ? std::stoull(given) : otherwise;
}

}  // namespace

TEST_CASE("the rules say what the model says, on random sequences, and no invariant breaks") {
  const std::uint64_t first = from_environment("MAYFLY_SEED", 0);
  const std::uint64_t count = from_environment("MAYFLY_SEQUENCES", 5000);
  Coverage coverage;
  std::uint64_t steps = 0;
  int differences = 0;
  for (std::uint64_t seed = first; seed < first + count && differences < 3; ++seed) {
    const auto difference = run(seed, coverage, steps);
    if (!difference) continue;
    ++differences;
    MESSAGE(*difference);
  }
  CHECK(differences == 0);
  MESSAGE("MAYFLY_SEED=", first, " MAYFLY_SEQUENCES=", count, ": ", steps, " steps");
  if (count < 5000) return;
  const auto table = coverage_table(coverage);
  MESSAGE(table.text);
  CHECK(table.missing == "");
}
