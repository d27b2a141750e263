#include "tools/bundle/export_resume.h"

#include "events/state/snapshot.h"
#include "tools/records/bundle_file.h"
#include "tools/records/each_record.h"

#include <utility>

namespace mayfly::tools {

using events::LogError;
using events::LogStatus;
using events::Offset;
using events::Partition;
using events::Stream;

namespace {

constexpr int resume_version = 1;

/// Of the record before that offset; empty if there is none.
LogStatus sha256_before(events::LogClient& log, Partition p, Offset next, std::string& sha256) {
  sha256.clear();
  if (next == 0) return {};
  const auto read = log.read(Stream::commands, p, next - 1, {1, 1, events::Millis{0}});
  for (const auto& record : read.batch.records) {
    if (record.at.offset == next - 1) sha256 = events::sha256_hex(bundle_line(Stream::commands, record).dump());
  }
  return read.status;
}

LogStatus begin_part(events::LogClient& log, Partition p, ExportBegin& into) {
  auto& part = into.parts[static_cast<std::size_t>(p)];
  auto status = each_record(log, Stream::state, p, [&](const events::Record& record) {
    if (record.key != events::position_key || !record.value) return true;
    add_position(*record.value, record.at, into.recorded);
    part.position = bundle_line(Stream::state, record);
    return true;
  });
  for (const auto stream : {Stream::commands, Stream::events, Stream::deadletters, Stream::alerts}) {
    if (!status.ok()) return status;
    const auto ends = log.ends(stream, p);
    part.ends[static_cast<std::size_t>(stream)] = ends.end;
    status = ends.status;
  }
  if (status.ok()) status = commands_are_there(log, p, into.recorded);
  if (!status.ok()) return status;
  return sha256_before(log, p, into.recorded.ends[static_cast<std::size_t>(p)], part.last_sha256);
}

}  // namespace

LogStatus begin_export(events::LogClient& log, ExportBegin& into) {
  const auto partitions = static_cast<std::size_t>(log.partitions());
  into.parts.assign(partitions, {});
  into.recorded.ends.assign(partitions, 0);
  into.recorded.position_at.assign(partitions, events::no_offset);
  LogStatus status;
  for (Partition p = 0; p < log.partitions() && status.ok(); ++p) status = begin_part(log, p, into);
  return status;
}

LogStatus is_log_of(events::LogClient& log, const ExportBegin& begun) {
  bool same = std::ssize(begun.parts) == log.partitions();
  for (Partition p = 0; p < log.partitions() && same; ++p) {
    const auto& part = begun.parts[static_cast<std::size_t>(p)];
    if (auto status = commands_are_there(log, p, begun.recorded); !status.ok()) return status;
    for (const auto stream : {Stream::commands, Stream::events, Stream::deadletters, Stream::alerts}) {
      const auto ends = log.ends(stream, p);
      if (!ends.status.ok()) return ends.status;
      same = same && ends.end >= part.ends[static_cast<std::size_t>(stream)];
    }
    std::string sha256;
    const auto next = begun.recorded.ends[static_cast<std::size_t>(p)];
    if (auto status = sha256_before(log, p, next, sha256); !status.ok()) return status;
    same = same && sha256 == part.last_sha256;
  }
  return same ? LogStatus{}
              : LogStatus{LogError::invalid, "it is of another log, or of this one before it was put back"};
}

std::string text_of(const ExportBegin& begun) {
  auto parts = nlohmann::ordered_json::array();
  for (std::size_t p = 0; p < begun.parts.size(); ++p) {
    const auto& part = begun.parts[p];
    parts.push_back({{"next", begun.recorded.ends[p]},
                     {"position_at", begun.recorded.position_at[p]},
                     {"position", part.position},
                     {"ends", part.ends},
                     {"last_sha256", part.last_sha256}});
  }
  const nlohmann::ordered_json all = {{"mayfly_export", resume_version},
                                      {"words", begun.words},
                                      {"engine", begun.recorded.engine},
                                      {"key", begun.key},
                                      {"parts", std::move(parts)}};
  return all.dump() + "\n";
}

bool read_text(const std::string& text, ExportBegin& into) {
  try {
    const auto all = nlohmann::ordered_json::parse(text);
    if (all.at("mayfly_export") != resume_version) return false;
    all.at("words").get_to(into.words);
    all.at("engine").get_to(into.recorded.engine);
    all.at("key").get_to(into.key);
    for (const auto& one : all.at("parts")) {
      auto& part = into.parts.emplace_back();
      into.recorded.ends.push_back(one.at("next").get<Offset>());
      into.recorded.position_at.push_back(one.at("position_at").get<Offset>());
      part.position = one.at("position");
      one.at("ends").get_to(part.ends);
      one.at("last_sha256").get_to(part.last_sha256);
    }
  } catch (const nlohmann::json::exception&) {
    return false;
  }
  return true;
}

}  // namespace mayfly::tools
