// Where a thread puts a text together before it is copied to where it stays, in as many bytes as it has.
#pragma once

#include <string>

namespace mayfly::actors {

/// Empty. Good until the calling thread asks again.
inline std::string& scratch() {
  constexpr std::size_t kept_bytes = 64 * 1024;
  thread_local std::string text;
  if (text.capacity() > kept_bytes) std::string().swap(text);
  text.clear();
  return text;
}

}  // namespace mayfly::actors
