#include "engine/poison/poison.h"

#include <sys/resource.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <exception>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

namespace mayfly::poison {

namespace {

volatile bool always = true;  // keeps compilers from seeing through what follows

void throw_exception() { throw std::runtime_error("poison"); }
void throw_int() { throw 42; }

void loop() {
  while (always) {
  }
}

[[gnu::noinline]] char stack(const volatile char* outer) {
  volatile char here[4096];
  here[0] = outer[0];
  return always ? static_cast<char>(stack(here) + here[0]) : here[0];
}

void overflow_stack() {
  const volatile char begin = 0;
  stack(&begin);
}

void write_null() {
  volatile int* volatile nowhere = nullptr;
  *nowhere = 1;
}

/// Takes all there is under the limit that the process was started with; without one it would take the machine's.
void take_memory() {
  constexpr std::size_t block_bytes = std::size_t{1} << 20U;
  rlimit limit{};
  if (::getrlimit(RLIMIT_DATA, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) {
    throw std::logic_error("poison:memory wants a limit: prlimit --data=BYTES");
  }
  std::vector<std::unique_ptr<char[]>> blocks;
  while (always) {
    blocks.emplace_back(new char[block_bytes]);
    std::memset(blocks.back().get(), 1, block_bytes);
  }
}

void leave() { std::exit(0); }

void free_wild() {
  void* volatile wild = reinterpret_cast<void*>(0x10);
  std::free(wild);
}

void break_promise() noexcept { throw_exception(); }

void wait_for_ever() {
  while (always) ::pause();
}

struct Kind {
  std::string_view name;
  void (*act)();
};
constexpr Kind kinds[] = {{"throw", throw_exception},   {"throw_int", throw_int}, {"loop", loop},
                          {"stack", overflow_stack},    {"null", write_null},     {"abort", std::abort},
                          {"memory", take_memory},      {"exit", leave},          {"free", free_wild},
                          {"terminate", break_promise}, {"wait", wait_for_ever}};

void say(std::string_view kind, events::Position at) {
  const auto line =
      "poison " + std::string(kind) + " " + std::to_string(at.partition) + " " + std::to_string(at.offset) + "\n";
  if (::write(STDERR_FILENO, line.data(), line.size()) < 0) std::abort();
}

}  // namespace

void take(std::string_view word, const events::Record& record) {
  const std::string_view value = record.value.value_or(std::string_view());
  const auto found = value.find(word);
  if (found == std::string_view::npos) return;
  auto name = value.substr(found + word.size());
  name = name.substr(0, name.find_first_not_of("abcdefghijklmnopqrstuvwxyz_"));
  for (const auto& kind : kinds) {
    if (kind.name != name) continue;
    say(kind.name, record.at);
    kind.act();
  }
}

}  // namespace mayfly::poison
