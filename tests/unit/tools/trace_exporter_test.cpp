// The exporter against collectors that are slow, away, refuse, or ask for patience; and what an engine gives it.
#include "tools/traces/trace_exporter.h"
#include "actors/engine/engine.h"
#include "logs/faulty_log.h"
#include "logs/memory_log.h"
#include "tools/traces/commit_tracer.h"
#include "unit/actors/commands.h"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

using namespace mayfly;
using adapters::HttpCall;
using adapters::HttpCalled;
using nlohmann::json;
using tools::Span;
using tools::TraceCounts;
using tools::TraceExporter;
using tools::TraceLimits;

namespace {

/// Answers each request with the next of its answers, the last of them again and again; silent where it has none.
class Collector {
 public:
  explicit Collector(std::vector<HttpCalled> answers) : answers_(std::move(answers)) {}

  TraceExporter::Post post() {
    return [this](HttpCall call, std::function<void(HttpCalled)> done) {
      std::unique_lock lock(mutex_);
      const auto number = requests_.size();
      requests_.push_back(std::move(call));
      changed_.notify_all();
      if (answers_.empty()) {
        unanswered_.push_back(std::move(done));
        return;
      }
      auto answer = answers_[std::min(number, answers_.size() - 1)];
      lock.unlock();
      done(std::move(answer));
    };
  }
  void wait_for_requests(std::size_t count) {
    std::unique_lock lock(mutex_);
    REQUIRE(changed_.wait_for(lock, std::chrono::minutes(5), [&] { return requests_.size() >= count; }));
  }
  std::vector<HttpCall> requests() {
    const std::scoped_lock lock(mutex_);
    return requests_;
  }
  /// All spans that came.
  std::vector<json> spans() {
    std::vector<json> all;
    for (const auto& call : requests()) {
      const auto request = json::parse(call.body);
      for (const auto& span : request["resourceSpans"][0]["scopeSpans"][0]["spans"]) all.push_back(span);
    }
    return all;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<HttpCalled> answers_;
  std::vector<HttpCall> requests_;
  std::vector<std::function<void(HttpCalled)>> unanswered_;
};

HttpCalled status(int code, adapters::HttpHeaders headers = {}, std::string body = "{}") {
  return {code, std::move(headers), std::move(body), {}};
}
const HttpCalled nobody{0, {}, {}, "no connection: refused"};
const adapters::HttpHeaders at_once = {{"retry-after", "0"}};

tools::TraceSettings settings_to(const std::string& address) {
  std::string wrong;
  tools::TraceSettings settings;
  settings.to = *adapters::http_url(address, wrong);
  settings.headers = {{"api-key", "word"}};
  return settings;
}

TraceLimits quick() {
  TraceLimits limits;
  limits.longest_wait = events::Millis{1};
  limits.last_words = events::Millis{20};
  limits.longest_pause = events::Millis{1};
  return limits;
}

std::vector<Span> spans(std::size_t count) { return std::vector<Span>(count, tools::CommandSpan()); }

const tools::TracedEngine engine_of_test{"memory", "checkout.commands.v1", "", {{"service.name", "mayfly"}}};

struct Exporting {
  explicit Exporting(std::vector<HttpCalled> answers, TraceLimits limits = quick()) : collector(std::move(answers)) {
    exporter.emplace(settings_to("http://collector:4318/v1/traces"), engine_of_test, limits, collector.post(),
                     [this](bool taken, const std::string& why) {
                       const std::scoped_lock lock(mutex);
                       said.push_back((taken ? "taken" : "not taken: ") + why);
                     });
  }
  /// Once nothing waits any more.
  TraceCounts settled() {
    TraceCounts counts = exporter->counts();
    for (int i = 0; i < 300'000 && counts.waiting > 0; ++i) {
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
      counts = exporter->counts();
    }
    REQUIRE(counts.waiting == 0);
    return counts;
  }

  Collector collector;
  std::mutex mutex;
  std::vector<std::string> said;
  std::optional<TraceExporter> exporter;  // last: its thread uses the rest
};

}  // namespace

TEST_CASE("spans go to the collector's address with its headers, as JSON, in requests that are bounded") {
  auto limits = quick();
  limits.request_spans = 10;
  Exporting one({status(200)}, limits);
  one.exporter->add(spans(25));
  const auto counts = one.settled();
  CHECK(counts.sent == 25);
  const auto requests = one.collector.requests();
  CHECK(requests.size() == 3);
  CHECK(requests[0].to.target == "/v1/traces");
  CHECK(requests[0].to.place.text() == "collector:4318");
  CHECK(requests[0].headers == adapters::HttpHeaders{{"api-key", "word"}, {"Content-Type", "application/json"}});
  CHECK(one.collector.spans().size() == 25);
  CHECK(one.said.empty());
}

TEST_CASE("what the collector answers decides whether spans are sent again, and what they count as") {
  const std::string partial = R"({"partialSuccess":{"rejectedSpans":"3","errorMessage":"too old"}})";
  const struct {
    const char* name;
    std::vector<HttpCalled> answers;
    std::size_t requests;
    std::int64_t sent, refused, not_taken;
  } rows[] = {
      {"taken", {status(200)}, 1, 10, 0, 0},
      {"taken in part", {status(200, {}, partial)}, 1, 7, 3, 0},
      {"a warning", {status(200, {}, R"({"partialSuccess":{"errorMessage":"slowly"}})")}, 1, 10, 0, 0},
      {"taken, with an answer that is no JSON", {status(200, {}, "ok")}, 1, 10, 0, 0},
      {"more rejected than sent", {status(200, {}, R"({"partialSuccess":{"rejectedSpans":99}})")}, 1, 0, 10, 0},
      {"bad data", {status(400)}, 1, 0, 10, 0},
      {"not admitted", {status(401)}, 1, 0, 10, 0},
      {"elsewhere", {status(301)}, 1, 0, 10, 0},
      {"too large", {status(413)}, 1, 0, 10, 0},
      {"broken", {status(500)}, 1, 0, 10, 0},
      {"too many, then taken", {status(429, at_once), status(200)}, 2, 10, 0, 0},
      {"not now, then taken", {status(503), status(502), status(504), status(200)}, 4, 10, 0, 0},
      {"never now", {status(503)}, 5, 0, 0, 10},
      {"away", {nobody}, 5, 0, 0, 10},
      {"away, then bad data", {nobody, status(400)}, 2, 0, 10, 0},
  };
  for (const auto& row : rows) {
    CAPTURE(std::string(row.name));
    Exporting one(row.answers);
    one.exporter->add(spans(10));
    const auto counts = one.settled();
    CHECK(one.collector.requests().size() == row.requests);
    CHECK(counts.sent == row.sent);
    CHECK(counts.refused == row.refused);
    CHECK(counts.not_taken == row.not_taken);
    CHECK(counts.no_room == 0);
    for (const auto& call : one.collector.requests()) CHECK(call.body == one.collector.requests()[0].body);
  }
}

TEST_CASE("what does not fit into the queue is dropped and counted, and nobody waits") {
  auto limits = quick();
  limits.queue_spans = 100;
  limits.request_spans = 60;
  Exporting one({}, limits);  // a collector that never answers
  one.exporter->add(spans(80));
  one.collector.wait_for_requests(1);
  CHECK(one.exporter->room() == 20);  // what is on its way takes room too
  one.exporter->add(spans(50));
  one.exporter->add(spans(50));
  one.exporter->drop(7);
  const auto counts = one.exporter->counts();
  CHECK(one.exporter->room() == 0);
  CHECK(counts.waiting == 100);
  CHECK(counts.no_room == 30 + 50 + 7);
  CHECK(counts.sent == 0);
}

TEST_CASE("an engine that ends waits for a silent collector no longer than for the last words, and sends what it can") {
  {
    Exporting silent({});
    silent.exporter->add(spans(2'000));
    silent.collector.wait_for_requests(1);
    silent.exporter.reset();  // returns
    CHECK(silent.collector.requests().size() >= 1);
  }
  auto limits = quick();
  limits.longest_wait = events::Millis{3'600'000};  // else nothing would be sent within the test
  limits.last_words = events::Millis{600'000};
  Exporting good({status(200)}, limits);
  good.exporter->add(spans(100));
  good.exporter.reset();
  CHECK(good.collector.spans().size() == 100);
}

TEST_CASE("that a collector takes no spans is said once, and once that it takes them again") {
  Exporting one({nobody, status(503), status(503), status(200), status(400), status(200)});
  one.exporter->add(spans(1));
  one.settled();
  one.exporter->add(spans(1));
  one.settled();
  one.exporter->add(spans(1));
  one.settled();
  const std::scoped_lock lock(one.mutex);
  CHECK(one.said == std::vector<std::string>{"not taken: no connection: refused", "taken",
                                             "not taken: it answered with status 400", "taken"});
}

namespace {

std::string parent_of(int number, const char* flags) {
  const auto last = std::to_string(1000 + number);
  return "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba9" + last + "-" + flags;
}

/// An engine on a log in memory, whose transactions are traced.
struct Traced {
  explicit Traced(const char* sampler, std::size_t room = 8'192) : collector({status(200)}), store(1, clock) {
    auto limits = quick();
    limits.queue_spans = room;
    limits.longest_wait = events::Millis{3'600'000};  // only the last words are sent
    limits.request_spans = 100'000;
    limits.last_words = events::Millis{600'000};
    exporter.emplace(settings_to("http://a:1"), engine_of_test, limits, collector.post(),
                     [](bool, const std::string&) {});
    tracer.emplace(*tools::Sampler::named(sampler, ""), 1, *exporter);
  }
  void send(const std::string& cart, const std::string& type, const std::string& data, const std::string& trace) {
    const std::string ce_type = "dev.mayfly." + type + ".v1";
    const std::string id = "id-" + std::to_string(++sent);
    std::vector<events::Header> headers = {
        {"ce_specversion", "1.0"}, {"ce_id", id}, {"ce_source", "/test"}, {"ce_type", ce_type}};
    if (!trace.empty()) headers.push_back({"traceparent", trace});
    store.append({events::Stream::commands, 0, cart, data, headers});
  }
  void decide(events::Log& log) {
    actors::EngineConfig config;
    config.observer = &*tracer;
    config.threads = 1;
    actors::Engine engine(log, clock, config, nullptr);
    CHECK(engine.run_until_caught_up().end == actors::RunEnd::caught_up);
  }
  void decide() {
    adapters::MemoryLog log(store);
    decide(log);
  }
  /// Ends the exporter, whose last words are all spans.
  void end() {
    counts = exporter->counts();
    exporter.reset();
    for (auto& span : collector.spans())
      (span["name"] == "process checkout.commands.v1" ? commands : commits).push_back(span);
  }

  testing::SetClock clock;
  Collector collector;
  adapters::MemoryStore store;
  int sent = 0;
  std::optional<TraceExporter> exporter;
  std::optional<tools::CommitTracer> tracer;
  TraceCounts counts;
  std::vector<json> commands;
  std::vector<json> commits;
};

json value_of(const json& span, const std::string& key) {
  for (const auto& one : span["attributes"]) {
    if (one["key"] == key) return one["value"].begin().value();
  }
  return nullptr;
}

constexpr const char* create = R"({"currency":"GBP"})";
constexpr const char* add_one = R"({"sku":"A","quantity":1,"unit_price_minor":1})";
constexpr const char* add_none = R"({"sku":"A","quantity":0,"unit_price_minor":1})";

}  // namespace

TEST_CASE("an engine's commands that are sampled become spans beside the transaction that they were committed in") {
  Traced traced("");
  traced.send("c1", "cart.create", create, parent_of(1, "01"));
  traced.send("c1", "cart.add_line", add_none, parent_of(2, "01"));
  traced.send("c1", "cart.add_line", add_one, parent_of(3, "00"));
  traced.send("c1", "cart.add_line", add_one, "");
  traced.send("c1", "cart.add_line", "no JSON", parent_of(4, "01"));
  traced.decide();
  traced.end();
  const struct {
    const char* parent;
    const char* outcome;
    const char* offset;
    const char* type;
  } rows[] = {{"00f067aa0ba91001", "accepted", "0", "dev.mayfly.cart.create.v1"},
              {"00f067aa0ba91002", "rejected", "1", "dev.mayfly.cart.add_line.v1"},
              {"00f067aa0ba91004", "dead_lettered", "4", "dev.mayfly.cart.add_line.v1"}};
  REQUIRE(traced.commands.size() == std::size(rows));
  REQUIRE(traced.commits.size() == 1);
  const auto& commit = traced.commits[0];
  for (std::size_t i = 0; i < std::size(rows); ++i) {
    const auto& span = traced.commands[i];
    CAPTURE(span.dump());
    CHECK(span["traceId"] == "4bf92f3577b34da6a3ce929d0e0e4736");
    CHECK(span["parentSpanId"] == rows[i].parent);
    CHECK(value_of(span, "mayfly.outcome") == rows[i].outcome);
    CHECK(value_of(span, "mayfly.offset") == rows[i].offset);
    CHECK(value_of(span, "cloudevents.event_type") == rows[i].type);
    CHECK(span["links"][0]["spanId"] == commit["spanId"]);
    CHECK(commit["links"][i]["spanId"] == span["spanId"]);
    const std::string times[] = {span["startTimeUnixNano"], span["events"][0]["timeUnixNano"], span["endTimeUnixNano"]};
    CHECK(times[0] <= times[1]);
    CHECK(times[1] <= times[2]);
  }
  CHECK(value_of(traced.commands[1], "mayfly.rejection_code") == "quantity_out_of_range");
  CHECK(value_of(commit, "messaging.batch.message_count") == "5");
  CHECK(commit["links"].size() == std::size(rows));
}

TEST_CASE("a transaction without a sampled command has no span") {
  Traced traced("parentbased_always_off");
  traced.send("c1", "cart.create", create, "");
  traced.send("c1", "cart.add_line", add_one, parent_of(1, "00"));
  traced.send("c1", "cart.add_line", add_one, "00-broken");
  traced.decide();
  traced.end();
  CHECK(traced.collector.requests().empty());
}

TEST_CASE("a sampler of roots gives commands without a parent a trace of their own each") {
  Traced traced("parentbased_always_on");
  traced.send("c1", "cart.create", create, "");
  traced.send("c1", "cart.add_line", add_one, "");
  traced.decide();
  traced.end();
  REQUIRE(traced.commands.size() == 2);
  CHECK(traced.commands[0]["traceId"] != traced.commands[1]["traceId"]);
  for (const auto& span : traced.commands) CHECK(!span.contains("parentSpanId"));
}

TEST_CASE("what a large batch gives is bounded: its links, and its spans by the room that there is") {
  const struct {
    std::size_t room, commands, commits;
    int links_left_out;
    std::int64_t no_room;
  } rows[] = {{1'000, 300, 1, 172, 0}, {200, 199, 1, 71, 101}, {0, 0, 0, 0, 301}};
  for (const auto& row : rows) {
    CAPTURE(row.room);
    Traced traced("", row.room);
    for (int i = 0; i < 300; ++i) traced.send("c" + std::to_string(i), "cart.create", create, parent_of(i, "01"));
    traced.decide();
    traced.end();
    CHECK(traced.commands.size() == row.commands);
    CHECK(traced.commits.size() == row.commits);
    CHECK(traced.counts.no_room == row.no_room);
    for (const auto& commit : traced.commits) {
      CHECK(commit["links"].size() == 128);
      CHECK(commit["droppedLinksCount"] == row.links_left_out);
    }
  }
}

TEST_CASE("a transaction that was not committed is a failed span that links its commands' parents; they come once") {
  Traced traced("");
  traced.send("c1", "cart.create", create, parent_of(1, "01"));
  adapters::MemoryLog inner(traced.store);
  adapters::FaultyLog log(inner);
  log.script({adapters::Fault::aborted});
  traced.decide(log);
  traced.end();
  REQUIRE(traced.commits.size() == 2);
  CHECK(traced.commits[0]["status"]["code"] == 2);
  CHECK(value_of(traced.commits[0], "error.type") == "aborted");
  CHECK(traced.commits[0]["links"][0]["spanId"] == "00f067aa0ba91001");
  CHECK(!traced.commits[1].contains("status"));
  REQUIRE(traced.commands.size() == 1);
  CHECK(traced.commands[0]["links"][0]["spanId"] == traced.commits[1]["spanId"]);
}
