#include "tools/serve/log_watch.h"

#include "adapters/host/thread_cpu.h"
#include "events/rules/money.h"
#include "events/text/precondition.h"
#include "events/wire/json_writer.h"
#include "tools/console/text.h"
#include "tools/funds/funds_reader.h"
#include "tools/records/each_record.h"
#include "tools/records/paced_client.h"
#include "tools/serve/cart_search.h"

#include <algorithm>
#include <exception>
#include <utility>

namespace mayfly::tools {

namespace {

using Steady = std::chrono::steady_clock;
using std::chrono::milliseconds;

constexpr auto longest_pause = milliseconds(1'000);  // between two reads
constexpr const char* a_search_waits = "a search waits";

void append_alert(events::JsonText& text, const AlertRow& row, bool names_carts) {
  events::JsonObject json(text);
  json.text("name", row.alert.name);
  json.text("state", name(row.state));
  json.text("at", time_text(row.alert.at));
  if (row.state == AlertState::ended) json.text("ended", time_text(row.ended));
  json.number("partition", row.alert.partition);
  json.text_if("runbook", runbook_of(row.alert.name));
  json.text_if("what", row.alert.what);
  if (names_carts) json.text_if("cart", row.alert.cart);
  if (names_carts) json.text("message", row.alert.message);
  json.close();
}

std::string amount_text(events::Minor amount, const std::string& code) {
  const auto currency = events::currency_in_force(code);
  return currency ? money(amount, *currency) : grouped(amount) + " minor units " + code;
}

void append_total(events::JsonText& text, const std::string& currency, RiskState state, const RiskTotal& total,
                  events::Timestamp now) {
  events::JsonObject json(text);
  json.text("currency", currency);
  json.text("state", name(state));
  json.number("rows", total.rows);
  json.number("amount_minor", total.amount_minor);
  json.text("amount", amount_text(total.amount_minor, currency));
  json.text("oldest", time_text(total.oldest));
  json.number("oldest_s", std::max<std::int64_t>(0, (now - total.oldest).count / 1000));
  json.close();
}

std::string not_found(std::string_view why) {
  std::string out;
  events::JsonObject json(out);
  json.boolean("found", false);
  json.text("why", why);
  json.close();
  return out;
}

}  // namespace

LogWatch::LogWatch(Open open, const events::Clock& clock, events::Timestamp begun, const LogWatchLimits& limits)
    : open_(std::move(open)), clock_(clock), begun_(begun), limits_(limits), thread_([this] { run(); }) {}

LogWatch::~LogWatch() {
  {
    const std::scoped_lock lock(mutex_);
    over_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

std::string LogWatch::view(bool names_carts) {
  const auto now = clock_.now();
  const std::scoped_lock lock(mutex_);
  if (!std::exchange(asked_, true)) changed_.notify_all();
  std::string out;
  events::JsonObject json(out);
  json.text_if("problem", seen_.problem);
  json.array("alerts", seen_.alerts, [&](auto& text, const AlertRow& row) { append_alert(text, row, names_carts); });
  events::JsonObject money(json.value_of("money"));
  money.number("read_percent", seen_.money_percent);
  money.boolean("cut", seen_.money_cut);
  money.boolean("too_many", seen_.money_too_many);
  money.array("at_risk", totals_of(seen_.risks),
              [&](auto& text, const auto& of) { append_total(text, of.first.first, of.first.second, of.second, now); });
  money.close();
  json.boolean("search", names_carts);
  json.close();
  return out;
}

void LogWatch::search(std::string id, Reply reply) {
  {
    const std::scoped_lock lock(mutex_);
    if (!searching_) {
      searching_ = Search{std::move(id), std::move(reply)};
      changed_.notify_all();
      return;
    }
  }
  reply(503, R"({"found":false,"why":"another search is under way: try again when it has ended"})");
}

void LogWatch::run() {
  std::unique_lock lock(mutex_);
  auto looked = Steady::now() - milliseconds(limits_.refresh.count);
  auto asked = Steady::now();
  while (!over_) {
    const auto due = [&] { return asked_ && Steady::now() - looked >= milliseconds(limits_.refresh.count); };
    changed_.wait_for(lock, milliseconds(limits_.refresh.count), [&] { return over_ || searching_ || due(); });
    if (over_) break;
    if (searching_) {
      const auto id = searching_->id;
      asked = Steady::now();
      lock.unlock();
      auto [status, json] = answer_or_failure(id);
      lock.lock();
      const auto reply = std::move(searching_->reply);
      searching_.reset();  // before it is answered: who then asks at once is served
      lock.unlock();
      reply(status, std::move(json));
      lock.lock();
    } else if (due()) {
      asked_ = false;
      asked = Steady::now();
      lock.unlock();
      refresh();
      lock.lock();
      looked = Steady::now();
    } else if (client_ && Steady::now() - asked > milliseconds(limits_.idle.count)) {
      forget(lock);
    }
  }
  if (searching_) searching_->reply(503, R"({"found":false,"why":"the engine ends"})");
}

/// The lock is that of mutex_, held.
void LogWatch::forget(const std::unique_lock<std::mutex>& lock) {
  events::precondition(lock.owns_lock(), "LogWatch::forget: the lock is held");
  client_.reset();
  alerts_.reset();
  funds_.reset();
  alerts_next_.clear();
  seen_ = {};
}

events::LogStatus LogWatch::open_log() {
  if (client_) return {};
  events::LogStatus status;
  client_ = open_(status);
  if (client_) return {};
  return status;
}

std::string LogWatch::pace(std::optional<Steady::time_point> deadline) {
  const auto used = adapters::cpu_of_this_thread();
  const auto worked = used - std::exchange(paced_, used);
  const auto pause =
      std::min<std::chrono::nanoseconds>(worked * (100 - limits_.cpu_percent) / limits_.cpu_percent, longest_pause);
  std::unique_lock lock(mutex_);
  changed_.wait_for(lock, pause, [&] { return over_; });
  if (over_) return "the engine ends";
  if (!deadline && searching_) return a_search_waits;
  if (deadline && Steady::now() > *deadline) {
    return "The log was not read to its end within " + std::to_string(limits_.search.count / 1000) +
           " s: `mayfly inspect` has no limit.";
  }
  return {};
}

/// What is thrown, for want of memory, ends the look and not the engine.
void LogWatch::refresh() try {
  auto status = open_log();
  if (status.ok()) {
    paced_ = adapters::cpu_of_this_thread();
    PacedClient paced(*client_, [this] { return pace(std::nullopt); });
    status = read_alerts(paced);
    if (!funds_) funds_.emplace();
    if (status.ok()) status = funds_->read_on(paced);
  }
  const std::scoped_lock lock(mutex_);
  seen_.problem = status.ok() || status.message == a_search_waits ? std::string() : status.message;
  if (alerts_) seen_.alerts = alerts_->rows();
  if (!funds_) return;
  seen_.risks = funds_->risks(clock_.now());
  seen_.money_percent = funds_->read_percent();
  seen_.money_cut = funds_->cut();
  seen_.money_too_many = funds_->too_many();
} catch (const std::exception& failed) {
  const std::unique_lock lock(mutex_);
  forget(lock);
  seen_.problem = std::string("it could not be read: ") + failed.what();
}

/// Partitions one by one, then all that is new by time: an alert's end may lie in another partition.
events::LogStatus LogWatch::read_alerts(events::LogClient& log) {
  const auto partitions = log.partitions();
  if (!alerts_) alerts_.emplace(begun_);
  alerts_next_.resize(static_cast<std::size_t>(partitions), -1);
  const auto newest = std::max<events::Offset>(static_cast<events::Offset>(limits_.alerts_at_first) / partitions, 20);
  auto next = alerts_next_;
  std::vector<Alert> found;
  for (events::Partition p = 0; p < partitions; ++p) {
    auto& at = next[static_cast<std::size_t>(p)];
    const auto ends = log.ends(events::Stream::alerts, p);
    if (!ends.status.ok()) return ends.status;
    if (at < 0) at = ends.end - newest;
    at = std::max(at, ends.first);
    while (at < ends.end) {
      const auto fetched = log.read(events::Stream::alerts, p, at, read_at_once);
      if (!fetched.status.ok()) return fetched.status;
      at = fetched.next;
      if (fetched.batch.records.empty()) break;
      for (const auto& record : fetched.batch.records) {
        if (auto alert = read_alert(record)) found.push_back(std::move(*alert));
      }
    }
  }
  alerts_next_ = std::move(next);
  std::stable_sort(found.begin(), found.end(), [](const Alert& a, const Alert& b) { return a.at < b.at; });
  for (auto& alert : found) alerts_->add(std::move(alert));
  return {};
}

std::pair<int, std::string> LogWatch::answer_or_failure(const std::string& id) try {
  return answer(id);
} catch (const std::exception& failed) {
  return {503, not_found(failed.what())};
}

std::pair<int, std::string> LogWatch::answer(const std::string& id) {
  if (const auto status = open_log(); !status.ok()) {
    return {503, not_found(status.message)};
  }
  paced_ = adapters::cpu_of_this_thread();
  const auto deadline = Steady::now() + milliseconds(limits_.search.count);
  PacedClient paced(*client_, [this, deadline] { return pace(deadline); });
  auto found = search_cart(paced, id);
  return {found.status.ok() ? 200 : 503, std::move(found.json)};
}

}  // namespace mayfly::tools
