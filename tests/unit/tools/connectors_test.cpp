// The demo's provider: what it answers is what it has on its books.
#include "tools/demo/connectors.h"

#include "events/rules/identity.h"
#include "logs/memory_log.h"
#include "tools/records/record_text.h"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

namespace mayfly::tools {

namespace {

using Json = nlohmann::json;

class StillClock final : public events::Clock {
 public:
  [[nodiscard]] events::Timestamp now() const override { return {1'000'000}; }
};

/// One partition; every answer is due at once.
struct World {
  StillClock clock;
  adapters::MemoryStore store{1, clock};
  adapters::MemoryClient client{store};
  CommandWriter out{client};
  SimulatedShop shop{out, 1};
  Connectors connectors;
  events::Offset read = 0;

  explicit World(Chances chances) : connectors(client, out, shop, chances, 1) {}

  void say(const std::string& type) {
    const std::string name = "dev.mayfly.payment." + type + ".v1";
    const events::Header headers[] = {{"ce_type", name}};
    const events::NewRecord record{events::Stream::events, 0, "c1",
                                   R"({"session_id":"c1-p1","amount_minor":500,"currency":"GBP"})", headers};
    REQUIRE(client.append({&record, 1}).status.ok());
    REQUIRE(connectors.step(clock.now()).ok());
    REQUIRE(out.flush().ok());
  }
  /// Type and data of the new commands.
  std::string answer() {
    const auto fetched = client.read(events::Stream::commands, 0, read, {100, 1 << 20, events::Millis{0}});
    read = fetched.next;
    std::string text;
    for (const auto& record : fetched.batch.records) {
      text += std::string(short_type(record));
      const auto data = Json::parse(*record.value);
      if (data.contains("state")) text += " " + data["state"].get<std::string>();
      for (const char* total : {"amount_minor", "authorized_minor", "captured_minor", "refunded_minor"}) {
        if (data.contains(total)) text += " " + std::to_string(data[total].get<int>());
      }
    }
    return text;
  }
};

constexpr Chances answers_all{0, 0, 0, events::Millis{0}};

}  // namespace

TEST_CASE("the demo's provider says of a payment what it did with it") {
  World world(answers_all);
  const std::pair<const char*, const char*> rows[] = {
      {"status_requested", "payment.status not_found 0 0 0"},
      {"authorization_requested", "payment.authorized 500"},
      {"status_requested", "payment.status authorized 500 0 0"},
      {"authorization_requested", "payment.authorized 500"},
      {"capture_requested", "payment.captured 500"},
      {"status_requested", "payment.status captured 500 500 0"},
      {"refund_requested", "payment.refunded 500"},
      {"status_requested", "payment.status refunded 500 500 500"},
      {"session_ended", ""},
      {"status_requested", "payment.status not_found 0 0 0"},
  };
  for (const auto& row : rows) {
    world.say(row.first);
    CHECK_MESSAGE(world.answer() == row.second, row.first);
  }
}

TEST_CASE("the demo's provider remembers what it declined and what it canceled") {
  auto chances = answers_all;
  chances.decline_percent = 100;
  World declines(chances);
  declines.say("authorization_requested");
  CHECK(declines.answer() == "payment.declined");
  declines.say("status_requested");
  CHECK(declines.answer() == "payment.status declined 0 0 0");
  World cancels(answers_all);
  cancels.say("authorization_requested");
  cancels.say("cancel_requested");
  CHECK(cancels.answer() == "payment.authorized 500payment.canceled 500");
  cancels.say("status_requested");
  CHECK(cancels.answer() == "payment.status canceled 500 0 0");
}

TEST_CASE("a silent provider answers nothing") {
  auto chances = answers_all;
  chances.silence_percent = 100;
  World world(chances);
  world.say("authorization_requested");
  world.say("status_requested");
  CHECK(world.answer().empty());
}

}  // namespace mayfly::tools
