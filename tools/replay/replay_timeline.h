// A cart's life as one list over all streams: commands and what they came to, waits, money, dead letters, alerts. Each
// step is a JSON object (docs/replay.md); text and pages are made of those.
#pragma once

#include "events/log/log.h"
#include "tools/replay/replay_recorded.h"
#include "tools/replay/replay_state.h"

#include <cstddef>
#include <functional>
#include <string>
#include <vector>

namespace mayfly::tools {

struct Timeline {
  std::string cart;
  events::Partition partition = 0;
  std::string phase = "none";      // at the end: active, reserving, paying, none, or how it ended
  std::string order;               // its id, if one was placed
  OrderedJson state;               // at the end; null: not open
  std::vector<OrderedJson> steps;  // by position
  std::int64_t not_decided = 0;    // its commands that lie where the engine has not read yet
  std::int64_t differing = 0;      // steps that came to something else when they were recorded
};

/// Called for each record that is read on the way.
using RecordRead = std::function<void()>;

/// A timeline of each of the carts, in their order. Decides each of their partitions again, once, however many carts it
/// has.
[[nodiscard]] events::LogStatus read_timelines(
    events::LogClient& log, const Recorded&, const std::vector<std::string>& carts, std::vector<Timeline>&,
    const RecordRead& read = [] {});
/// The same of one cart, where `each` gives its records and the ticks that concern it; of commands with the partition
/// as it is before each.
using EachRecordBeside = std::function<events::LogStatus(events::Stream, const ReplayedPartition&,
                                                         const std::function<bool(const events::Record&)>&)>;
[[nodiscard]] events::LogStatus read_timeline(std::int32_t partitions, const Recorded&, const EachRecordBeside& each,
                                              const std::string& cart, Timeline&);
/// How many records that reads, at most.
[[nodiscard]] events::LogStatus records_to_read(events::LogClient& log, const std::vector<std::string>& carts,
                                                std::int64_t& records);

/// What one record came to and why, a timeline of one step per cart that it concerns: beside what a step has, every
/// guard that was tried (`guards`) and the state before (`state_before`). None: a tick that ended no wait.
[[nodiscard]] events::LogStatus read_why(events::LogClient& log, const Recorded&, events::Position,
                                         std::vector<Timeline>&);

/// For people, in lines; idle gaps are folded.
[[nodiscard]] std::string timeline_text(const Timeline&);
/// Prints that, or a JSON object for each step, with its cart.
void print_timeline(const Timeline&, bool json);
/// One page that needs nothing else.
[[nodiscard]] std::string timeline_page(const std::vector<Timeline>&, const std::string& asked);

/// Carts that an id leads to: a cart, order, session or reservation id at once; a provider's reference, a customer, a
/// correlation id or traceparent by reading all commands.
[[nodiscard]] events::LogStatus carts_of_id(
    events::LogClient&, const std::string& id, std::vector<std::string>& carts, const RecordRead& read = [] {});

/// Does the command name the id: as a text in its value, in a header, or as its trace?
[[nodiscard]] bool names_id(const events::Record& command, const std::string& id);
/// The same by reading all commands alone; the first that are found, at most so many.
[[nodiscard]] events::LogStatus carts_that_name(
    events::LogClient&, const std::string& id, std::size_t most, std::vector<std::string>& carts,
    const RecordRead& read = [] {});

}  // namespace mayfly::tools
