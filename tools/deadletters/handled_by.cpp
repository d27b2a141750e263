#include "tools/deadletters/handled_by.h"

#include "events/rules/identity.h"

#include <pwd.h>
#include <unistd.h>

#include <array>

namespace mayfly::tools {

std::string user_at_host() {
  const auto* account = ::getpwuid(::geteuid());
  std::string user = account != nullptr ? account->pw_name : std::to_string(::geteuid());
  std::array<char, 256> host{};
  if (::gethostname(host.data(), host.size() - 1) != 0) return user;
  return user + "@" + host.data();
}

std::string kept_why(std::string why) {
  (void)events::mask_card_numbers({why.data(), why.size()});
  return why;
}

}  // namespace mayfly::tools
