// Where a record keeps its CloudEvents attributes and its data: in headers (binary mode) or in its value (structured).
#pragma once

#include "events/log/record.h"
#include "events/rules/identity.h"
#include "events/wire/json_reader.h"

#include <optional>
#include <string_view>

namespace mayfly::events {

enum class Mode : std::uint8_t { binary, structured, batch };

/// By the last content-type that is not null; its name and value count in any case (Kafka protocol binding 1.0.2, 3).
[[nodiscard]] Mode mode_of(const Record&);

struct Attributes {
  std::optional<Text> specversion, id, source, type, subject, correlation_id, traceparent, proof;
};

/// Of a header that is given twice the last counts. One that is null is absent.
void set_from_headers(Attributes&, const Record&);

/// The members of a structured event. `fault`: what makes it unreadable, for a person; else empty.
struct Envelope {
  Attributes attributes;
  const JsonValue* data = nullptr;  // null counts as absent, here and below
  const JsonValue* data_base64 = nullptr;
  std::string_view fault;
};
[[nodiscard]] Envelope from_envelope(const JsonValue& object);

/// Why a record without specversion 1.0 is no CloudEvent: what its writer has to change, if that can be seen. `reader`
/// reads the value; what it takes lies in `arena`.
[[nodiscard]] std::string_view why_no_event(const Record&, Mode, const Attributes&, JsonReader& reader,
                                            std::pmr::memory_resource* arena);

}  // namespace mayfly::events
