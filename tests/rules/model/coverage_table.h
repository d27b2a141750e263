// The guards of decisions.md and the words of its section 9, and how often each was met: the proof that a run of random
// sequences went everywhere.
#pragma once

#include "rules/model/coverage.h"

#include <string>

namespace mayfly::model {

struct CoverageTable {
  std::string text;     // a row a guard: times true, times false; a row a word: times produced
  std::string missing;  // what was never true, never false, or never produced, a line each; empty: nothing
};
[[nodiscard]] CoverageTable coverage_table(const Coverage&);

}  // namespace mayfly::model
