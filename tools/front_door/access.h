// Who may do what at the front door: bearer tokens, of which the file has hashes only.
#pragma once

#include "tools/front_door/rate_limit.h"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace mayfly::tools {

enum class Scope : unsigned char {
  shop,       // cart.* and checkout.*
  connector,  // inventory.* and payment.*
  read,       // carts and their events
};

/// Who a request comes from.
struct Caller {
  std::string name;  // the source of its commands is /front/NAME
  std::vector<Scope> scopes;
  Rate rate{};             // of its requests
  bool everybody = false;  // it needs no token
  [[nodiscard]] bool may(Scope) const;
};

class Access {
 public:
  /// Everybody may do everything: for loopback.
  static Access open();
  /// Lines of "NAME SCOPE[,SCOPE...] SHA256-OF-THE-TOKEN [N/s|N/min|N/h]", empty ones and those that begin with # left
  /// out. A sentence in `wrong` with the line, if one is none.
  static std::optional<Access> from_text(std::string_view text, std::string& wrong);

  [[nodiscard]] bool is_open() const { return everybody_; }
  /// Whose token an Authorization header has; none: nobody's.
  [[nodiscard]] std::optional<Caller> caller(std::string_view authorization) const;

 private:
  struct Entry {
    Caller caller;
    std::string token_sha256;
  };
  bool everybody_ = false;
  std::vector<Entry> entries_;
};

/// The scope that a command needs, by its short name; none for what only the engine writes, or what is no command.
[[nodiscard]] std::optional<Scope> scope_of(std::string_view command);

}  // namespace mayfly::tools
