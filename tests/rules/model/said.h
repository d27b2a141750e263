// One event as text, with all that was decided about it. The model and the engine's side each fill it in by
// themselves; only the spelling is shared.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace mayfly::model {

class Said {
 public:
  /// sequence 0: none.
  Said(std::string& text, std::string_view cart, std::uint64_t sequence, std::string_view type) : text_(text) {
    text_.append(cart).append(" #").append(std::to_string(sequence)).append(" ").append(type);
  }
  Said& text(std::string_view name, std::string_view value) {
    if (!value.empty()) text_.append(" ").append(name).append("=").append(value);
    return *this;
  }
  Said& number(std::string_view name, std::int64_t value) { return text(name, std::to_string(value)); }
  Said& flag(std::string_view name, bool on) { return on ? text(name, "yes") : *this; }

 private:
  std::string& text_;
};

}  // namespace mayfly::model
