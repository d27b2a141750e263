// What a log takes of one record, as a broker would.
#pragma once

#include "events/log/record.h"

#include <cstddef>
#include <string>

namespace mayfly::adapters {

inline constexpr std::size_t largest_value_bytes = 1024 * 1024;
inline constexpr std::size_t largest_record_bytes = largest_value_bytes + 64 * 1024;  // as bytes_to_write counts
inline constexpr std::size_t record_overhead_bytes = 100;  // of a broker's batch that holds one record, at most
inline constexpr std::size_t header_overhead_bytes = 10;   // of a header in it, at most

/// What a record takes in a broker's log, at most: key, value, headers and what is stored beside them.
[[nodiscard]] inline std::size_t bytes_to_write(const events::NewRecord& record) {
  std::size_t bytes =
      record_overhead_bytes + (record.key ? record.key->size() : 0) + (record.value ? record.value->size() : 0);
  for (const auto& h : record.headers) bytes += header_overhead_bytes + h.name.size() + h.value.size();
  return bytes;
}

/// A sentence if the record is too large or names no partition of the log; empty if it can be taken.
[[nodiscard]] inline std::string refusal(const events::NewRecord& record, std::int32_t partitions) {
  if (record.value && record.value->size() > largest_value_bytes) {
    return "a value of " + std::to_string(record.value->size()) + " bytes is over the limit of 1 MiB per record";
  }
  if (const auto bytes = bytes_to_write(record); bytes > largest_record_bytes) {
    return "a record of " + std::to_string(bytes) + " bytes with its key and headers is over the limit of " +
           std::to_string(largest_record_bytes);
  }
  if (record.partition < 0 || record.partition >= partitions) {
    return "partition " + std::to_string(record.partition) + " is none of the log's " + std::to_string(partitions);
  }
  return {};
}

[[nodiscard]] inline std::size_t size_of(const events::Record& record) {
  std::size_t bytes = (record.key ? record.key->size() : 0) + (record.value ? record.value->size() : 0);
  for (const auto& h : record.headers) bytes += h.name.size() + h.value.size();
  return bytes;
}

}  // namespace mayfly::adapters
