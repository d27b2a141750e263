// What a failed call on a file means to whoever starts the program.
#pragma once

#include "events/log/log.h"

#include <cerrno>
#include <cstring>
#include <string>

namespace mayfly::adapters {

/// Of an errno: no space (full), or the file cannot be used as it is (invalid), in a sentence that names it.
inline events::LogStatus file_error(const std::string& file, int error) {
  const std::string what_happened = file + ": " + std::strerror(error);
  if (error == ENOSPC || error == EDQUOT) {
    return {events::LogError::full, what_happened + ". Make room on the disk, then start again; nothing is lost."};
  }
  if (error == ELOOP) {
    return {events::LogError::invalid, file + " is a symbolic link, which is not followed: give the file itself."};
  }
  return {events::LogError::invalid, what_happened + ". Check that the folder exists and may be written to."};
}

}  // namespace mayfly::adapters
