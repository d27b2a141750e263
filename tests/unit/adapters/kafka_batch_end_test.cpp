#include "adapters/kafka/kafka_batch_end.h"

#include <doctest/doctest.h>

#include <cmath>

using mayfly::adapters::kafka::BatchEnd;
using mayfly::events::Offset;

TEST_CASE("the end of a batch of any size is found, exactly and soon") {
  for (const Offset first : {Offset{0}, Offset{5}, Offset{1} << 40}) {
    for (Offset size = 1; size < 3'000; size += 1 + size / 9) {
      CAPTURE(first);
      CAPTURE(size);
      BatchEnd search(first);
      int tries = 0;
      while (!search.end() && tries < 100) {
        ++tries;
        CHECK(search.at() > first);
        if (search.at() < first + size) {
          search.met_it();
        } else {
          search.met_it_not();
        }
      }
      CHECK(search.end() == first + size);
      CHECK(tries <= 2 + 2 * static_cast<int>(std::log2(size)));
    }
  }
}
