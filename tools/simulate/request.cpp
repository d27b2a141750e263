#include "tools/simulate/request.h"

#include "tools/records/record_text.h"

namespace mayfly::tools {

std::optional<ConnectorRequest> request_of(const events::Record& record) {
  const auto type = short_type(record);
  if (!type.ends_with("_requested")) return std::nullopt;
  auto data = nlohmann::json::parse(record.value.value_or("{}"), nullptr, false);
  if (!data.is_object()) return std::nullopt;
  return ConnectorRequest{
      std::string(record.key.value_or(events::Bytes{})), std::string(type), std::string(header(record, "ce_id")),
      std::string(header(record, "ce_correlationid")),   record.at,         std::move(data)};
}

}  // namespace mayfly::tools
