#include "tools/replay/replay_plan.h"

#include "events/rules/identity.h"
#include "events/rules/words.h"
#include "events/wire/cloudevent_headers.h"
#include "events/wire/settings_json.h"
#include "tools/console/numbers.h"
#include "tools/replay/replay_moment.h"

#include <nlohmann/json.hpp>

#include <memory_resource>

namespace mayfly::tools {

using Json = nlohmann::json;

OwnRecord own(const events::Record& record) {
  OwnRecord owned;
  if (record.key) owned.key = std::string(*record.key);
  if (record.value) owned.value = std::string(*record.value);
  for (const auto& h : record.headers) owned.headers.emplace_back(std::string(h.name), std::string(h.value));
  return owned;
}

namespace {

std::optional<events::Settings> settings_in(const std::string& json, const events::Settings& base) {
  events::JsonReader reader;
  std::pmr::monotonic_buffer_resource arena;
  const auto read = reader.read(json, &arena);
  return read ? events::settings_from(*read, base) : std::nullopt;
}

class PlanReader {
 public:
  PlanReader(events::LogClient& log, ReplayPlan& plan) : log_(log), plan_(plan) {}

  std::string read(const Json& json) {
    if (!json.is_object()) return "It must be one JSON object with `settings` or `commands`.";
    for (const auto& [member, value] : json.items()) {
      if (member != "settings" && member != "commands")
        return "There is no member '" + member + "': it may have `settings` and `commands`.";
    }
    if (json.contains("settings")) read_settings(json["settings"]);
    if (!wrong_.empty() || !json.contains("commands")) return wrong_;
    if (!json["commands"].is_array()) return "`commands` must be an array.";
    for (const auto& change : json["commands"]) {
      read_change(change);
      if (!wrong_.empty()) return "commands: " + change.dump() + ": " + wrong_;
    }
    return {};
  }

 private:
  void read_settings(const Json& settings) {
    plan_.settings = settings.dump();
    if (!settings.is_object() || !settings_in(plan_.settings, {})) wrong_ = "`settings` has a value out of range.";
    std::string all;
    events::append_settings(all, events::Settings{}, events::Settings{});
    for (const auto& [member, value] : settings.items()) {
      const auto changed = settings_in(Json{{member, value}}.dump(), {});
      const auto other =
          settings_in(Json{{member, value.is_number() ? Json(value.get<std::int64_t>() + 1) : value}}.dump(), {});
      const bool known = changed && (!(*changed == events::Settings{}) || (other && !(*other == events::Settings{})));
      if (!known && member != "admission_closed")
        wrong_ = "There is no setting '" + member + "' (docs/configuration.md).";
    }
  }

  void read_change(const Json& change) {
    if (!change.is_object()) return fail("it must be an object");
    if (change.contains("drop")) return void(here(change["drop"], [](auto& h) { h.dropped = true; }));
    if (change.contains("alter")) {
      if (!change.contains("data")) return fail("give `data`");
      return void(here(change["alter"], [&](auto& h) { h.data = change["data"].dump(); }));
    }
    if (change.contains("move")) return move(change);
    if (change.contains("insert")) return insert(change);
    fail("give drop, alter, move or insert");
  }

  void move(const Json& change) {
    const auto from = command_at(change["move"]);
    const auto to = from ? place(change, from->partition) : std::nullopt;
    if (!to) return;
    auto fetched = log_.read(events::Stream::commands, from->partition, from->offset, {1, 1, events::Millis{0}});
    plan_.commands[*from].dropped = true;
    plan_.commands[*to].before.push_back(own(fetched.batch.records.front()));
  }

  void insert(const Json& change) {
    const auto& command = change["insert"];
    const auto text = [&](const char* member, const std::string& otherwise) {
      return command.contains(member) && command[member].is_string() ? command[member].get<std::string>() : otherwise;
    };
    const auto type = events::command_type_from_name(text("type", ""));
    const auto cart = text("cart", "");
    if (!type || !events::is_cart_id(cart)) return fail("`insert` needs `type`, such as cart.cancel, and `cart`");
    const auto to = place(change, events::partition_of(cart, log_.partitions()));
    if (!to) return;
    OwnRecord record;
    record.key = cart;
    record.value = command.contains("data") ? command["data"].dump() : "{}";
    const std::string id = text("id", "what-if-" + std::to_string(++inserted_));
    const std::string source = text("source", "/mayfly/what-if");
    const events::CloudEventHeaders event{.id = id, .source = source, .type = events::ce_type(*type)};
    event.each([&record](std::string_view name, std::string_view value) { record.headers.emplace_back(name, value); });
    plan_.commands[*to].before.push_back(std::move(record));
  }

  /// Where `before` says, which lies in that partition.
  std::optional<events::Position> place(const Json& change, events::Partition p) {
    if (!change.contains("before")) {
      fail("give `before`: a position, or end");
      return std::nullopt;
    }
    if (change["before"] == "end") return events::Position{p, ReplayPlan::at_end};
    const auto at = command_at(change["before"]);
    if (at && at->partition == p) return at;
    if (wrong_.empty()) fail("the command belongs to partition " + std::to_string(p));
    return std::nullopt;
  }

  std::optional<events::Position> command_at(const Json& words) {
    Moment moment;
    const auto text = words.is_string() ? words.get<std::string>() : std::string{};
    if (!position_from_text(text)) {
      fail("a position is PARTITION:OFFSET");
      return std::nullopt;
    }
    const auto status = moment_from_words(text, log_, {}, moment);
    if (!status.ok()) fail(status.message);
    return moment.at;
  }

  template <class F>
  bool here(const Json& words, F f) {
    const auto at = command_at(words);
    if (at) f(plan_.commands[*at]);
    return at.has_value();
  }

  void fail(const std::string& why) {
    if (wrong_.empty()) wrong_ = why;
  }

  events::LogClient& log_;
  ReplayPlan& plan_;
  std::string wrong_;
  int inserted_ = 0;
};

}  // namespace

void ReplayPlan::change(events::Settings& to) const {
  if (settings.empty()) return;
  if (const auto changed = settings_in(settings, to)) to = *changed;
}

std::string read_plan(const std::string& text, events::LogClient& log, ReplayPlan& plan) {
  const auto json = Json::parse(text, nullptr, false);
  if (json.is_discarded()) return "It is not JSON.";
  return PlanReader(log, plan).read(json);
}

}  // namespace mayfly::tools
