#include "tools/replay/checkpoint.h"

#include "events/rules/identity.h"
#include "events/state/epitaphs.h"
#include "events/state/snapshot.h"
#include "tools/console/text.h"
#include "tools/records/bundle_file.h"
#include "tools/records/derived_id.h"
#include "tools/replay/replay_timeline.h"

#include <utility>

namespace mayfly::tools {

using events::LogError;
using events::LogStatus;
using events::Partition;

namespace {

constexpr int checkpoint_version = 1;

std::string read_head(const nlohmann::json& line, Checkpoint& into) {
  constexpr std::int64_t most_partitions = 1'024;
  const auto version = line.value("mayfly_checkpoint", nlohmann::json());
  if (!version.is_number_integer()) return "it is no checkpoint";
  if (version != checkpoint_version) return "it is of version " + version.dump() + ", this program knows 1";
  const auto partitions = line.value("partitions", nlohmann::json());
  const auto engine = line.value("engine", nlohmann::json());
  if (!partitions.is_number_integer() || partitions < 1 || partitions > most_partitions || !engine.is_string())
    return "its first line names no partitions or no engine";
  into.parts.resize(partitions.get<std::size_t>());
  into.engine = engine.get<std::string>();
  return {};
}

std::string read_part(const nlohmann::json& line, Checkpoint& into) {
  for (const auto* member : {"partition", "next", "time_ms"}) {
    if (!line.contains(member) || !line[member].is_number_integer()) return "a partition's line is not whole";
  }
  const auto p = line["partition"].get<std::int64_t>();
  if (p < 0 || p >= std::ssize(into.parts)) return "it has a partition too many";
  auto& part = into.parts[static_cast<std::size_t>(p)];
  part.next = line["next"].get<events::Offset>();
  part.time.ms = line["time_ms"].get<std::int64_t>();
  return part.next < 0 ? "a partition's line is not whole" : "";
}

}  // namespace

bool write_checkpoint(const Checkpoint& checkpoint, std::ostream& out) {
  BundleWriter writer(out);
  writer.line({{"mayfly_checkpoint", checkpoint_version},
               {"partitions", checkpoint.parts.size()},
               {"engine", checkpoint.engine}});
  for (std::size_t p = 0; p < checkpoint.parts.size(); ++p) {
    const auto& part = checkpoint.parts[p];
    writer.line({{"partition", p}, {"next", part.next}, {"time_ms", part.time.ms}});
    for (const auto& [key, value] : part.records) {
      events::Record record;
      record.at.partition = static_cast<Partition>(p);
      record.append_time = part.time;
      record.key = key;
      record.value = value;
      writer.line(bundle_line(events::Stream::state, record));
    }
  }
  return writer.finish();
}

std::string read_checkpoint(std::istream& in, Checkpoint& into) {
  into = {};
  BundleRecord read;
  return read_bundle(in, [&](const nlohmann::json& line, const BundleBlock&) -> std::string {
    if (into.parts.empty()) return read_head(line, into);
    if (!line.contains("stream")) return read_part(line, into);
    if (auto wrong = read_bundle_line(line, read); !wrong.empty()) return wrong;
    const auto p = static_cast<std::size_t>(read.record.at.partition);
    if (read.stream != events::Stream::state || p >= into.parts.size() || !read.record.key || !read.record.value)
      return "it holds what is no state";
    into.parts[p].records.insert_or_assign(read.key, read.value);
    return {};
  });
}

LogStatus check_checkpoint(events::LogClient& log, const Checkpoint& checkpoint) {
  if (std::ssize(checkpoint.parts) != log.partitions())
    return {LogError::invalid, "The checkpoint is of a log with another number of partitions."};
  for (Partition p = 0; p < log.partitions(); ++p) {
    const auto commands = log.ends(events::Stream::commands, p);
    if (!commands.status.ok()) return commands.status;
    const auto next = checkpoint.parts[static_cast<std::size_t>(p)].next;
    if (next <= commands.end) continue;
    return {LogError::invalid, "The checkpoint is of another log, or the log was put back: partition " +
                                   std::to_string(p) + " ends at offset " + std::to_string(commands.end) +
                                   ", the checkpoint at " + std::to_string(next) + "."};
  }
  return {};
}

LogStatus begins_before(const Recorded& recorded, const Moment& moment) {
  if (!recorded.from) return {};
  for (std::size_t p = 0; p < recorded.from->parts.size(); ++p) {
    const auto& part = recorded.from->parts[p];
    const bool by_offset = moment.at && moment.at->partition == static_cast<Partition>(p);
    if (by_offset ? moment.at->offset + 1 >= part.next : moment.time >= part.time) continue;
    return {LogError::invalid, "The checkpoint is of " + time_text(part.time) +
                                   ". What was before is not in it: give a later moment, or an earlier checkpoint."};
  }
  return {};
}

LogStatus begin_replay(const Recorded& recorded, Partition p, ReplayedPartition& partition, events::Offset& first) {
  first = 0;
  if (!recorded.from) return {};
  const auto& part = recorded.from->parts[static_cast<std::size_t>(p)];
  first = part.next;
  for (const auto& [key, value] : part.records) {
    if (const auto wrong = partition.restore(key, value); !wrong.empty()) return {LogError::corrupt, wrong};
  }
  const auto wrong = partition.restored();
  return wrong.empty() ? LogStatus{} : LogStatus{LogError::corrupt, wrong};
}

LogStatus carts_of_id_from(events::LogClient& log, const Recorded& recorded, const std::string& id,
                           std::vector<std::string>& carts, const std::function<void()>& read) {
  if (recorded.from) {
    for (const auto& reading : readings_of(id)) {
      const auto p = static_cast<std::size_t>(events::partition_of(reading.cart, log.partitions()));
      if (!recorded.from->parts[p].records.contains(reading.cart)) continue;
      carts.push_back(reading.cart);
      return {};
    }
  }
  return carts_of_id(log, id, carts, read);
}

Checkpoint::Part part_of(ReplayedPartition& partition, const Checkpoint::Part* from, events::Timestamp time) {
  Checkpoint::Part part;
  part.next = partition.position().next;
  part.time = time;
  if (part.next == 0) return part;
  // Pages of epitaphs are given where they have changed.
  for (const auto& record : from != nullptr ? from->records : decltype(part.records)()) {
    if (events::Epitaphs::is_page_key(record.first)) part.records.insert(record);
  }
  partition.save([&](std::string_view key, std::string_view value) {
    part.records.insert_or_assign(std::string(key), std::string(value));
  });
  return part;
}

}  // namespace mayfly::tools
