// What a log's index is made of: hashes by which carts and ids are found in it.
#pragma once

#include <cstdint>
#include <string_view>

namespace mayfly::tools {

/// The same in every index: hashes hide nothing from who has the log.
[[nodiscard]] std::uint64_t hash_in_index(std::string_view id);

}  // namespace mayfly::tools
