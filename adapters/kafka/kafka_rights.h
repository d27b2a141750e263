// What the brokers let the engine's account do, asked before anything is read. docs/security.md lists the rights.
#pragma once

#include "adapters/kafka/kafka_options.h"
#include "events/log/log.h"

#include <string>
#include <string_view>

namespace mayfly::adapters::kafka {

/// A sentence about a right that is missing, with the command that gives it. `resource` as kafka-acls names its kinds:
/// topic, group, transactional-id.
[[nodiscard]] std::string missing_right(const KafkaOptions&, std::string_view operation, std::string_view resource,
                                        std::string_view name);

/// Each right on topics that an engine lacks, a line each; ok if none is known to be missing, as of topics that are
/// not there. Asking writes nothing: a record with acks=2 is refused by brokers that allow the writing as well, for its
/// acks.
[[nodiscard]] events::LogStatus check_rights(const KafkaOptions&);

}  // namespace mayfly::adapters::kafka
