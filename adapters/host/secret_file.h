// Files that hold a secret: read only where nobody else can read them.
#pragma once

#include <string>

namespace mayfly::adapters {

/// Reads a file of at most 64 KiB that belongs to this user or root and gives no right to group or others. Returns an
/// empty string, or what is wrong and what to do; never anything of what the file holds. A symbolic link is followed:
/// that is how Kubernetes mounts secrets.
[[nodiscard]] std::string read_secret_file(const std::string& file, std::string& text);

}  // namespace mayfly::adapters
