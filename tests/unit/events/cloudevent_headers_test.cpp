#include "events/wire/cloudevent_headers.h"

#include <doctest/doctest.h>

#include <string>

using namespace mayfly::events;

namespace {

std::string lines(const CloudEventHeaders& event) {
  std::string all;
  for (const auto& header : event.list()) all.append(header.name).append("=").append(header.value).append("\n");
  return all;
}

}  // namespace

TEST_CASE("headers of CloudEvents are written in one order, what is not given is left out") {
  CHECK(
      lines({.id = "3-1-0",
             .source = "/mayfly/shop",
             .type = "t",
             .subject = "c1",
             .time = "now",
             .sequence = "7",
             .causation_id = "web-1",
             .correlation_id = "visit",
             .traceparent = "00-"}) ==
      "ce_specversion=1.0\nce_id=3-1-0\nce_source=/mayfly/shop\nce_type=t\nce_subject=c1\nce_time=now\n"
      "content-type=application/json\nce_sequence=7\nce_causationid=web-1\nce_correlationid=visit\ntraceparent=00-\n");
  CHECK(lines({.id = "", .source = "", .type = ""}) ==
        "ce_specversion=1.0\nce_id=\nce_source=\nce_type=\ncontent-type=application/json\n");
}
