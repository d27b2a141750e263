// A bundle: records of a log in one file, to be sent and looked at elsewhere. Lines of JSON in zstd blocks, each behind
// its number, length and SHA-256 (docs/replay.md, The bundle's format). `zstd -dc FILE` prints the lines.
#pragma once

#include "events/log/record.h"

#include <nlohmann/json.hpp>

#include <cstdint>
#include <functional>
#include <istream>
#include <ostream>
#include <string>
#include <string_view>

namespace mayfly::tools {

inline constexpr int bundle_version = 1;
inline constexpr std::size_t bundle_block_bytes = 256 * 1024;  // of lines, before they are compressed
inline constexpr std::size_t bundle_longest_line_bytes =
    16 * 1024 * 1024;  // what is read of it may take twenty times as much memory

class BundleWriter {
 public:
  explicit BundleWriter(std::ostream& out) : out_(out) {}
  /// Before the first line: so many lines and blocks are there already.
  void go_on(std::int64_t lines, std::int64_t blocks) {
    written_ = lines;
    block_ = blocks;
  }
  void line(const nlohmann::ordered_json&);
  /// The last line, which says how many came before; then nothing may follow. False if not all could be written.
  [[nodiscard]] bool finish();

 private:
  void write_block();

  std::ostream& out_;
  std::string lines_;
  std::int64_t written_ = 0;
  std::int64_t block_ = 0;
};

/// One block: its note and its lines, compressed. They may be any bytes.
void write_bundle_block(std::ostream&, std::int64_t number, std::string_view lines);

/// A block of a file: its number, and the byte that it begins with.
struct BundleBlock {
  std::int64_t number = 0;
  std::streamoff at = 0;
};
/// Gives each line but the last, in order and with its block, until `f` says what is wrong. Returns that, or what is
/// wrong with the file, by block; an empty text: it is whole.
[[nodiscard]] std::string read_bundle(std::istream&,
                                      const std::function<std::string(const nlohmann::json&, const BundleBlock&)>& f);
/// The lines of one block, and then `block` is the next. A sentence if it is not whole.
[[nodiscard]] std::string read_bundle_block(std::istream&, BundleBlock& block, std::string& lines);

/// Of a bundle whose writing was ended: gives the lines of the blocks that are whole, up to the first that is not, or
/// that ends the bundle. Returns where that one begins; `wrong` is what `f` says is wrong.
struct BundleBegin {
  std::int64_t lines = 0;
  BundleBlock next;
  std::string wrong;
};
[[nodiscard]] BundleBegin read_whole_blocks(std::istream&, const std::function<std::string(const nlohmann::json&)>& f);

/// What the first line says.
struct BundleHead {
  std::int32_t partitions = 0;
  std::string engine;
  bool has_state = false;
};
/// A sentence if the first line is none that this program knows.
[[nodiscard]] std::string read_bundle_head(const nlohmann::json&, BundleHead&);

/// A record as a line; and the way back, which views `json` and `storage`. A sentence if it is none.
[[nodiscard]] nlohmann::ordered_json bundle_line(events::Stream, const events::Record&);
struct BundleRecord {
  events::Stream stream{};
  events::Record record;
  std::string key, value;
  std::vector<std::string> texts;
  std::vector<events::Header> headers;
};
[[nodiscard]] std::string read_bundle_line(const nlohmann::json&, BundleRecord&);

}  // namespace mayfly::tools
