#include "tools/serve/flight.h"

#include "tools/serve/log_lines.h"

#include <cstdlib>

namespace mayfly::tools {

namespace {

using Level = actors::Notice::Level;

}  // namespace

std::string flight_file(const Config& config) {
  constexpr std::string_view sqlite = "sqlite:";
  const std::string name = "/mayfly-" + config.engine.name + ".flight";
  if (!config.state_dir.empty()) return config.state_dir + name;
  if (config.log.starts_with(sqlite)) return config.log.substr(sqlite.size()) + ".flight";
  const char* given = std::getenv("STATE_DIRECTORY");
  return given == nullptr ? std::string() : given + name;
}

Flight open_flight(const Config& config) {
  Flight flight;
  const auto file = flight_file(config);
  if (file.empty()) {
    log_line(Level::warning, "flight_recorder",
             "none without --state-dir: a command that kills the process is decided again each time.");
    return flight;
  }
  const auto slash = file.rfind('/');
  flight.folder = slash == std::string::npos ? "." : file.substr(0, slash);
  flight.file = adapters::MappedFile::open(file, actors::FlightRecorder::bytes, flight.status);
  if (!flight.file) return flight;
  flight.recorder =
      std::make_unique<actors::FlightRecorder>(flight.file->memory(), [&mapped = *flight.file] { mapped.sync(); });
  for (const auto& suspect : flight.recorder->suspects()) {
    log_line(Level::warning, "suspect",
             "the process died " + std::to_string(suspect.deaths) + " x while it decided offset " +
                 std::to_string(suspect.offset) + " of partition " + std::to_string(suspect.partition) +
                 ": it is decided alone, after the third time it becomes a dead letter.",
             {{"deaths", suspect.deaths}, {"partition", suspect.partition}, {"offset", suspect.offset}});
  }
  return flight;
}

}  // namespace mayfly::tools
