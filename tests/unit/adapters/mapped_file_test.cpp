#include "adapters/host/mapped_file.h"

#include <doctest/doctest.h>
#include <stdlib.h>

#include <filesystem>

using mayfly::adapters::MappedFile;

TEST_CASE("what is stored in a mapped file is there when it is opened again, and one process holds it at a time") {
  std::string folder = (std::filesystem::temp_directory_path() / "mayfly-mapped-XXXXXX").string();
  REQUIRE(::mkdtemp(folder.data()) != nullptr);
  const std::string file = folder + "/state";
  mayfly::events::LogStatus status;
  {
    const auto mapped = MappedFile::open(file, 100, status);
    REQUIRE_MESSAGE(mapped, status.message);
    CHECK(mapped->memory().size() == 100);
    CHECK(mapped->memory()[99] == std::byte{0});
    mapped->memory()[99] = std::byte{7};
    CHECK(!MappedFile::open(file, 100, status));
    CHECK(status.error == mayfly::events::LogError::owned);
    CHECK(status.message.find("another process uses it") != std::string::npos);
  }
  const auto again = MappedFile::open(file, 100, status);
  REQUIRE(again);
  CHECK(again->memory()[99] == std::byte{7});
  CHECK(!MappedFile::open(folder + "/none/state", 100, status));
  CHECK(status.message.find("Check that the folder exists") != std::string::npos);
  std::filesystem::remove_all(folder);
}
