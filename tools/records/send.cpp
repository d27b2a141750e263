// mayfly send: one command from arguments, or NDJSON from standard input.
#include "adapters/host/wall_clock.h"
#include "events/rules/identity.h"
#include "events/rules/words.h"
#include "events/text/utf8.h"
#include "tools/console/client.h"
#include "tools/console/exit_codes.h"
#include "tools/console/output.h"
#include "tools/console/parsed_json.h"
#include "tools/console/text.h"
#include "tools/console/verbs.h"
#include "tools/records/command_check.h"
#include "tools/records/command_exchange.h"
#include "tools/records/command_writer.h"
#include "tools/records/input_lines.h"

#include <nlohmann/json.hpp>

#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <future>
#include <iterator>
#include <string>
#include <utility>

namespace mayfly::tools {

namespace {

using Json = nlohmann::json;

/// Members that are text in every command (contract.md 6): sku=22423 is text, quantity=2 a number.
bool is_text_member(std::string_view name) {
  static constexpr std::string_view texts[] = {
      "currency", "customer_id", "sku", "name",           "label",      "kind",      "reason", "into",
      "provider", "token",       "url", "reservation_id", "session_id", "reference", "state",  "line_id"};
  return std::find(std::begin(texts), std::end(texts), name) != std::end(texts);
}

/// "payment.token=x" style names make inner objects; a value that is JSON is taken as JSON where the member may be
/// other than text, else as it stands. A sentence if it cannot be.
std::string set_member(Json& data, const std::string& member) {
  if (!events::is_utf8(member)) return "'" + member.substr(0, member.find('=')) + "' has a value that is not UTF-8";
  const auto equals = member.find('=');
  if (equals == std::string::npos || equals == 0) return "'" + member + "' is no name=value";
  const auto value = member.substr(equals + 1);
  Json* to = &data;
  std::string name = member.substr(0, equals);
  for (auto dot = name.find('.'); dot != std::string::npos; dot = name.find('.')) {
    to = &(*to)[name.substr(0, dot)];
    if (!to->is_null() && !to->is_object()) {
      return "'" + member + "': " + name.substr(0, dot) +
             " has a value already; give its members or its value, not both";
    }
    name = name.substr(dot + 1);
  }
  const bool text = is_text_member(name) || member.starts_with("attributes.");
  const bool as_it_stands = text && !value.starts_with('"');
  auto given = as_it_stands ? Json(value) : parsed_json(value);
  (*to)[name] = given.is_discarded() ? Json(value) : std::move(given);
  return {};
}

std::string text_in(const Json& line, const char* name) {
  const auto found = line.find(name);
  return found != line.end() && found->is_string() ? found->get<std::string>() : std::string{};
}

/// A command of a line of NDJSON; what is wrong with it, or nothing.
std::string from_line(const std::string& text, const std::string& source, OutgoingCommand& command) {
  const auto line = parsed_json(text);
  if (!line.is_object()) return "is no JSON object";
  command.key = text_in(line, "cart").empty() ? text_in(line, "key") : text_in(line, "cart");
  command.type = text_in(line, "type");
  command.id = text_in(line, "id").empty() ? new_id() : text_in(line, "id");
  command.source = text_in(line, "source").empty() ? source : text_in(line, "source");
  if (command.type.starts_with("dev.mayfly.")) command.type = command.type.substr(11, command.type.rfind(".v1") - 11);
  if (!events::is_cart_id(command.key)) return "has no `cart` that is a cart id (1 to 128 bytes of text)";
  if (!events::command_type_from_name(command.type)) return "has no `type` that is a command, such as cart.add_line";
  if (!line.contains("data")) return "has no `data`";
  for (const char* attribute : {"id", "source"}) {
    if (line.contains(attribute) && !line[attribute].is_string())
      return std::string("has an `") + attribute + "` that is no text";
  }
  command.data = line["data"].is_string() ? line["data"].get<std::string>() : line["data"].dump();
  const auto headers = line.value("headers", Json::object());  // items() refers to it
  for (const auto& [name, value] : headers.items()) {
    command.headers.emplace_back(name, value.is_string() ? value.get<std::string>() : value.dump());
  }
  return {};
}

void print_positions(const std::vector<events::Position>& at, bool json) {
  for (const auto& p : at) {
    if (json)
      print("{\"partition\":%d,\"offset\":%lld}\n", p.partition, static_cast<long long>(p.offset));
    else
      print("appended at %d:%lld\n", p.partition, static_cast<long long>(p.offset));
  }
}

/// Lines of standard input become commands. What is gathered goes to the log whenever input pauses, so that a program
/// that sends one command and waits is answered, and when it is asked to stop.
class LineSender {
 public:
  LineSender(CommandWriter& writer, std::int32_t partitions, const SendOptions& options)
      : writer_(writer), check_(partitions), options_(options) {}

  int run(InputLines& lines) {
    auto next = InputLines::Next::line;
    while (status_.ok() && written_out_ && (next == InputLines::Next::line || next == InputLines::Next::pause)) {
      next = lines.next(text_, next == InputLines::Next::pause);
      if (next == InputLines::Next::line)
        take();
      else if (status_ = writer_.flush(); status_.ok())
        print_new();
    }
    if (!status_.ok()) {
      complain("%s\n", status_.message.c_str());
      return exit_code_of(status_.error);
    }
    if (next == InputLines::Next::failed) complain("standard input cannot be read\n");
    if (next == InputLines::Next::stopped && !lines.rest().empty()) {
      ++bad_;
      complain("line %lld was not whole when this was asked to stop; not sent\n", static_cast<long long>(number_) + 1);
    }
    complain("%lld sent, %lld not\n", static_cast<long long>(writer_.written()), static_cast<long long>(bad_));
    return bad_ == 0 && next != InputLines::Next::failed ? exit_ok : exit_failed;
  }

 private:
  void take() {
    ++number_;
    if (text_.find_first_not_of(" \t\r") == std::string::npos) return;
    OutgoingCommand command;
    auto wrong = from_line(text_, options_.source, command);
    if (wrong.empty() && !options_.unchecked) {
      if (const auto why = check_.unusable(command)) wrong = "cannot be read: " + command.type + ": " + why->about;
    }
    if (!wrong.empty()) {
      ++bad_;
      complain("line %lld %s; not sent\n", static_cast<long long>(number_), wrong.c_str());
      return;
    }
    status_ = writer_.write(std::move(command));
    if (status_.ok()) print_new();
  }

  /// What is durable since the last call.
  void print_new() {
    if (writer_.written() == printed_) return;
    print_positions(writer_.last(), options_.json);
    printed_ = writer_.written();
    written_out_ = output_written();
  }

  CommandWriter& writer_;
  CommandCheck check_;
  const SendOptions& options_;
  std::string text_;
  events::LogStatus status_;
  std::int64_t number_ = 0;
  std::int64_t bad_ = 0;
  std::int64_t printed_ = 0;
  bool written_out_ = true;
};

/// The command's events as they were said, each on a line.
void print_events(const CommandOutcome& outcome) {
  for (const auto& event : outcome.events) print("  %s %s\n", event.type.c_str(), event.data.c_str());
}

void print_outcome_json(const CommandOutcome& outcome) {
  Json line = {{"partition", outcome.at.partition},
               {"offset", outcome.at.offset},
               {"decided", outcome.decided},
               {"repeated", outcome.repeated},
               {"events", Json::array()}};
  for (const auto& event : outcome.events) {
    line["events"].push_back({{"type", event.type}, {"id", event.id}, {"data", parsed_json(event.data)}});
  }
  print_json(line.dump(-1, ' ', false, Json::error_handler_t::replace));
}

void print_outcome(const CommandOutcome& outcome) {
  print_positions({outcome.at}, false);
  if (outcome.repeated) {
    print_text("decided before, nothing new came of it; a command with this id came to:\n");
  } else if (outcome.decided && outcome.events.empty()) {
    print_text("decided: nothing new came of it\n");
  }
  print_events(outcome);
}

bool is_refusal(const CausedEvent& event) {
  return event.type == "command.rejected" || event.type == "command.dead_lettered";
}

/// Sends one command and waits for what it comes to.
int send_and_wait(CommandExchange::Clients clients, OutgoingCommand command, const SendOptions& options) {
  std::promise<CommandOutcome> promise;
  auto future = promise.get_future();
  CommandExchange exchange(std::move(clients));
  exchange.send(std::move(command), events::Millis{options.wait_s * 1000},
                [&](CommandOutcome outcome) { promise.set_value(std::move(outcome)); });
  const auto outcome = future.get();
  if (!outcome.status.ok()) {
    complain("%s\n", outcome.status.message.c_str());
    return exit_code_of(outcome.status.error);
  }
  if (options.json)
    print_outcome_json(outcome);
  else
    print_outcome(outcome);
  if (!outcome.decided) {
    complain("not decided within %lld s: is an engine serving this log? The command is in it and will be decided.\n",
             static_cast<long long>(options.wait_s));
    return exit_log_unavailable;
  }
  const bool refused = std::any_of(outcome.events.begin(), outcome.events.end(), is_refusal);
  return refused ? exit_failed : exit_ok;
}

}  // namespace

int send(const SendOptions& options) {
  const adapters::WallClock clock;
  std::stop_source stop;
  if (options.type == "-" && options.wait_s > 0) {
    complain("--wait is for one command: it does not go with -\n");
    return exit_usage;
  }
  if (options.type == "-") stop = stop_on_signals();
  int code = exit_ok;
  auto log = open_client(options, options.create, clock, code);
  if (!log) return code;
  events::LogStatus status;
  CommandWriter writer(*log);
  if (options.type == "-") {
    InputLines lines(STDIN_FILENO, stop.get_token());
    return LineSender(writer, log->partitions(), options).run(lines);
  }
  OutgoingCommand command{
      options.cart, options.type, options.id.empty() ? new_id() : options.id, options.source, "", "", {}};
  if (!events::command_type_from_name(command.type)) {
    complain("'%s' is no command. There are:\n", options.type.c_str());
    for (int i = 0; i < events::command_type_count; ++i) {
      const auto type = static_cast<events::CommandType>(i);
      if (!events::is_engines_command(type)) complain("  %s\n", std::string(events::name(type)).c_str());
    }
    return exit_usage;
  }
  if (!events::is_cart_id(command.key)) {
    complain("'%s' is no cart id: 1 to 128 bytes of text without control characters\n", options.cart.c_str());
    return exit_usage;
  }
  Json data = Json::object();
  for (const auto& member : options.members) {
    if (const auto wrong = set_member(data, member); !wrong.empty()) {
      complain("%s\n", wrong.c_str());
      return exit_usage;
    }
  }
  command.data = data.dump();
  if (!options.unchecked) {
    if (const auto why = CommandCheck(log->partitions()).unusable(command)) {
      complain("%s: %s; not sent (--unchecked sends it all the same)\n", command.type.c_str(), why->about.c_str());
      return exit_usage;
    }
  }
  if (options.wait_s > 0) {
    auto reader = open_reader(options, clock, code);
    auto history = reader ? open_reader(options, clock, code) : nullptr;
    if (!history) return code;
    return send_and_wait({std::move(log), std::move(reader), std::move(history)}, std::move(command), options);
  }
  status = writer.write(std::move(command));
  if (status.ok()) status = writer.flush();
  if (!status.ok()) {
    complain("%s\n", status.message.c_str());
    return exit_code_of(status.error);
  }
  print_positions(writer.last(), options.json);
  return exit_ok;
}

}  // namespace mayfly::tools
