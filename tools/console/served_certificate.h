// The certificate of a verb that serves HTTPS.
#pragma once

#include "adapters/http/tls.h"

#include <chrono>
#include <memory>
#include <string>

namespace mayfly::tools {

inline constexpr std::chrono::seconds certificate_look_interval{1};

/// From two files that options or a config name. Null where none are named, and where they cannot be used: `wrong` says
/// why then.
[[nodiscard]] std::shared_ptr<adapters::TlsCertificate> served_certificate(const std::string& certificates,
                                                                           const std::string& key, std::string& wrong);

/// Reads the files if they have changed and says what came of it. Null is allowed.
void renew_certificate(adapters::TlsCertificate*);

/// How an address begins that is served so.
[[nodiscard]] const char* scheme_of(const std::shared_ptr<adapters::TlsCertificate>&);

}  // namespace mayfly::tools
