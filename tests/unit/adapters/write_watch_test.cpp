// Waiting for a file's writes.
#include "adapters/host/write_watch.h"

#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <string>

using namespace mayfly;
using adapters::WriteWatch;

namespace {

struct File {
  std::string folder = [] {
    std::string name = (std::filesystem::temp_directory_path() / "mayfly-test-XXXXXX").string();
    REQUIRE(::mkdtemp(name.data()) != nullptr);
    return name;
  }();
  std::string path = folder + "/log";
  File() { write(); }
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  ~File() { std::filesystem::remove_all(folder); }
  void write() const { std::ofstream(path, std::ios::app) << "record"; }
};

constexpr events::Millis an_hour{3'600'000};

}  // namespace

TEST_CASE("a write is told once, however often was written, and the next look comes soon again") {
  const File file;
  WriteWatch watch(file.path);
  REQUIRE(watch.watches());
  CHECK(!watch.wait({0}));
  while (watch.next_look() < WriteWatch::longest_look) CHECK(!watch.wait({0}));
  file.write();
  file.write();
  CHECK(watch.wait(an_hour));
  CHECK(watch.next_look() == WriteWatch::first_look);
  CHECK(!watch.wait({0}));
}

TEST_CASE("looks come at twice the distance each up to the longest, which is short where nothing can be watched") {
  const File file;
  for (const bool is_there : {true, false}) {
    CAPTURE(is_there);
    WriteWatch watch(is_there ? file.path : file.folder + "/none");
    CHECK(watch.watches() == is_there);
    const auto longest = is_there ? WriteWatch::longest_look : WriteWatch::longest_unwatched_look;
    for (std::int64_t expected = 1; expected < longest.count; expected *= 2) {
      CHECK(watch.next_look().count == expected);
      CHECK(!watch.wait({0}));
    }
    CHECK(watch.next_look() == longest);
    CHECK(!watch.wait({0}));
    CHECK(watch.next_look() == longest);
  }
}

TEST_CASE("a file that is gone tells of no write") {
  const File file;
  WriteWatch watch(file.path);
  std::filesystem::remove(file.path);
  CHECK(!watch.wait({0}));
  file.write();  // another file of that name
  CHECK(!watch.wait({0}));
}
