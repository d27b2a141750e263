#include "tools/bundle/export_records.h"

#include "events/rules/identity.h"
#include "events/state/snapshot.h"
#include "events/wire/cloudevent_headers.h"
#include "tools/records/each_record.h"
#include "tools/records/record_text.h"

#include <algorithm>
#include <iterator>
#include <map>

namespace mayfly::tools {

using events::Offset;
using events::Partition;
using events::Record;
using events::Stream;

namespace {

/// The streams of a partition, in the order in which they are written.
constexpr Stream in_order[] = {Stream::commands, Stream::events, Stream::deadletters, Stream::alerts, Stream::state};

}  // namespace

Export::Export(events::LogClient& log, const ExportBegin& begun, const ReplayExportOptions& options, std::ostream& out)
    : log_(log),
      begun_(begun),
      options_(options),
      carts_(options.carts.begin(), options.carts.end()),
      pseudonyms_(begun.key),
      bundle_(out),
      carts_without_commands_(carts_) {}

std::string Export::there_is(const nlohmann::json& line) {
  if (begins_) {
    begins_ = false;
    BundleHead head;
    return read_bundle_head(line, head);
  }
  BundleRecord read;
  if (auto wrong = read_bundle_line(line, read); !wrong.empty()) return wrong;
  const auto* place = std::find(std::begin(in_order), std::end(in_order), read.stream);
  last_ = {read.record.at, static_cast<int>(place - std::begin(in_order))};
  commands_ += read.stream == Stream::commands ? 1 : 0;
  events_ += read.stream == Stream::events ? 1 : 0;
  if (read.stream == Stream::commands) carts_without_commands_.erase(read.key);
  return {};
}

events::LogStatus Export::run() {
  if (begins_) {
    bundle_.line({{"mayfly_bundle", bundle_version},
                  {"partitions", log_.partitions()},
                  {"engine", begun_.recorded.engine},
                  {"pseudonyms", !options_.plain},
                  {"whole", carts_.empty()}});
  }
  for (Partition p = 0; p < log_.partitions(); ++p) {
    for (int place = 0; wants(p) && place < std::ssize(in_order); ++place) {
      const auto from = first(p, place);
      if (!from) continue;
      if (auto status = write_stream(in_order[place], p, *from); !status.ok()) return status;
    }
  }
  if (!bundle_.finish()) return {events::LogError::full, "the file cannot be written to its end"};
  return {};
}

/// Where to read on; nothing if all of that is there.
std::optional<Offset> Export::first(Partition p, int place) const {
  if (!last_ || last_->at.partition < p) return 0;
  if (last_->at.partition > p || last_->place > place) return std::nullopt;
  return last_->place == place ? last_->at.offset + 1 : 0;
}

bool Export::wants(Partition p) const {
  if (carts_.empty()) return options_.partitions.empty() || std::ranges::count(options_.partitions, p) > 0;
  return std::ranges::any_of(carts_, [&](const auto& c) { return events::partition_of(c, log_.partitions()) == p; });
}

bool Export::wants(const Record& record) const {
  return carts_.empty() || (record.key && carts_.contains(std::string(*record.key)));
}

void Export::write(Stream stream, const Record& record) {
  commands_ += stream == Stream::commands ? 1 : 0;
  events_ += stream == Stream::events ? 1 : 0;
  if (options_.plain) return bundle_.line(bundle_line(stream, record));
  pseudonyms_.mask(stream, record, masked_);
  bundle_.line(bundle_line(stream, masked_.record));
}

events::LogStatus Export::write_stream(Stream stream, Partition p, Offset from) {
  if (stream == Stream::commands) return commands(p, from);
  return stream == Stream::state ? state(p, from) : results(stream, p, from);
}

events::LogStatus Export::commands(Partition p, Offset from) {
  bool first = from == 0;
  return each_record_from(log_, Stream::commands, p, from, [&](const Record& record) {
    if (record.at.offset >= end(p)) return false;
    const bool tick = !record.key && short_type(record) == "clock.tick";
    const bool wanted = tick || wants(record);
    if (wanted) write(Stream::commands, record);
    if (wanted && record.key) carts_without_commands_.erase(std::string(*record.key));
    if (!wanted && first) begin(record);
    first = false;
    return true;
  });
}

/// In the place of a partition's first command, if it is another cart's: a tick that is ignored, so that a replay
/// sees the partition from its begin.
void Export::begin(const Record& record) {
  const events::CloudEventHeaders event{
      .id = "bundle", .source = "/mayfly/bundle", .type = events::ce_type(events::CommandType::clock_tick)};
  const auto headers = event.list();
  Record tick = record;
  tick.key.reset();
  tick.value = "{}";
  tick.headers = headers;
  ++commands_;
  bundle_.line(bundle_line(Stream::commands, tick));
}

events::LogStatus Export::results(Stream stream, Partition p, Offset from) {
  const auto ends = begun_.parts[static_cast<std::size_t>(p)].ends[static_cast<std::size_t>(stream)];
  return each_record_from(log_, stream, p, from, [&](const Record& record) {
    if (record.at.offset >= ends || (stream == Stream::events && cause_offset(record) >= end(p))) return false;
    const bool mine =
        wants(record) || (stream == Stream::alerts && carts_.contains(std::string(header(record, "ce_subject"))));
    if (mine) write(stream, record);
    return true;
  });
}

/// How far the engine got; and before it the newest state, which cannot be masked and is whole only with all carts.
events::LogStatus Export::state(Partition p, Offset from) {
  const auto position_at = begun_.recorded.position_at[static_cast<std::size_t>(p)];
  const auto& position = begun_.parts[static_cast<std::size_t>(p)].position;
  if (options_.plain && carts_.empty()) {
    // A log that is not compacted yet has older records of a key too.
    std::map<std::string, Offset> newest;
    const auto each = [&](const auto& f) {
      return each_record(log_, Stream::state, p, [&](const Record& record) {
        if (record.key && record.key != events::position_key && record.at.offset < position_at) f(record);
        return true;
      });
    };
    auto status = each([&](const Record& record) { newest[std::string(*record.key)] = record.at.offset; });
    if (status.ok()) {
      status = each([&](const Record& record) {
        const bool wanted = record.at.offset >= from && newest[std::string(*record.key)] == record.at.offset;
        if (wanted) bundle_.line(bundle_line(Stream::state, record));
      });
    }
    if (!status.ok()) return status;
  }
  if (!position.is_null() && position_at >= from) bundle_.line(position);
  return {};
}

}  // namespace mayfly::tools
