// Lines of a descriptor as they come, for whoever must know when there are none for now.
#pragma once

#include <cstddef>
#include <memory>
#include <stop_token>
#include <string>
#include <string_view>

namespace mayfly::tools {

class InputLines {
 public:
  enum class Next {
    line,
    pause,    // nothing more is there now
    end,      // of input; a last line without a line feed was given before
    stopped,  // asked to stop while it waited
    failed,   // cannot be read
  };
  /// `descriptor` stays open, and the caller's.
  InputLines(int descriptor, const std::stop_token& stop);
  ~InputLines();
  InputLines(const InputLines&) = delete;
  InputLines& operator=(const InputLines&) = delete;

  /// The next line, without its line feed. Does not wait unless `wait`; then `pause` is not returned.
  Next next(std::string& line, bool wait);
  /// What was read of a line that has not ended.
  [[nodiscard]] std::string_view rest() const { return std::string_view(text_).substr(taken_); }

 private:
  struct Wake;
  bool take(std::string& line);
  int descriptor_;
  std::stop_token stop_;
  std::unique_ptr<Wake> wake_;
  std::string text_;
  std::size_t taken_ = 0;
  std::size_t searched_ = 0;
  bool end_ = false;
};

}  // namespace mayfly::tools
