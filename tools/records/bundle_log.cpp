#include "tools/records/bundle_log.h"

#include "tools/console/client.h"
#include "tools/console/exit_codes.h"
#include "tools/console/output.h"

#include <algorithm>
#include <deque>
#include <iterator>
#include <string_view>

namespace mayfly::tools {

using events::LogError;
using events::LogStatus;
using events::Stream;

namespace {

/// The streams of a partition in the order of the file.
constexpr Stream streams_in_place[] = {Stream::commands, Stream::events, Stream::deadletters, Stream::alerts,
                                       Stream::state};
static_assert(std::size(streams_in_place) == events::stream_count);

int place_of(Stream stream) {
  return static_cast<int>(std::find(std::begin(streams_in_place), std::end(streams_in_place), stream) -
                          std::begin(streams_in_place));
}

constexpr const char* out_of_order = "its records are not in the order in which an export writes them";

/// The line that begins there, and then `byte` is behind it. False at the end, or if it does not end.
bool line_at(const std::string& lines, std::size_t& byte, std::string_view& line) {
  const auto end = lines.find('\n', byte);
  if (end == std::string::npos) return false;
  line = std::string_view(lines).substr(byte, end - byte);
  byte = end + 1;
  return true;
}

}  // namespace

std::unique_ptr<BundleLog> BundleLog::open(const std::string& file, LogStatus& status) {
  std::unique_ptr<BundleLog> log(new BundleLog(file));
  if (!log->in_) {
    status = {LogError::invalid, file + " cannot be read. Give bundle:FILE, which `mayfly replay export` wrote."};
    return nullptr;
  }
  if (const auto wrong = log->look(); !wrong.empty()) {
    status = {LogError::corrupt, file + ": " + wrong + "."};
    return nullptr;
  }
  return log;
}

std::string BundleLog::look() {
  std::string lines;
  bool ended = false;
  for (BundleBlock block, next; !ended; block = next) {
    if (auto wrong = read_bundle_block(in_, next, lines); !wrong.empty()) return wrong;
    if (auto wrong = look_at_block(lines, block, ended); !wrong.empty())
      return "block " + std::to_string(block.number) + ": " + wrong;
  }
  return in_.peek() == std::ifstream::traits_type::eof() ? "" : "more follows its end";
}

/// Lines between two of one stream are of that stream, so they are read only when they are asked for.
std::string BundleLog::look_at_block(const std::string& lines, const BundleBlock& block, bool& ended) {
  std::vector<std::string_view> all;
  std::string_view line;
  std::size_t byte = 0;
  while (line_at(lines, byte, line)) all.push_back(line);
  if (byte != lines.size()) return "a line does not end";
  if (std::ranges::any_of(all, [](std::string_view text) { return text.size() > bundle_longest_line_bytes; }))
    return "a line is longer than 16 MiB";
  const auto parsed = [&](std::size_t i) { return nlohmann::json::parse(all[i], nullptr, false); };
  std::size_t first = 0;
  auto end = all.size();
  if (block.number == 0) {
    if (all.empty()) return "it holds nothing";
    const auto head = parsed(first++);
    if (!head.is_object()) return "a line is no JSON object";
    if (auto wrong = read_bundle_head(head, head_); !wrong.empty()) return wrong;
    const auto partitions = static_cast<std::size_t>(head_.partitions);
    ends_.resize(partitions * events::stream_count);
    cursors_.resize(partitions * events::stream_count);
  }
  if (end > first) {
    const auto last = parsed(end - 1);
    ended = last.is_object() && last.contains("end");
    if (ended && last["end"] != lines_ + std::ssize(all) - 1) return "it says that other lines came before";
    end -= ended ? 1 : 0;
  }
  lines_ += std::ssize(all);
  const auto key_of = [&](std::size_t i, Key& key) -> std::string {
    const auto json = parsed(i);
    BundleRecord record;
    if (!json.is_object()) return "a line is no JSON object";
    if (auto wrong = read_bundle_line(json, record); !wrong.empty()) return wrong;
    if (record.record.at.partition >= head_.partitions) return "a record lies in no partition";
    key = {record.record.at.partition, place_of(record.stream), record.record.at.offset};
    return {};
  };
  Key one;
  Key other;
  if (first == end) return {};
  if (auto wrong = key_of(first, one); !wrong.empty()) return wrong;
  if (auto wrong = key_of(end - 1, other); !wrong.empty()) return wrong;
  blocks_.push_back({block, one});
  const bool of_one_stream = one.partition == other.partition && one.place == other.place;
  const std::size_t step = of_one_stream ? std::max<std::size_t>(1, end - 1 - first) : 1;
  for (auto i = first; i < end; i += step) {
    if (auto wrong = key_of(i, one); !wrong.empty()) return wrong;
    if (auto wrong = note(one); !wrong.empty()) return wrong;
  }
  return {};
}

std::string BundleLog::note(const Key& key) {
  if (key <= newest_) return out_of_order;
  auto& ends = ends_of(key);
  if (ends.end == 0) ends.first = key.offset;
  ends.end = key.offset + 1;
  newest_ = key;
  return {};
}

events::Appended BundleLog::append(std::span<const events::NewRecord>) {
  return {{}, {LogError::invalid, file_ + " is a bundle: nothing is appended to it."}};
}

events::StreamEnds BundleLog::ends(Stream stream, events::Partition p) { return ends_of({p, place_of(stream), 0}); }

/// Puts the cursor before the first record from there on.
std::string BundleLog::seek(Cursor& cursor, const Key& from) {
  const bool goes_on = cursor.begun && cursor.last < from && cursor.last.partition == from.partition &&
                       cursor.last.place == from.place && cursor.last.offset + 1 == from.offset;
  if (goes_on) return {};
  const auto behind =
      std::upper_bound(blocks_.begin(), blocks_.end(), from, [](const Key& k, const Block& b) { return k < b.first; });
  cursor = {};
  cursor.begun = true;
  cursor.block = behind == blocks_.begin() ? 0 : static_cast<std::size_t>(behind - blocks_.begin()) - 1;
  if (cursor.block >= blocks_.size()) return {};
  auto at = blocks_[cursor.block].at;
  const bool with_head = at.number == 0;
  in_.clear();
  auto wrong = read_bundle_block(in_, at, cursor.lines);
  std::string_view head;
  if (wrong.empty() && with_head && !line_at(cursor.lines, cursor.byte, head)) wrong = "it holds nothing";
  return wrong;
}

/// The next record of the file.
std::string BundleLog::next(Cursor& cursor, BundleRecord& record, Key& key) {
  key = {};
  std::string_view line;
  while (!line_at(cursor.lines, cursor.byte, line)) {
    if (cursor.block + 1 >= blocks_.size()) return "a record is missing at its end";
    auto at = blocks_[++cursor.block].at;
    cursor.byte = 0;
    in_.clear();
    if (auto wrong = read_bundle_block(in_, at, cursor.lines); !wrong.empty()) return wrong;
  }
  const auto json = nlohmann::json::parse(line, nullptr, false);
  if (!json.is_object()) return "a line is no JSON object";
  if (auto wrong = read_bundle_line(json, record); !wrong.empty()) return wrong;
  key = {record.record.at.partition, place_of(record.stream), record.record.at.offset};
  return key > cursor.last ? "" : out_of_order;
}

events::Fetched BundleLog::read(Stream stream, events::Partition p, events::Offset from,
                                const events::PollLimits& limits) {
  const Key begin{p, place_of(stream), std::max<events::Offset>(from, 0)};
  const auto bounds = ends_of(begin);
  events::Fetched fetched;
  fetched.next = std::max(begin.offset, bounds.end);
  if (begin.offset >= bounds.end) return fetched;
  auto& cursor = cursors_[static_cast<std::size_t>(p) * events::stream_count + static_cast<std::size_t>(begin.place)];
  auto wrong = seek(cursor, begin);
  auto records = std::make_shared<std::deque<BundleRecord>>();
  std::size_t bytes = 0;
  while (wrong.empty() && fetched.batch.records.size() < limits.records &&
         (fetched.batch.records.empty() || bytes < limits.bytes)) {
    Key key;
    auto& record = records->emplace_back();
    wrong = next(cursor, record, key);
    // There is a record of this stream at its end.
    const bool over = key.partition > p || (key.partition == p && key.place > begin.place);
    if (wrong.empty() && over) wrong = out_of_order;
    if (!wrong.empty()) break;
    cursor.last = key;
    if (key < begin) {
      records->pop_back();
      continue;
    }
    fetched.batch.records.push_back(record.record);
    fetched.next = key.offset + 1;
    bytes += record.key.size() + record.value.size();
    for (const auto& text : record.texts) bytes += text.size();
    if (fetched.next >= bounds.end) break;
  }
  if (!wrong.empty()) {
    cursor = {};
    fetched.batch = {};
    fetched.status = {LogError::corrupt, file_ + " is damaged, or was altered meanwhile: " + wrong + "."};
  }
  fetched.batch.storage = std::move(records);
  return fetched;
}

std::unique_ptr<events::LogClient> open_recorded_log(const LogWords& words, const events::Clock& clock, int& exit_code,
                                                     bool* has_state) {
  constexpr std::string_view prefix = "bundle:";
  LogChoice choice;
  if (has_state != nullptr) *has_state = true;
  if (exit_code = choose_log(words, choice); exit_code != exit_ok) return nullptr;
  if (!choice.name.starts_with(prefix)) return open_history(words, clock, exit_code);
  LogStatus status;
  auto log = BundleLog::open(choice.name.substr(prefix.size()), status);
  if (!log) {
    exit_code = complain_of(status);
    return nullptr;
  }
  if (has_state != nullptr) *has_state = log->has_state();
  return log;
}

}  // namespace mayfly::tools
