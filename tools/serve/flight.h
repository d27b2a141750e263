// Where an engine's flight recorder lies on the disk.
#pragma once

#include "actors/crash/flight_recorder.h"
#include "adapters/host/mapped_file.h"
#include "tools/console/config.h"

#include <memory>
#include <string>

namespace mayfly::tools {

struct Flight {
  std::unique_ptr<adapters::MappedFile> file;  // outlives the recorder
  std::unique_ptr<actors::FlightRecorder> recorder;
  events::LogStatus status;  // why it could not be opened
  std::string folder;        // where it lies; empty: nowhere
};

/// STATE_DIR/mayfly-NAME.flight; without a state directory FILE.flight beside sqlite:FILE, for any other log the folder
/// of $STATE_DIRECTORY (systemd); else empty.
[[nodiscard]] std::string flight_file(const Config&);
/// Says whom it suspects.
[[nodiscard]] Flight open_flight(const Config&);

}  // namespace mayfly::tools
