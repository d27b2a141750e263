// mayfly tail: records of a stream as they come.
#include "adapters/wall_clock.h"
#include "events/words.h"
#include "tools/client.h"
#include "tools/each_record.h"
#include "tools/exit_codes.h"
#include "tools/output.h"
#include "tools/record_text.h"
#include "tools/text.h"
#include "tools/verbs.h"

#include <charconv>
#include <cstdio>
#include <optional>
#include <vector>

namespace mayfly::tools {

namespace {

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

std::optional<std::int64_t> number(std::string_view text) {
  std::int64_t n = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), n);
  if (error != std::errc{} || end != text.data() + text.size() || n < 0) return std::nullopt;
  return n;
}

/// Where to begin in each partition; nothing if `from` cannot be understood. -1: leave the partition out. `status`
/// tells whether the log could say.
std::optional<std::vector<events::Offset>> begins(events::LogClient& log, events::Stream stream,
                                                  const std::string& from, events::LogStatus& status) {
  std::vector<events::Offset> offsets;
  const auto colon = from.find(':');
  const auto only = colon == std::string::npos ? std::nullopt : number(from.substr(0, colon));
  const auto offset = number(colon == std::string::npos ? from : from.substr(colon + 1));
  if (from != "begin" && from != "end" && (!offset || (colon != std::string::npos && !only))) return std::nullopt;
  if (only && *only >= log.partitions()) return std::nullopt;
  for (events::Partition p = 0; p < log.partitions() && status.ok(); ++p) {
    const auto ends = log.ends(stream, p);
    status = ends.status;
    offsets.push_back(from == "begin" ? ends.first : from == "end" ? ends.end : only && *only != p ? -1 : *offset);
  }
  return offsets;
}

}  // namespace

int tail(const TailOptions& options) {
  const adapters::WallClock clock;
  int code = exit_ok;
  const auto log = open_reader(options, clock, code);
  if (!log) return code;
  events::LogStatus status;
  const auto stream = stream_of(options.stream).value_or(events::Stream::events);
  auto next = begins(*log, stream, options.from, status);
  if (!next) {
    complain("--from %s: give begin, end, OFFSET or PARTITION:OFFSET; partitions are 0 to %d\n", options.from.c_str(),
             log->partitions() - 1);
    return exit_usage;
  }
  if (!status.ok()) {
    complain("%s\n", status.message.c_str());
    return exit_code_of(status.error);
  }
  if (!options.type.empty() && !is_type(options.type)) {
    complain("--type %s: no command or event has that type; give one such as order.placed\n", options.type.c_str());
    return exit_usage;
  }
  const bool follow = options.follow || options.from == "end";
  auto stop = stop_on_signals();
  const auto width = is_terminal(1) ? TextWidth::terminal : TextWidth::whole;
  std::int64_t printed = 0;
  while (!stop.stop_requested()) {
    bool anything = false;
    for (std::size_t p = 0; p < next->size(); ++p) {
      auto& from = (*next)[p];
      if (from < 0) continue;
      auto limits = read_at_once;
      if (follow && !anything) limits.wait = follow_wait;
      auto fetched = log->read(stream, static_cast<events::Partition>(p), from, limits);
      if (!fetched.status.ok()) {
        complain("%s\n", fetched.status.message.c_str());
        return exit_code_of(fetched.status.error);
      }
      from = fetched.next;
      anything = anything || !fetched.batch.records.empty();
      for (const auto& record : fetched.batch.records) {
        if (!options.cart.empty() && record.key != options.cart) continue;
        if (!options.type.empty() && short_type(record) != options.type) continue;
        if (options.json)
          print_json(as_ndjson(record));
        else
          print_text(as_line(record, stream, width) + "\n");
        if (++printed == options.limit) return exit_ok;
      }
    }
    if (!output_written()) return exit_ok;  // main says so
    if (!anything && !follow) break;
  }
  return exit_ok;
}

}  // namespace mayfly::tools
