// What another program writes on its standard output, line by line.
#pragma once

#include "tools/console/verbs.h"

#include <cstdio>
#include <string>
#include <utility>

namespace mayfly::tools {

/// A word of a shell's command, whatever is in it.
[[nodiscard]] inline std::string quoted(const std::string& word) {
  std::string out = "'";
  for (const char c : word) c == '\'' ? out += "'\\''" : out += c;
  return out + "'";
}

/// A verb of that program on the same log.
[[nodiscard]] inline std::string command_on(const std::string& program, const char* verb, const FromWords& words) {
  auto command = quoted(program) + " " + verb;
  if (!words.log.empty()) command += " --log " + quoted(words.log);
  if (!words.config.empty()) command += " --config " + quoted(words.config);
  if (!words.checkpoint.empty()) command += " --from " + quoted(words.checkpoint);
  return command;
}

class ProgramOutput {
 public:
  explicit ProgramOutput(const std::string& command) : pipe_(::popen(command.c_str(), "r")) {}
  ~ProgramOutput() { (void)close(); }
  ProgramOutput(const ProgramOutput&) = delete;
  ProgramOutput& operator=(const ProgramOutput&) = delete;

  bool read(std::string& line) {
    line.clear();
    for (int c = 0; pipe_ != nullptr && (c = std::getc(pipe_)) != EOF;) {
      if (c == '\n') return true;
      line += static_cast<char>(c);
    }
    return !line.empty();
  }
  /// Its exit status as pclose gives it.
  int close() { return pipe_ == nullptr ? 0 : ::pclose(std::exchange(pipe_, nullptr)); }

 private:
  std::FILE* pipe_;
};

}  // namespace mayfly::tools
