// The judgement on a re-enactment, from recordings made by hand.
#include "tools/reenact/report.h"
#include "tools/reenact/verdict.h"

#include <doctest/doctest.h>

namespace mayfly::tools {

namespace {

Plan plan_of(Outage outage) {
  Plan plan;
  plan.outage = outage;
  plan.length = events::Millis{100'000};
  return plan;
}

/// A second of a shop that begins ten carts and five checkouts in it, each answered in `ms`.
void pass_second(Recording& run, std::int64_t used_mib, std::int64_t ms) {
  Sample s = run.samples.empty() ? Sample{} : run.samples.back();
  s.at.count += 1'000;
  s.used_bytes = used_mib * tools::mib;
  s.offered += 10;
  s.admitted += 10;
  s.checkouts += 5;
  s.orders += 5;
  s.answers_ms.assign(15, ms);
  run.samples.push_back(s);
}

/// All three live for 100 s as without the bug, but for the alert.
Recordings untroubled(const Plan& plan) {
  Recordings runs;
  for (std::size_t i = 0; i < roles.size(); ++i) {
    runs[i].role = roles[i];
    for (int s = 0; s < 100; ++s) pass_second(runs[i], 10, 20);
  }
  runs[1].alerts.push_back({events::Millis{plan.bug_begins().count + 400}, "leak", std::string(plan.right_purpose()),
                            "growth_per_actor", "it leaks", tools::mib});
  return runs;
}

std::vector<bool> reached(const Verdict& verdict) {
  std::vector<bool> all;
  for (const auto& goal : verdict.goals) all.push_back(goal.reached);
  return all;
}

}  // namespace

TEST_CASE("a percentile is the smallest value that so many percent do not exceed") {
  CHECK(percentile({}, 99) == 0);
  CHECK(percentile({7}, 99) == 7);
  CHECK(percentile({4, 1, 3, 2}, 50) == 2);
  std::vector<std::int64_t> hundred;
  for (std::int64_t i = 100; i > 0; --i) hundred.push_back(i);
  CHECK(percentile(hundred, 99) == 99);
  CHECK(percentile(hundred, 100) == 100);
}

TEST_CASE("what a dead process did not answer is what the same buyers did without the bug") {
  const auto plan = plan_of(Outage::cart_leak);
  auto runs = untroubled(plan);
  runs[0].samples.resize(60);
  runs[0].died = runs[0].samples.back().at;
  runs[0].ending = "crashed, SIGABRT";
  const auto verdict = judge(plan, runs);
  const auto& o = verdict.runs[0];
  CHECK(o.offered == 1'000);
  CHECK(o.admitted == 600);
  CHECK(o.unanswered == 400);
  CHECK(o.checkouts == 500);
  CHECK(o.failed == 200);
  CHECK(o.checkouts_in_outage == 400);  // 5 s to 85 s
  CHECK(o.failed_in_outage == 125);
  REQUIRE(o.first_sign);
  CHECK(o.first_sign->count == 60'000);
  CHECK_FALSE(o.recovered);
  CHECK(verdict.all_reached());
}

TEST_CASE("each promise that is broken is said to be not reached, and no other") {
  const auto plan = plan_of(Outage::session_leak);
  const auto whole = [&] {
    auto runs = untroubled(plan);
    runs[0].samples.resize(60);
    runs[0].died = runs[0].samples.back().at;
    return runs;
  };
  CHECK(reached(judge(plan, whole())) == std::vector<bool>{true, true, true, true, true, true});
  struct Row {
    const char* what;
    void (*spoil)(Recordings&);
    std::size_t goal;
  };
  const Row rows[] = {
      {"unprotected, nothing happens",
       [](Recordings& r) {
         r[0] = r[2];
         r[0].role = Role::unprotected;
       },
       0},
      {"a checkout fails", [](Recordings& r) { r[1].samples.back().failed = 1; }, 1},
      {"two carts of a hundred are not admitted", [](Recordings& r) { r[1].samples.back().admitted -= 20; }, 2},
      {"answers take twice as long",
       [](Recordings& r) {
         for (auto& s : r[1].samples) s.answers_ms.assign(15, 40);
       },
       3},
      {"another name", [](Recordings& r) { r[1].alerts[0].purpose = "unaccounted"; }, 4},
      {"the name comes late", [](Recordings& r) { r[1].alerts[0].at.count += 10'000; }, 4},
      {"too much has leaked", [](Recordings& r) { r[1].alerts[0].bytes = 10 * tools::mib; }, 5},
  };
  for (const auto& row : rows) {
    CAPTURE(row.what);
    auto runs = whole();
    row.spoil(runs);
    std::vector<bool> wanted(6, true);
    wanted[row.goal] = false;
    CHECK(reached(judge(plan, runs)) == wanted);
  }
}

TEST_CASE("a quarter failed and 60% slow is an end as the second outage's, also where the process lives") {
  const auto plan = plan_of(Outage::session_leak);
  struct Row {
    std::int64_t failed;  // of the outage's 400 checkouts
    std::int64_t slow;
    bool wanted;
  };
  for (const auto& row : {Row{100, 240, true}, Row{99, 240, false}, Row{100, 239, false}, Row{0, 400, false}}) {
    CAPTURE(row.failed);
    CAPTURE(row.slow);
    auto runs = untroubled(plan);
    for (std::size_t i = 60; i < 100; ++i) {
      runs[0].samples[i].failed = row.failed;
      runs[0].samples[i].slow = row.slow;
    }
    const auto verdict = judge(plan, runs);
    CHECK(verdict.runs[0].slow_in_outage == row.slow);
    CHECK(verdict.goals[0].reached == row.wanted);
  }
}

TEST_CASE("an order that was slow before the bug came is none of the outage's") {
  const auto plan = plan_of(Outage::session_leak);
  auto runs = untroubled(plan);
  for (std::size_t i = 2; i < 100; ++i) runs[0].samples[i].slow = 7;
  const auto o = judge(plan, runs).runs[0];
  CHECK(o.slow == 7);
  CHECK(o.slow_in_outage == 0);
}

TEST_CASE("what was stopped has figures and no judgement") {
  const auto plan = plan_of(Outage::session_leak);
  auto runs = untroubled(plan);
  for (auto& run : runs) run.samples.resize(45);  // of 100 s; 40 s of the outage's 80, which were 150 minutes
  const auto verdict = judge(plan, runs, false);
  CHECK(verdict.goals.empty());
  CHECK_FALSE(verdict.all_reached());
  CHECK(verdict.runs[1].orders == 225);
  CHECK(verdict.runs[1].checkouts_in_outage == 200);
  const std::string words = "Stopped at minute 75.0, after 45.0 s of 100.0 s.";
  CHECK(report_text(plan, verdict).find(words) != std::string::npos);
  CHECK(report_page(plan, runs, verdict, "").find(words) != std::string::npos);
  CHECK(to_json(plan, verdict).find(R"("stopped_ms":45000)") != std::string::npos);
}

TEST_CASE("recovery is when memory is again what it is without the bug") {
  const auto plan = plan_of(Outage::cart_leak);
  auto runs = untroubled(plan);
  for (std::size_t i = 10; i < 90; ++i) runs[1].samples[i].used_bytes = 50 * tools::mib;
  const auto recovered = judge(plan, runs).runs[1].recovered;
  REQUIRE(recovered);
  CHECK(recovered->count == 6'000);  // the sample at 91 s; the release without the bug came after 85 s
}

TEST_CASE("minutes are the outage's: from the release with the bug to the crash, or to the end of the trouble") {
  const auto cart = plan_of(Outage::cart_leak);
  CHECK(cart.outage_minute(cart.bug_begins()) == doctest::Approx(0));
  CHECK(cart.outage_minute(cart.limit_reached()) == doctest::Approx(30));
  const auto session = plan_of(Outage::session_leak);
  CHECK(session.outage_minute(session.bug_begins()) == doctest::Approx(0));
  CHECK(session.outage_minute(session.bug_ends()) == doctest::Approx(150));
}

TEST_CASE("the page needs nothing else and escapes what it is given") {
  const auto plan = plan_of(Outage::cart_leak);
  auto runs = untroubled(plan);
  runs[1].alerts[0].message = "<script>alert(1)</script>";
  const auto page = report_page(plan, runs, judge(plan, runs), "mayfly reenact cart-leak");
  CHECK(page.find("{{") == std::string::npos);
  CHECK(page.find("<script") == std::string::npos);
  CHECK(page.find("&lt;script&gt;") != std::string::npos);
}

}  // namespace mayfly::tools
