#include "tools/reenact/children.h"

#include "tools/console/output.h"
#include "tools/console/text.h"
#include "tools/reenact/run.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <memory>
#include <stdexcept>
#include <vector>

namespace mayfly::tools {

namespace {

constexpr const char* errors_file = "/stderr.log";
constexpr int poll_ms = 100;
constexpr auto told_each = std::chrono::seconds(1);

/// In the child.
[[noreturn]] void become(const Plan& plan, Role role, const std::string& folder, int out, pid_t parent) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  // A terminal's Ctrl-C is for the process that reports; it ends this one.
  for (const int one : {SIGINT, SIGTERM, SIGHUP}) ::signal(one, SIG_IGN);
  if (::getppid() != parent) ::_exit(1);
  const rlimit no_core{0, 0};
  const int errors = ::open((folder + errors_file).c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
  if (errors < 0 || ::dup2(out, 1) < 0 || ::dup2(errors, 2) < 0 || ::setrlimit(RLIMIT_CORE, &no_core) != 0) {
    ::_exit(1);
  }
  const int code = play(plan, role, folder);
  (void)output_written();
  ::_exit(code);
}

std::string last_line(const std::string& file) {
  std::ifstream in(file);
  std::string last;
  for (std::string line; std::getline(in, line);) {
    if (!line.empty()) last = line;
  }
  return message_of(last);
}

std::string signal_name(int signal) {
  switch (signal) {
    case SIGABRT: return "SIGABRT";
    case SIGBUS: return "SIGBUS";
    case SIGKILL: return "SIGKILL";
    case SIGSEGV: return "SIGSEGV";
    default: return "signal " + std::to_string(signal);
  }
}

class Child {
 public:
  Child(const Plan& plan, Role role, const std::string& folder) : folder_(folder) {
    std::filesystem::create_directory(folder);
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) throw std::runtime_error("no pipe could be made");
    const auto parent = ::getpid();
    pid_ = ::fork();
    if (pid_ == 0) become(plan, role, folder, ends[1], parent);
    ::close(ends[1]);
    in_ = ends[0];
    if (pid_ < 0) throw std::runtime_error("no process could be made");
  }
  ~Child() {
    if (in_ >= 0) ::close(in_);
    if (pid_ <= 0) return;
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  [[nodiscard]] int descriptor() const { return in_; }

  /// What it has said. When it has ended, how.
  void read(Recording& recording) {
    char bytes[65'536];
    const auto size = ::read(in_, bytes, sizeof bytes);
    if (size <= 0) return end(recording);
    said_.append(bytes, static_cast<std::size_t>(size));
    std::size_t from = 0;
    for (auto at = said_.find('\n'); at != std::string::npos; at = said_.find('\n', from)) {
      add_line(recording, said_.substr(from, at - from));
      from = at + 1;
    }
    said_.erase(0, from);
  }

 private:
  void end(Recording& recording) {
    ::close(in_);
    in_ = -1;
    int status = 0;
    ::waitpid(pid_, &status, 0);
    pid_ = -1;
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return;
    recording.died = recording.samples.empty() ? events::Millis{} : recording.samples.back().at;
    recording.ending = WIFSIGNALED(status) ? "crashed, " + signal_name(WTERMSIG(status))
                                           : "ended with exit code " + std::to_string(WEXITSTATUS(status));
    recording.last_words = last_line(folder_ + errors_file);
  }

  std::string folder_;
  pid_t pid_ = -1;
  int in_ = -1;
  std::string said_;
};

}  // namespace

bool play_all(const Plan& plan, const TemporaryFolder& folder, Recordings& recordings,
              const std::function<bool()>& seen) {
  std::vector<std::unique_ptr<Child>> children;
  for (std::size_t i = 0; i < roles.size(); ++i) {
    recordings[i].role = roles[i];
    children.push_back(std::make_unique<Child>(plan, roles[i], folder.path() + "/run-" + std::to_string(i + 1)));
  }
  const auto stop = stop_on_signals(folder.removal());  // of this process alone: the children are made
  auto told = std::chrono::steady_clock::now();
  while (!stop.stop_requested()) {
    std::vector<pollfd> open;
    open.reserve(children.size());
    for (const auto& child : children) open.push_back({child->descriptor(), POLLIN, 0});  // -1: is left out
    if (std::all_of(open.begin(), open.end(), [](const pollfd& one) { return one.fd < 0; })) return true;
    ::poll(open.data(), open.size(), poll_ms);
    for (std::size_t i = 0; i < open.size(); ++i) {
      if (open[i].fd >= 0 && open[i].revents != 0) children[i]->read(recordings[i]);
    }
    const auto now = std::chrono::steady_clock::now();
    if (now - told < told_each) continue;
    told = now;
    if (!seen()) return false;
  }
  return false;
}

}  // namespace mayfly::tools
