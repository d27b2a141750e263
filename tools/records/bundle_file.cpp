#include "tools/records/bundle_file.h"

#include "events/rules/identity.h"
#include "events/text/base64.h"
#include "events/text/utf8.h"

#include <zstd.h>

#include <array>
#include <limits>
#include <memory_resource>
#include <vector>

namespace mayfly::tools {

namespace {

constexpr int compression_level = 9;
constexpr std::array<char, 4> note_magic = {0x50, 0x2a, 0x4d, 0x18};  // a zstd frame that decoders skip (RFC 8878)
constexpr std::size_t note_head_bytes = 8;
constexpr std::size_t longest_note = 200;
constexpr std::size_t largest_frame = 64 * 1024 * 1024;
constexpr std::size_t largest_block = 2 * largest_frame;

/// What stands before a block. Whoever reads makes it anew and compares it whole.
std::string note_of(std::int64_t block, std::string_view frame) {
  const auto text = "mayfly bundle block " + std::to_string(block) + " bytes " + std::to_string(frame.size()) +
                    " sha256 " + events::sha256_hex(frame) + "\n";
  std::string note(note_magic.data(), note_magic.size());
  for (unsigned shift = 0; shift < 32; shift += 8) note += static_cast<char>(text.size() >> shift & 0xff);
  return note + text;
}

bool read_exactly(std::istream& in, std::size_t bytes, std::string& into) {
  into.resize(bytes);
  in.read(into.data(), static_cast<std::streamsize>(bytes));
  return static_cast<std::size_t>(in.gcount()) == bytes;
}

/// The next block's lines. A few words if it is not whole.
std::string read_block(std::istream& in, std::int64_t block, std::string& lines) {
  std::string head;
  std::string text;
  if (!read_exactly(in, note_head_bytes, head)) return "it is cut";
  std::size_t size = 0;
  for (std::size_t i = 0; i < 4; ++i) size |= std::size_t{static_cast<unsigned char>(head[4 + i])} << 8 * i;
  if (size > longest_note) return "it is damaged";
  if (!read_exactly(in, size, text)) return "it is cut";
  constexpr std::string_view before_bytes = " bytes ";
  const auto at = text.find(before_bytes);
  std::size_t frame_bytes = 0;
  for (auto i = at == std::string::npos ? text.size() : at + before_bytes.size();
       i < text.size() && text[i] >= '0' && text[i] <= '9' && frame_bytes < largest_frame; ++i) {
    frame_bytes = frame_bytes * 10 + static_cast<std::size_t>(text[i] - '0');
  }
  if (frame_bytes == 0 || frame_bytes > largest_frame) return "it is damaged";
  std::string frame;
  if (!read_exactly(in, frame_bytes, frame)) return "it is cut";
  if (head + text != note_of(block, frame)) return "it is damaged";
  const auto plain = ZSTD_getFrameContentSize(frame.data(), frame.size());
  if (plain == ZSTD_CONTENTSIZE_UNKNOWN || plain == ZSTD_CONTENTSIZE_ERROR || plain > largest_block)
    return "it is damaged";
  lines.resize(plain);
  const auto got = ZSTD_decompress(lines.data(), lines.size(), frame.data(), frame.size());
  return ZSTD_isError(got) != 0 || got != plain ? "it is damaged" : "";
}

/// Text as it is; other bytes as {"base64": ...}.
nlohmann::ordered_json json_of(std::string_view bytes) {
  if (events::is_utf8(bytes)) return std::string(bytes);
  return {{"base64", events::to_base64(bytes)}};
}

bool read_bytes(const nlohmann::json& json, std::string& into) {
  if (json.is_string()) {
    into = json.get<std::string>();
    return true;
  }
  if (!json.is_object() || !json.contains("base64") || !json["base64"].is_string()) return false;
  std::pmr::monotonic_buffer_resource arena;
  const auto bytes = events::from_base64(json["base64"].get_ref<const std::string&>(), &arena);
  if (bytes) into = *bytes;
  return bytes.has_value();
}

}  // namespace

void BundleWriter::line(const nlohmann::ordered_json& json) {
  lines_ += json.dump();
  lines_ += '\n';
  ++written_;
  if (lines_.size() >= bundle_block_bytes) write_block();
}

bool BundleWriter::finish() {
  line({{"end", written_}});
  if (!lines_.empty()) write_block();
  out_.flush();
  return out_.good();
}

void BundleWriter::write_block() {
  write_bundle_block(out_, block_++, lines_);
  out_.flush();  // whoever goes on after this process begins behind it
  lines_.clear();
}

void write_bundle_block(std::ostream& out, std::int64_t number, std::string_view lines) {
  std::string frame(ZSTD_compressBound(lines.size()), '\0');
  frame.resize(ZSTD_compress(frame.data(), frame.size(), lines.data(), lines.size(), compression_level));
  out << note_of(number, frame) << frame;
}

std::string read_bundle_block(std::istream& in, BundleBlock& block, std::string& lines) {
  in.seekg(block.at);
  if (const auto wrong = read_block(in, block.number, lines); !wrong.empty())
    return "block " + std::to_string(block.number) + ": " + wrong;
  block = {block.number + 1, in.tellg()};
  return {};
}

std::string read_bundle(std::istream& in,
                        const std::function<std::string(const nlohmann::json&, const BundleBlock&)>& f) {
  std::string lines;
  std::int64_t read = 0;
  for (BundleBlock block, next;;) {
    block = next;
    const auto where = "block " + std::to_string(block.number) + ": ";
    if (auto wrong = read_bundle_block(in, next, lines); !wrong.empty()) return wrong;
    for (std::size_t begin = 0; begin < lines.size();) {
      const auto end = lines.find('\n', begin);
      if (end == std::string::npos) return where + "a line does not end";
      if (end - begin > bundle_longest_line_bytes) return where + "a line is longer than 16 MiB";
      const auto json = nlohmann::json::parse(lines.data() + begin, lines.data() + end, nullptr, false);
      begin = end + 1;
      if (!json.is_object()) return where + "a line is no JSON object";
      if (json.contains("end")) {
        if (json["end"] != read) return where + "it says that other lines came before";
        return begin == lines.size() && in.peek() == std::istream::traits_type::eof() ? ""
                                                                                      : where + "more follows its end";
      }
      ++read;
      if (auto wrong = f(json, block); !wrong.empty()) return where + wrong;
    }
  }
}

BundleBegin read_whole_blocks(std::istream& in, const std::function<std::string(const nlohmann::json&)>& f) {
  BundleBegin whole;
  std::string lines;
  for (auto next = whole.next; read_bundle_block(in, next, lines).empty(); whole.next = next) {
    std::vector<nlohmann::json> parsed;
    for (std::size_t begin = 0, end = 0; (end = lines.find('\n', begin)) != std::string::npos; begin = end + 1) {
      parsed.push_back(nlohmann::json::parse(lines.data() + begin, lines.data() + end, nullptr, false));
      if (parsed.back().contains("end")) return whole;
    }
    for (const auto& line : parsed) {
      if (whole.wrong = f(line); !whole.wrong.empty()) return whole;
    }
    whole.lines += std::ssize(parsed);
  }
  return whole;
}

nlohmann::ordered_json bundle_line(events::Stream stream, const events::Record& record) {
  nlohmann::ordered_json line = {{"stream", events::name(stream)},
                                 {"partition", record.at.partition},
                                 {"offset", record.at.offset},
                                 {"time_ms", record.append_time.ms}};
  if (record.key) line["key"] = json_of(*record.key);
  auto headers = nlohmann::ordered_json::array();
  for (const auto& h : record.headers) {
    headers.push_back(json_of(h.name));
    headers.push_back(json_of(h.value));
  }
  line["headers"] = std::move(headers);
  if (record.value) line["value"] = json_of(*record.value);
  return line;
}

std::string read_bundle_head(const nlohmann::json& line, BundleHead& head) {
  constexpr std::int64_t most_partitions = 1'024;
  const auto version = line.find("mayfly_bundle");
  if (version == line.end() || !version->is_number_integer()) return "it is no bundle of mayfly's";
  if (*version != bundle_version) return "it is of version " + version->dump() + ", this program knows 1";
  const auto partitions = line.find("partitions");
  if (partitions == line.end() || !partitions->is_number_integer() || *partitions < 1 || *partitions > most_partitions)
    return "its first line names no number of partitions";
  head.partitions = partitions->get<std::int32_t>();
  const auto engine = line.find("engine");
  head.engine = engine != line.end() && engine->is_string() ? engine->get<std::string>() : "mayfly";
  head.has_state = line.value("whole", nlohmann::json()) == true && line.value("pseudonyms", nlohmann::json()) == false;
  return {};
}

std::string read_bundle_line(const nlohmann::json& json, BundleRecord& into) {
  std::string wrong = "a line is no record";
  for (const auto* member : {"partition", "offset", "time_ms"}) {
    if (!json.contains(member) || !json[member].is_number_integer()) return wrong;
  }
  const auto headers = json.find("headers");
  if (headers == json.end() || !headers->is_array() || headers->size() % 2 != 0) return wrong;
  const auto named = json.value("stream", nlohmann::json());
  bool known = false;
  for (int s = 0; s < events::stream_count; ++s) {
    if (!named.is_string() || named.get_ref<const std::string&>() != events::name(static_cast<events::Stream>(s)))
      continue;
    into.stream = static_cast<events::Stream>(s);
    known = true;
  }
  if (!known) return wrong;
  into.record = {};
  const auto partition = json["partition"].get<std::int64_t>();
  if (partition < 0 || partition > std::numeric_limits<events::Partition>::max()) return wrong;
  into.record.at = {static_cast<events::Partition>(partition), json["offset"].get<events::Offset>()};
  into.record.append_time = {json["time_ms"].get<std::int64_t>()};
  if (json.contains("key")) {
    if (!read_bytes(json["key"], into.key)) return wrong;
    into.record.key = into.key;
  }
  if (json.contains("value")) {
    if (!read_bytes(json["value"], into.value)) return wrong;
    into.record.value = into.value;
  }
  into.texts.assign(headers->size(), {});
  into.headers.clear();
  for (std::size_t i = 0; i < into.texts.size(); ++i) {
    if (!read_bytes((*headers)[i], into.texts[i])) return wrong;
  }
  for (std::size_t i = 0; i < into.texts.size(); i += 2) into.headers.push_back({into.texts[i], into.texts[i + 1]});
  into.record.headers = into.headers;
  return {};
}

}  // namespace mayfly::tools
