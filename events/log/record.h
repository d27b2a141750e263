// Records as logs carry them: bytes, headers, position and append time. Knows no CloudEvents.
#pragma once

#include "events/log/types.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

namespace mayfly::events {

enum class Stream : std::uint8_t { commands, events, state, deadletters, alerts };
inline constexpr int stream_count = 5;
std::string_view name(Stream);

using Bytes = std::string_view;

struct Header {
  Bytes name;
  Bytes value;
};

enum class TimestampType : std::uint8_t { log_append_time, create_time, none };

/// A record read from a stream. Views memory of the batch it came in.
struct Record {
  Position at{};
  Timestamp append_time{};
  TimestampType timestamp_type = TimestampType::log_append_time;
  std::optional<Bytes> key;
  std::optional<Bytes> value;  // none: a tombstone
  std::span<const Header> headers;
};

/// A record to be written. Views memory that its maker keeps until the write has returned.
struct NewRecord {
  Stream stream = Stream::events;
  Partition partition = 0;
  std::optional<Bytes> key;
  std::optional<Bytes> value;
  std::span<const Header> headers;
};

/// Records and whatever owns their bytes. Moving it keeps the views valid.
struct RecordBatch {
  std::vector<Record> records;  // of one partition in offset order; partitions in any order
  std::shared_ptr<const void> storage;
};

}  // namespace mayfly::events
