#include "tools/drive/drive_target.h"

#include "tools/console/numbers.h"
#include "tools/records/each_record.h"
#include "tools/records/record_text.h"

#include <algorithm>

namespace mayfly::tools {

using events::Partition;
using events::Record;
using events::Stream;

std::string driven_name(std::string_view source_id, events::Position at) {
  std::string name(source_id);
  name.append("-").append(std::to_string(at.partition)).append("-").append(std::to_string(at.offset));
  return name;
}

std::optional<events::Position> driven_from(const Record& record, std::string_view source_id) {
  auto name = header(record, driven_header);
  if (!name.starts_with(source_id) || name.size() <= source_id.size() || name[source_id.size()] != '-')
    return std::nullopt;
  name.remove_prefix(source_id.size() + 1);
  return position_from_text(name, '-');
}

events::LogStatus look_at_target(events::LogClient& log, std::string_view source_id, DriveTarget& target) {
  std::string engine;
  if (auto status = engine_of(log, engine); !status.ok()) return status;
  const auto own_source = "/mayfly/" + engine;
  target = {};
  target.last.resize(static_cast<std::size_t>(log.partitions()));
  events::LogStatus status;
  for (Partition p = 0; p < log.partitions() && status.ok(); ++p) {
    bool first = true;
    status = each_record(log, Stream::commands, p, [&](const Record& record) {
      if (first) target.firsts.push_back({record.at, record.append_time});
      first = false;
      if (const auto from = driven_from(record, source_id)) {
        target.last[static_cast<std::size_t>(p)] = from;
        ++target.driven;
      } else if (header(record, "ce_source") != own_source && short_type(record) != "clock.tick") {
        if (target.others++ == 0) target.first_other = record.at;
      }
      return true;
    });
  }
  return status;
}

bool is_same_log(const std::vector<FirstCommand>& one, const std::vector<FirstCommand>& other) {
  return std::any_of(one.begin(), one.end(),
                     [&](const auto& first) { return std::find(other.begin(), other.end(), first) != other.end(); });
}

}  // namespace mayfly::tools
