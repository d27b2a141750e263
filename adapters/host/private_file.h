// Files that hold customers' data: made with mode 0600 whatever the umask, and never through a symbolic link.
#pragma once

#include "events/log/log.h"

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>

namespace mayfly::adapters {

/// Which file it is, under whatever name.
struct FileIdentity {
  dev_t device = 0;
  ino_t inode = 0;
  bool operator==(const FileIdentity&) const = default;
};
/// Of what the name leads to now, a symbolic link itself; nothing if there is nothing.
[[nodiscard]] std::optional<FileIdentity> identity_of(const std::string& file);

/// The three below give what root makes to the folder's owner.

/// Opens a file for reading and writing, makes it where there is none, and sees to it that only its owner may open it.
/// -1 with `status` set where that cannot be: a symbolic link, no room, or a file of another user than the folder's
/// owner, who could put another one there anyway.
[[nodiscard]] int open_private(const std::string& file, events::LogStatus& status);

/// The same, but `invalid` where another descriptor of this kind is open: it keeps others off until it is closed, or
/// its process has ended.
[[nodiscard]] int open_private_alone(const std::string& file, events::LogStatus& status);

/// Makes an empty file of mode 0600. False if there is something under that name already; `status` says what went wrong
/// otherwise.
bool make_private(const std::string& file, events::LogStatus& status);

/// The file's owner; nothing if it is not there.
[[nodiscard]] std::optional<uid_t> owner_of(const std::string& file);

/// What the file system that it lies on has left for this user; nothing if that cannot be told.
[[nodiscard]] std::optional<std::int64_t> room_beside(const std::string& file);

/// The folder that it lies in, as a path to put a name behind.
[[nodiscard]] std::string folder_of(const std::string& file);

}  // namespace mayfly::adapters
