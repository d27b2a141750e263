// mayfly tail: records of a stream as they come.
#include "adapters/host/wall_clock.h"
#include "events/rules/words.h"
#include "tools/console/client.h"
#include "tools/console/config.h"
#include "tools/console/exit_codes.h"
#include "tools/console/output.h"
#include "tools/console/text.h"
#include "tools/console/time_words.h"
#include "tools/console/verbs.h"
#include "tools/records/each_record.h"
#include "tools/records/kept_positions.h"
#include "tools/records/record_text.h"
#include "tools/records/tail_begins.h"

#include <algorithm>
#include <optional>
#include <vector>

namespace mayfly::tools {

namespace {

using events::Offset;
using events::Partition;
using Where = TailBegin::Where;

constexpr events::Millis follow_wait{50};

std::optional<events::Stream> stream_of(std::string_view name) {
  static constexpr std::string_view names[] = {"commands", "events", "state", "deadletters", "alerts"};
  for (int i = 0; i < events::stream_count; ++i) {
    if (names[i] == name) return static_cast<events::Stream>(i);
  }
  return std::nullopt;
}

bool is_type(const std::string& name) {
  return name.starts_with("alert") || events::command_type_from_name(name) ||
         events::event_type_from_ce_type("dev.mayfly." + name + ".v1");
}

/// Which of a stream's records are meant.
struct Wanted {
  std::string cart;
  std::vector<std::string> types;
  std::optional<events::Timestamp> since;

  [[nodiscard]] bool has(const events::Record& record) const {
    if (!cart.empty() && record.key != cart) return false;
    if (since && record.append_time < *since) return false;
    return types.empty() || std::find(types.begin(), types.end(), short_type(record)) != types.end();
  }
};

/// A sentence if the words do not fit.
std::string read_wanted(const TailOptions& options, events::Timestamp now, Wanted& wanted) {
  wanted.cart = options.cart;
  for (const auto& type : options.types) {
    if (!is_type(type)) return "--type " + type + ": no command or event has that type; give one such as order.placed";
    wanted.types.push_back(type);
  }
  if (options.since.empty()) return {};
  wanted.since = time_from_words(options.since, now);
  return wanted.since ? "" : "--since " + options.since + ": give " + time_words + ".";
}

class Tail {
 public:
  Tail(events::LogClient& log, const events::Clock& clock, const TailOptions& options, Wanted wanted)
      : log_(log),
        clock_(clock),
        options_(options),
        wanted_(std::move(wanted)),
        stream_(stream_of(options.stream).value_or(events::Stream::events)),
        width_(is_terminal(1) ? TextWidth::terminal : TextWidth::whole),
        kept_(log, options.group, stream_) {}

  events::LogStatus begin(const std::vector<TailBegin>& begins) {
    events::GroupPositions kept;
    if (!options_.group.empty()) kept = log_.group_positions(options_.group, stream_);
    if (!kept.status.ok()) return kept.status;
    kept_.begin(kept.next);
    for (Partition p = 0; p < log_.partitions(); ++p) {
      const auto& begin = begins[static_cast<std::size_t>(p)];
      if (begin.where == Where::left_out) continue;
      auto ends = log_.ends(stream_, p);
      if (!ends.status.ok()) return std::move(ends.status);
      const auto offset = begin.where == Where::begin ? ends.first
                          : begin.where == Where::end ? ends.end
                                                      : begin.offset;
      next_.push_back({p, offset});
      const auto known = std::find_if(kept.next.begin(), kept.next.end(), [p](auto& at) { return at.partition == p; });
      if (known == kept.next.end()) continue;
      if (auto status = go_on(*known, ends); !status.ok()) return status;
    }
    return {};
  }

  events::LogStatus run(bool follow) {
    auto stop = stop_on_signals();
    while (!stop.stop_requested()) {
      bool anything = false;
      for (auto& next : next_) {
        auto limits = read_at_once;
        if (follow && !anything) limits.wait = follow_wait;
        const auto fetched = log_.read(stream_, next.partition, next.offset, limits);
        if (!fetched.status.ok()) return fetched.status;
        anything = anything || !fetched.batch.records.empty();
        const bool more = print_wanted(fetched.batch, next.offset);
        if (more) next.offset = fetched.next;
        if (!output_written()) return {};  // main says so
        if (auto status = keep(next); !status.ok() || !more) return status;
      }
      if (!anything && !follow) return {};
    }
    return {};
  }

 private:
  /// The partition read last goes on from where its group is.
  events::LogStatus go_on(events::Position known, const events::StreamEnds& ends) {
    if (known.offset > ends.end) {
      return {events::LogError::corrupt,
              "The group " + options_.group + " is at " + std::to_string(known.partition) + ":" +
                  std::to_string(known.offset) + ", beyond the end of " + options_.stream + " at " +
                  std::to_string(ends.end) +
                  ": the log is older than the group's position, as after a restore. Take another group's name, with "
                  "--from for where to begin."};
    }
    if (known.offset < ends.first && stream_ != events::Stream::state) {
      complain("partition %d: the group %s was at offset %lld, the log begins at %lld; what lay between is gone\n",
               known.partition, options_.group.c_str(), static_cast<long long>(known.offset),
               static_cast<long long>(ends.first));
    }
    next_.back().offset = std::max(known.offset, ends.first);
    return {};
  }

  /// Call when all before `next` is written out.
  events::LogStatus keep(events::Position next) {
    return options_.group.empty() ? events::LogStatus{} : kept_.keep({&next, 1}, clock_.now());
  }

  /// False when as many as were asked for are printed; `next` is then the offset after the last.
  bool print_wanted(const events::RecordBatch& batch, Offset& next) {
    for (const auto& record : batch.records) {
      if (!wanted_.has(record)) continue;
      if (options_.json)
        print_json(as_ndjson(record));
      else
        print_text(as_line(record, stream_, width_) + "\n");
      if (++printed_ != options_.limit) continue;
      next = record.at.offset + 1;
      return false;
    }
    return true;
  }

  events::LogClient& log_;
  const events::Clock& clock_;
  const TailOptions& options_;
  const Wanted wanted_;
  const events::Stream stream_;
  const TextWidth width_;
  std::vector<events::Position> next_;  // of the partitions that are read
  KeptPositions kept_;                  // of the group
  std::int64_t printed_ = 0;
};

int refused(const std::string& why) {
  complain("%s\n", why.c_str());
  return exit_usage;
}

}  // namespace

int tail(const TailOptions& options) {
  const adapters::WallClock clock;
  int code = exit_ok;
  const bool grouped = !options.group.empty();
  if (grouped && !is_engine_name(options.group)) {
    return refused("--group " + options.group + ": 1 to 64 of letters, digits, '.', '_' and '-'.");
  }
  const auto log = grouped ? open_client(options, false, clock, code) : open_reader(options, clock, code);
  if (!log && grouped && code == exit_usage)
    complain("--group keeps its position in the log, which needs the right to write.\n");
  if (!log) return code;
  auto from = options.from;
  const bool only_new = options.follow && options.since.empty() && !grouped;
  if (from.empty()) from.emplace_back(only_new ? "end" : "begin");
  std::string wrong;
  const auto begins = tail_begins(from, log->partitions(), wrong);
  if (!wrong.empty()) return refused(wrong);
  Wanted wanted;
  if (wrong = read_wanted(options, clock.now(), wanted); !wrong.empty()) return refused(wrong);
  Tail tail(*log, clock, options, std::move(wanted));
  auto status = tail.begin(begins);
  if (status.ok()) status = tail.run(options.follow);
  if (status.ok()) return exit_ok;
  complain("%s\n", status.message.c_str());
  return exit_code_of(status.error);
}

}  // namespace mayfly::tools
