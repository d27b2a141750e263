// Records that no engine can read, of every kind the contract names: each must become a dead letter and nothing else.
#pragma once

#include "events/log/log.h"
#include "events/rules/identity.h"

#include <string>

namespace mayfly::hostile {

class Noise {
 public:
  static constexpr int kinds = 7;
  static constexpr const char* card = "4111 1111 1111 1111";  // must not be found again in any dead letter
  explicit Noise(events::LogClient& log) : log_(log) {}

  /// One more, the next kind.
  events::LogStatus make() {
    const int kind = static_cast<int>(made_ % kinds);
    const std::string cart = "noise-" + std::to_string(made_++);
    const std::string value = kind == 0   ? "{\"reason\":\"" + std::string(70'000, 'x') + "\"}"
                              : kind == 1 ? "[1,2"
                                          : R"({"reason":"my card is )" + std::string(card) + "\"}";
    const std::string type = kind == 2 ? "dev.mayfly.cart.fly.v1" : "dev.mayfly.cart.cancel.v1";
    const std::string subject = kind == 3 ? "another" : cart;
    const std::string key = kind == 4 ? std::string("no\x01key") : cart;
    const std::string version = kind == 5 ? "0.3" : "1.0";
    const events::Header headers[] = {{"ce_specversion", version},
                                      {"ce_id", cart},
                                      {"ce_source", "/hostile"},
                                      {"ce_type", type},
                                      {"ce_subject", kind == 4 ? std::string_view(key) : std::string_view(subject)}};
    auto partition = events::partition_of(key, log_.partitions());
    if (kind == 6) partition = (partition + 1) % log_.partitions();
    const events::NewRecord record{events::Stream::commands, partition, key, value, headers};
    return log_.append({&record, 1}).status;
  }
  [[nodiscard]] std::int64_t made() const { return made_; }

 private:
  events::LogClient& log_;
  std::int64_t made_ = 0;
};

}  // namespace mayfly::hostile
