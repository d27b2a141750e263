#include "actors/crash/rounds.h"

#include <utility>

namespace mayfly::actors {

std::vector<events::RecordBatch> rounds(events::RecordBatch batch, const FlightRecorder& flight) {
  std::vector<events::RecordBatch> all;
  if (flight.nobody_suspected()) {
    all.push_back(std::move(batch));
    return all;
  }
  const auto& records = batch.records;
  for (std::size_t begin = 0; begin < records.size();) {
    const auto at = records[begin].at;
    const auto suspect = flight.next_suspect(at.partition, at.offset);
    const bool alone = suspect == at.offset;
    std::size_t end = begin + 1;
    while (!alone && end < records.size() && records[end].at.partition == at.partition &&
           (!suspect || records[end].at.offset < *suspect)) {
      ++end;
    }
    const auto from = records.begin() + static_cast<std::ptrdiff_t>(begin);
    all.push_back({{from, from + static_cast<std::ptrdiff_t>(end - begin)}, batch.storage});
    begin = end;
  }
  return all;
}

}  // namespace mayfly::actors
