// Tells the service manager how the service stands: the datagrams of sd_notify(3), without libsystemd.
#pragma once

#include <string_view>

namespace mayfly::adapters {

/// Sends e.g. "READY=1\nSTATUS=serving" to the socket named by NOTIFY_SOCKET; nothing without one. False: it was not
/// taken, which changes nothing for us. Any thread.
bool notify_service(std::string_view assignments);

}  // namespace mayfly::adapters
