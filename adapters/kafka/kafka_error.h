// librdkafka's errors as values that know what may be done about them.
#pragma once

#include "events/log/log.h"

#include <librdkafka/rdkafka.h>

#include <string>
#include <string_view>

namespace mayfly::adapters::kafka {

struct Error {
  rd_kafka_resp_err_t code = RD_KAFKA_RESP_ERR_NO_ERROR;
  std::string message;
  bool fatal = false;      // the client that said so is of no more use
  bool retriable = false;  // the same call may be made again
  bool aborts = false;     // the transaction must be aborted, the producer can go on

  Error() = default;
  /// Of a record that is said to be delivered, but not where (Listener::take_unproven).
  [[nodiscard]] static Error unproven_delivery();
  /// Takes the error over; null is none.
  explicit Error(rd_kafka_error_t* error);
  explicit Error(rd_kafka_resp_err_t c);
  Error(rd_kafka_resp_err_t c, std::string what) : code(c), message(std::move(what)) {}

  [[nodiscard]] bool ok() const { return code == RD_KAFKA_RESP_ERR_NO_ERROR; }
  /// Another producer or member has this one's name.
  [[nodiscard]] bool fenced() const;
  /// The brokers could not be asked, not in time, or were just changing places: it may be different later.
  [[nodiscard]] bool too_large() const { return code == RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE; }
  [[nodiscard]] bool unavailable() const;
  /// The brokers asked know no such topic or partition: just made, or deleted. It is `unavailable` too.
  [[nodiscard]] bool unknown_topic() const;
  /// The account lacks a right (docs/security.md).
  [[nodiscard]] bool denied() const;
  /// For the user: what was tried, what went wrong, what to do. Whether it is tried again the caller says.
  [[nodiscard]] events::LogStatus status(std::string_view tried) const;
};

}  // namespace mayfly::adapters::kafka
