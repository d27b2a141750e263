#include "events/rules/identity.h"
#include "tools/drive/recorded_commands.h"
#include "tools/records/bundle_file.h"

#include <deque>
#include <fstream>

namespace mayfly::tools {

using events::LogStatus;
using events::Partition;

namespace {

/// The file's lines are read partition by partition, a block of each at a time.
class BundleCommands final : public CommandSource {
 public:
  explicit BundleCommands(const std::string& file) : in_(file, std::ios::binary) {}

  /// One pass: is the file whole, and where do each partition's commands begin? A few words if it cannot be used.
  std::string begin() {
    if (!in_) return "it cannot be read";
    BundleRecord record;
    std::string content;
    bool first = true;
    auto wrong = read_bundle(in_, [&](const nlohmann::json& line, const BundleBlock& block) -> std::string {
      if (first) {
        first = false;
        content = line.dump();
        auto unread = read_bundle_head(line, head_);
        places_.resize(static_cast<std::size_t>(head_.partitions));
        return unread;
      }
      if (auto unread = read_bundle_line(line, record); !unread.empty()) return unread;
      if (record.stream != events::Stream::commands) return {};
      const auto p = record.record.at.partition;
      if (p >= head_.partitions) return "a command lies in no partition";
      auto& place = places_[static_cast<std::size_t>(p)];
      if (place.commands++ == 0) place.next = block;
      content = events::sha256_hex(content + line.dump());
      ++records_;
      return {};
    });
    if (wrong.empty() && first) wrong = "it holds nothing";
    id_ = events::sha256_hex(content).substr(0, 16);
    in_.clear();
    return wrong;
  }

  [[nodiscard]] std::int32_t partitions() const override { return head_.partitions; }
  [[nodiscard]] const std::string& engine() const override { return head_.engine; }
  [[nodiscard]] const std::string& id() const override { return id_; }
  [[nodiscard]] std::int64_t records() const override { return records_; }

  LogStatus read(Partition p, events::RecordBatch& batch) override {
    auto& place = places_[static_cast<std::size_t>(p)];
    while (place.given < place.commands && batch.records.empty()) {
      std::string lines;
      auto records = std::make_shared<std::deque<BundleRecord>>();
      in_.clear();
      if (auto wrong = read_bundle_block(in_, place.next, lines); !wrong.empty())
        return {events::LogError::corrupt, "The file was altered meanwhile: " + wrong};
      for (std::size_t begin = 0; begin < lines.size() && place.given < place.commands;) {
        const auto end = lines.find('\n', begin);
        const auto json = nlohmann::json::parse(lines.data() + begin, lines.data() + end, nullptr, false);
        begin = end + 1;
        auto& record = records->emplace_back();
        const bool is = json.is_object() && !json.contains("mayfly_bundle") && !json.contains("end") &&
                        read_bundle_line(json, record).empty() && record.stream == events::Stream::commands &&
                        record.record.at.partition == p;
        if (!is) {
          records->pop_back();
          continue;
        }
        batch.records.push_back(record.record);
        ++place.given;
      }
      batch.storage = records;
    }
    return {};
  }

 private:
  struct Place {
    BundleBlock next;
    std::int64_t commands = 0;
    std::int64_t given = 0;
  };
  std::ifstream in_;
  BundleHead head_;
  std::string id_;
  std::int64_t records_ = 0;
  std::vector<Place> places_;
};

}  // namespace

std::unique_ptr<CommandSource> commands_of_bundle(const std::string& file, std::string& wrong) {
  auto source = std::make_unique<BundleCommands>(file);
  wrong = source->begin();
  if (!wrong.empty()) return nullptr;
  return source;
}

}  // namespace mayfly::tools
