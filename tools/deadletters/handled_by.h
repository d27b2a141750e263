// Who runs this program, for the marks that it leaves.
#pragma once

#include <string>

namespace mayfly::tools {

/// "ann@shop1": the account that it runs as, by number where that has no name, and the host's name.
[[nodiscard]] std::string user_at_host();

inline constexpr std::size_t longest_why_bytes = 200;
/// As it is kept: what looks like a card number is masked.
[[nodiscard]] std::string kept_why(std::string why);

}  // namespace mayfly::tools
