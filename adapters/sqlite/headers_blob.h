// A record's headers as one blob: names and values in turn, each behind its length as a varint (7 bits a byte, low
// ones first, the top bit says that more follow).
#pragma once

#include "events/log/record.h"

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace mayfly::adapters {

void append_headers(std::string& out, std::span<const events::Header>);
/// Appends views into `blob`. False if it is not whole.
[[nodiscard]] bool read_headers(std::string_view blob, std::vector<events::Header>& out);

}  // namespace mayfly::adapters
