// The replayed partition decides as the engine does: events, state records and positions are the same bytes, from the
// first command on and from any checkpoint. And a cart's timeline tells what happened to it.
#include "tools/replay/replay_partition.h"

#include "tools/replay/replay_timeline.h"
#include "unit/tools/replay_shop.h"

#include <doctest/doctest.h>

#include <map>
#include <string>
#include <vector>

using namespace mayfly;
using namespace mayfly::events;
using mayfly::tools::Shop;

namespace {

struct Said final : tools::ReplayedPartition::Watcher {
  bool watches(std::string_view) override { return true; }
  void decided(const tools::Replayed& told) override {
    for (const auto& event : told.events) {
      lines.push_back(std::to_string(told.record.at.offset) + "-" + std::to_string(event.index) + " " +
                      std::string(name(event.type)) + " " + std::to_string(event.sequence) + " " + event.data);
    }
  }
  std::vector<std::string> lines;
};

std::string header_of(const Record& record, std::string_view wanted) {
  for (const auto& h : record.headers) {
    if (h.name == wanted) return std::string(h.value);
  }
  return {};
}

std::vector<std::string> recorded_events(const Shop& shop) {
  std::vector<std::string> lines;
  for (const auto& r : shop.store.records(Stream::events, 0)) {
    const auto type = event_type_from_ce_type(header_of(r, "ce_type"));
    const auto sequence = header_of(r, "ce_sequence");
    lines.push_back(header_of(r, "ce_id").substr(2) + " " + std::string(name(*type)) + " " +
                    (sequence.empty() ? "0" : sequence) + " " + std::string(*r.value));
  }
  return lines;
}

std::map<std::string, std::string> recorded_state(const Shop& shop) {
  std::map<std::string, std::string> newest;
  for (const auto& r : shop.store.records(Stream::state, 0)) {
    if (r.value) {
      newest.insert_or_assign(std::string(*r.key), std::string(*r.value));
    } else {
      newest.erase(std::string(*r.key));
    }
  }
  return newest;
}

std::map<std::string, std::string> saved(tools::ReplayedPartition& partition) {
  std::map<std::string, std::string> records;
  partition.save([&](std::string_view key, std::string_view value) { records.emplace(key, value); });
  return records;
}

}  // namespace

TEST_CASE("a replayed partition says the recorded events and comes to the recorded state, byte for byte") {
  Shop shop;
  busy_day(shop);
  tools::ReplayedPartition partition("mayfly", 0, 1);
  Said said;
  for (const auto& record : shop.store.records(Stream::commands, 0)) partition.take(record, &said);
  const auto recorded = recorded_events(shop);
  CHECK(recorded.size() > 50);
  CHECK(said.lines == recorded);
  CHECK(saved(partition) == recorded_state(shop));
}

TEST_CASE("what nobody watches comes to the same state") {
  Shop shop;
  busy_day(shop);
  tools::ReplayedPartition partition("mayfly", 0, 1);
  for (const auto& record : shop.store.records(Stream::commands, 0)) partition.take(record, nullptr);
  CHECK(saved(partition) == recorded_state(shop));
}

TEST_CASE("a replay goes on from a checkpoint at any command as from the first") {
  Shop shop;
  busy_day(shop);
  const auto commands = shop.store.records(Stream::commands, 0);
  const auto recorded = recorded_events(shop);
  for (std::size_t cut = 0; cut <= commands.size(); ++cut) {
    CAPTURE(cut);
    Said said;
    tools::ReplayedPartition first("mayfly", 0, 1);
    for (std::size_t i = 0; i < cut; ++i) first.take(commands[i], &said);
    tools::ReplayedPartition second("mayfly", 0, 1);
    for (const auto& kept : saved(first)) CHECK(second.restore(kept.first, kept.second) == "");
    CHECK(second.restored() == "");
    for (std::size_t i = cut; i < commands.size(); ++i) second.take(commands[i], &said);
    CHECK(said.lines == recorded);
  }
}

TEST_CASE("a timeline tells outcome, change, wait and money of each command") {
  Shop shop;
  busy_day(shop);
  tools::Recorded recorded;
  CHECK(tools::read_recorded(shop.client, recorded).ok());
  std::vector<tools::Timeline> timelines;
  REQUIRE(tools::read_timelines(shop.client, recorded, {"pays"}, timelines).ok());
  const auto& timeline = timelines.front();
  CHECK(timeline.phase == "converted_paid");
  CHECK(timeline.order == "o-pays");
  CHECK(timeline.differing == 0);
  const auto text = tools::timeline_text(timeline);
  CAPTURE(text);
  for (const auto* part :
       {"rejected quantity_out_of_range", "is      repeated", "rejected id_reused", "dead letter json_invalid",
        "phase   active -> reserving", "state   session new", "money   asked 5.00 GBP, held 5.00 GBP, taken 0.00 GBP",
        "wait    capture cleared", "phase   paying -> converted_paid"}) {
    CHECK_MESSAGE(text.find(part) != std::string::npos, part);
  }
  CHECK(text.find("tok_1") == std::string::npos);
  const auto page = tools::timeline_page({timeline}, "<pays>");
  CHECK(page.find("<title>&lt;pays&gt;</title>") != std::string::npos);
  CHECK(page.find("http://") == std::string::npos);
  CHECK(page.find("<script") == std::string::npos);
}

TEST_CASE("an id of any kind leads to its carts") {
  Shop shop;
  busy_day(shop);
  const auto found = [&](const std::string& id) {
    std::vector<std::string> carts;
    CHECK(tools::carts_of_id(shop.client, id, carts).ok());
    return carts;
  };
  using Carts = std::vector<std::string>;
  CHECK(found("pays") == Carts{"pays"});
  CHECK(found("o-pays") == Carts{"pays"});
  CHECK(found("pays-p1") == Carts{"pays"});
  CHECK(found("pays-r1") == Carts{"pays"});
  CHECK(found("ref-1") == Carts{"pays"});
  CHECK(found("ann") == Carts{"pays", "declined", "silent", "merges", "expires", "stays"});
  CHECK(found("nothing").empty());
}
