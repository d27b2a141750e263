// mayfly replay export: records of a log as one file that can be sent, with pseudonyms unless asked otherwise. Until it
// is whole it is FILE.partial, and what it takes to go on with it is in FILE.resume.
#include "adapters/host/private_file.h"
#include "adapters/host/random_key.h"
#include "adapters/host/wall_clock.h"
#include "tools/bundle/export_records.h"
#include "tools/console/client.h"
#include "tools/console/exit_codes.h"
#include "tools/console/output.h"
#include "tools/console/printable.h"
#include "tools/console/text.h"
#include "tools/console/verbs.h"
#include "tools/records/bundle_log.h"

#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>

namespace mayfly::tools {

using events::LogError;
using events::LogStatus;

namespace {

/// The files of an export under way, and the lock on them, which ends with the process.
class ExportFiles {
 public:
  explicit ExportFiles(const std::string& file) : file_(file), partial_(file + ".partial"), resume_(file + ".resume") {}
  ~ExportFiles() {
    if (descriptor_ >= 0) ::close(descriptor_);
  }
  ExportFiles(const ExportFiles&) = delete;
  ExportFiles& operator=(const ExportFiles&) = delete;

  [[nodiscard]] const std::string& partial() const { return partial_; }
  [[nodiscard]] std::string resume_text() const {
    std::ifstream in(resume_, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }
  /// What is to be removed if it shall begin anew.
  [[nodiscard]] std::string names() const { return partial_ + " and " + resume_; }
  [[nodiscard]] bool has_blocks() const {
    std::error_code none;
    const auto bytes = std::filesystem::file_size(partial_, none);
    return !none && bytes > 0;
  }

  /// Fails where another export is under way, or has ended since the caller looked whether the bundle is there.
  [[nodiscard]] LogStatus lock() {
    LogStatus status;
    descriptor_ = adapters::open_private_alone(partial_, status);
    if (!status.ok() || !std::filesystem::exists(file_)) return status;
    std::error_code ignored;
    if (!has_blocks()) std::filesystem::remove(partial_, ignored);
    return {LogError::invalid, file_ + " is there already. An export makes a new file."};
  }
  [[nodiscard]] LogStatus write_resume(const std::string& text) const {
    LogStatus status;
    const int made_private = adapters::open_private(resume_, status);
    if (made_private < 0) return status;
    ::close(made_private);
    std::ofstream out(resume_, std::ios::binary | std::ios::trunc);
    out << text << std::flush;
    return out.good() ? LogStatus{} : LogStatus{LogError::full, resume_ + " cannot be written"};
  }
  /// Ended between the two steps of finish(), an export leaves the key of its pseudonyms behind.
  void remove_resume_of_finished() const {
    ExportBegin finished;
    std::error_code ignored;
    if (!std::filesystem::exists(partial_) && read_text(resume_text(), finished))
      std::filesystem::remove(resume_, ignored);
  }
  /// The bundle gets its name once it would outlive this machine's power.
  [[nodiscard]] LogStatus finish() const {
    if (::fsync(descriptor_) != 0) return {LogError::full, partial_ + " cannot be written to its end"};
    std::error_code failed;
    std::filesystem::rename(partial_, file_, failed);
    if (failed) return {LogError::invalid, file_ + ": " + failed.message()};
    std::filesystem::remove(resume_, failed);
    return {};
  }
  void remove() const {
    std::error_code ignored;
    std::filesystem::remove(partial_, ignored);
    std::filesystem::remove(resume_, ignored);
  }

 private:
  std::string file_;
  std::string partial_;
  std::string resume_;
  int descriptor_ = -1;
};

/// What the export was asked for, in one form whatever the order of the words, as UTF-8 whatever a cart is called.
std::string words_of(const ReplayExportOptions& options) {
  std::string words;
  for (const auto& cart : std::set<std::string>(options.carts.begin(), options.carts.end()))
    words += " --cart " + printable(cart);
  for (const auto p : std::set<std::int32_t>(options.partitions.begin(), options.partitions.end()))
    words += " --partition " + std::to_string(p);
  return words + (options.plain ? " --plain" : "");
}

int refuse(const ExportFiles& files, const std::string& why) {
  complain("%s: %s. Remove %s to begin anew.\n", files.partial().c_str(), printable(why).c_str(),
           files.names().c_str());
  return exit_usage;
}

/// Reads how the export that left the files began, or begins.
int begin_or_go_on(const ReplayExportOptions& options, events::LogClient& log, const ExportFiles& files,
                   ExportBegin& begun) {
  const auto text = files.resume_text();
  if (files.has_blocks()) {
    if (!read_text(text, begun)) return refuse(files, "it cannot be continued: FILE.resume beside it is not whole");
    if (begun.words != words_of(options)) {
      const auto said = begun.words.empty() ? std::string(" no option") : begun.words;
      return refuse(files, "it was begun with" + said + ", not with these options");
    }
    const auto status = is_log_of(log, begun);
    if (status.error == LogError::invalid) return refuse(files, status.message);
    return status.ok() ? exit_ok : complain_of(status);
  }
  begun = {};
  begun.words = words_of(options);
  begun.key = adapters::random_key();
  auto status = begin_export(log, begun);
  if (status.ok()) status = files.write_resume(text_of(begun));
  if (status.ok()) return exit_ok;
  files.remove();
  return complain_of(status);
}

/// Takes over the blocks that are whole and cuts off the rest.
std::string take_over(const ExportFiles& files, Export& made, std::int64_t& bytes) {
  std::ifstream in(files.partial(), std::ios::binary);
  const auto whole = read_whole_blocks(in, [&](const nlohmann::json& line) { return made.there_is(line); });
  if (!whole.wrong.empty()) return "block " + std::to_string(whole.next.number) + ": " + whole.wrong;
  made.go_on(whole);
  bytes = whole.next.at;
  std::error_code failed;
  std::filesystem::resize_file(files.partial(), static_cast<std::uintmax_t>(bytes), failed);
  return failed ? failed.message() : std::string();
}

}  // namespace

int replay_export(const ReplayExportOptions& options) {
  if (!options.carts.empty() && !options.partitions.empty()) {
    complain("Give --cart or --partition, not both.\n");
    return exit_usage;
  }
  ExportFiles files(options.file);
  if (std::filesystem::exists(options.file)) {
    files.remove_resume_of_finished();
    complain("%s is there already. An export makes a new file.\n", options.file.c_str());
    return exit_usage;
  }
  const adapters::WallClock clock;
  int code = exit_ok;
  const auto log = open_recorded_log(options, clock, code);
  if (!log) return code;
  for (const auto partition : options.partitions) {
    if (partition < log->partitions()) continue;
    complain("There is no partition %d: the log has 0 to %d.\n", partition, log->partitions() - 1);
    return exit_failed;
  }
  if (const auto status = files.lock(); !status.ok()) return complain_of(status);
  ExportBegin begun;
  if (code = begin_or_go_on(options, *log, files, begun); code != exit_ok) return code;
  std::ofstream out(files.partial(), std::ios::binary | std::ios::app);
  Export made(*log, begun, options, out);
  std::int64_t bytes = 0;
  if (const auto wrong = take_over(files, made, bytes); !wrong.empty()) return refuse(files, wrong);
  if (bytes > 0) complain("%s: continues after %s bytes\n", files.partial().c_str(), grouped(bytes).c_str());
  auto status = made.run();
  if (const auto& none = made.carts_without_commands(); status.ok() && !none.empty()) {
    files.remove();
    complain("The log has no decided command of cart %s.\n", printable(*none.begin()).c_str());
    return exit_failed;
  }
  out.close();
  if (status.ok()) status = files.finish();
  if (!status.ok()) {
    code = complain_of(status);
    complain("%s is kept: the same command goes on with it.\n", files.partial().c_str());
    return code;
  }
  print("%s: %s commands, %s events%s, %s bytes\n", options.file.c_str(), grouped(made.commands()).c_str(),
        grouped(made.events()).c_str(), options.plain ? "" : " under pseudonyms",
        grouped(static_cast<std::int64_t>(std::filesystem::file_size(options.file))).c_str());
  return exit_ok;
}

}  // namespace mayfly::tools
