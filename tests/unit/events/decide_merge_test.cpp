// decisions.md 7 row by row, near misses included: a cart that offers its lines, one that is offered some, and answers
// that come too late.
#include "events/rules/merging.h"
#include "unit/events/scenario.h"

#include <doctest/doctest.h>

using namespace mayfly::testing;

namespace {

constexpr Minor limit = 1'000'000'000'000'000;
const Said started = {"cart.merge_started", "wait merge 900"};
const Said idle_again = {"cart.merge_refused checkout_in_progress", "wait idle 86400"};

Said merge(Scenario& s, Text into = "d") { return s(CommandType::cart_merge, CartMerge{into}); }
Said answered(Scenario& s, Offset merge, std::optional<Code> code = {}) {
  return s(CommandType::cart_merge_answered, CartMergeAnswered{"d", merge, code});
}
Said offered(Scenario& s, const std::vector<CartAddLine>& lines, Text currency = "GBP") {
  return s(CommandType::cart_merge_offered, CartMergeOffered{"e", 7, currency, lines});
}
Said add(Scenario& s, Text sku, std::int64_t quantity = 1, Minor price = 5) {
  return s(CommandType::cart_add_line, CartAddLine{sku, quantity, price, "", ""});
}

/// A cart whose lines are offered.
Scenario merging() {
  Scenario s;
  merge(s.active());
  return s;
}
/// One that has waited for the answer in vain.
Scenario unanswered() {
  auto s = merging();
  s.wait_ends(WaitKind::merge);
  return s;
}
Scenario ended() {
  Scenario s;
  s.active().cancel();
  return s;
}

/// What an offer of these lines is answered.
std::optional<Code> answer_to(Scenario s, const std::vector<CartAddLine>& lines) {
  offered(s, lines);
  const Command command{CommandType::cart_merge_offered, CartMergeOffered{"e", 7, "GBP", lines}, "id", {}};
  const auto answer = answer_to_offer(command, s.events);
  REQUIRE(answer);
  CHECK(answer->to == "e");
  CHECK(answer->merge == 7);
  return answer->code;
}

}  // namespace

TEST_CASE("a merge offers the lines and waits; the answer ends the cart or gives it back") {
  const auto with = [](Scenario s, const auto& command) { return command(s); };
  const auto newest = [](Scenario& s) { return s.cart->merge; };
  const std::vector<Row> rows = {
      {"merge", with(Scenario().active(), [](auto& s) { return merge(s); }), started},
      {"into itself", with(Scenario().active(), [](auto& s) { return merge(s, "c"); }), {"!merge_into_self"}},
      {"while one runs", with(merging(), [](auto& s) { return merge(s, "e"); }), {"!merge_in_progress"}},
      {"an edit", with(merging(), [](auto& s) { return add(s, "B"); }), {"!merge_in_progress"}},
      {"a checkout", with(merging(), [](auto& s) { return s.complete(1999); }), {"!merge_in_progress"}},
      {"abandon", with(merging(), [](auto& s) { return s.abandon(); }), {"!merge_in_progress"}},
      {"cancel", with(merging(), [](auto& s) { return s.cancel(); }), {"!merge_in_progress"}},
      {"capture", with(merging(), [](auto& s) { return s.capture({}); }), {"!merge_in_progress"}},
      {"create",
       with(merging(),
            [](auto& s) {
              return s(CommandType::cart_create, CartCreate{"GBP", "", {}});
            }),
       {"!merge_in_progress"}},
      {"lines of another",
       with(merging(),
            [](auto& s) {
              return offered(s, {{"B", 1, 5, "", ""}});
            }),
       {"!merge_in_progress"}},
      {"a reservation that nobody wants",
       with(merging(), [](auto& s) { return s.reserved("c-r1"); }),
       {"!reservation_unknown"}},
      {"a payment of nobody",
       with(merging(), [](auto& s) { return s.captured(5); }),
       {"!session_unknown", "payment.unresolved 5"}},
      {"taken", with(merging(), [&](auto& s) { return answered(s, newest(s)); }), {"cart.merged"}},
      {"refused", with(merging(), [&](auto& s) { return answered(s, newest(s), Code::checkout_in_progress); }),
       idle_again},
      {"taken, another merge", with(merging(), [&](auto& s) { return answered(s, newest(s) - 1); }), {"!merge_over"}},
      {"refused, another merge",
       with(merging(), [&](auto& s) { return answered(s, newest(s) + 1, Code::cart_full); }),
       {}},
      {"no answer",
       with(merging(), [](auto& s) { return s.wait_ends(WaitKind::merge); }),
       {"cart.merge_refused merge_in_progress", "wait idle 86400"}},
      {"near: another wait", with(merging(), [](auto& s) { return s.wait_ends(WaitKind::idle); }), {}},
  };
  for (const auto& row : rows) {
    CAPTURE(row.name);
    CHECK(joined(row.said) == joined(row.expected));
  }
}

TEST_CASE("an answer that comes late ends the cart only if it is as it was offered") {
  const auto late = [](Scenario s, const auto& meanwhile, std::optional<Code> code = {}) {
    const auto n = s.cart->merge;
    meanwhile(s);
    return answered(s, n, code);
  };
  const auto nothing = [](Scenario&) {};
  const auto reopened = [](Scenario& s) {
    s.complete(1999);
    s.wait_ends(WaitKind::reservation);
  };
  const std::vector<Row> rows = {
      {"after 901 s", late(unanswered(), nothing), {"cart.merged"}},
      {"after 901 s, refused", late(unanswered(), nothing, Code::cart_full), {}},
      {"after a refused command", late(unanswered(), [](auto& s) { add(s, "B", 0); }), {"cart.merged"}},
      {"after a reply", late(unanswered(), [](auto& s) { s.captured(5); }), {"cart.merged"}},
      {"after an offer that is refused", late(unanswered(), [](auto& s) { offered(s, {}, "EUR"); }), {"cart.merged"}},
      {"after an add_line", late(unanswered(), [](auto& s) { add(s, "B"); }), {"!merge_over"}},
      {"after a removal",
       late(unanswered(), [](auto& s) { s(CommandType::cart_remove_line, CartRemoveLine{"A"}); }),
       {"!merge_over"}},
      {"after an adjustment",
       late(unanswered(), [](auto& s) { s(CommandType::cart_adjust, CartAdjust{}); }),
       {"!merge_over"}},
      {"after cart.assign",
       late(unanswered(), [](auto& s) { s(CommandType::cart_assign, CartAssign{"me"}); }),
       {"!merge_over"}},
      {"after lines were taken",
       late(unanswered(),
            [](auto& s) {
              offered(s, {{"B", 1, 5, "", ""}});
            }),
       {"!merge_over"}},
      {"after a checkout that failed", late(unanswered(), reopened), {"!merge_over"}},
      {"in a checkout", late(unanswered(), [](auto& s) { s.complete(1999); }), {"!merge_over"}},
      {"in a checkout, refused",
       late(
           unanswered(), [](auto& s) { s.complete(1999); }, Code::cart_full),
       {}},
      {"in the next merge", late(unanswered(), [](auto& s) { merge(s, "e"); }), {"!merge_over"}},
      {"in the next merge, refused",
       late(
           unanswered(), [](auto& s) { merge(s, "e"); }, Code::cart_full),
       {}},
      {"after the end", late(unanswered(), [](auto& s) { s.cancel(); }), {"!merge_over"}},
      {"after the end, refused",
       late(
           unanswered(), [](auto& s) { s.cancel(); }, Code::cart_full),
       {}},
      {"after it was merged", late(merging(), [](auto& s) { answered(s, s.cart->merge); }), {"!merge_over"}},
      {"after a refusal",
       late(merging(), [](auto& s) { answered(s, s.cart->merge, Code::cart_full); }),
       {"!merge_over"}},
  };
  for (const auto& row : rows) {
    CAPTURE(row.name);
    CHECK(joined(row.said) == joined(row.expected));
  }
  Scenario nobody;
  CHECK(answered(nobody, 7) == Said{"!merge_over"});
  CHECK(nobody.concern == Concern::merge_over);
  CHECK(answered(nobody, 7, Code::cart_full) == Said{});
  CHECK(nobody.concern == Concern::none);
}

TEST_CASE("an offer is taken as a whole or not at all") {
  const auto with = [](Scenario s, const std::vector<CartAddLine>& lines, Text currency = "GBP") {
    auto said = offered(s, lines, currency);
    if (s.cart) said.push_back(std::to_string(s.cart->lines.size()) + " lines");
    return said;
  };
  const CartAddLine b{"B", 2, 100, "Cup", ""};
  const CartAddLine more_of_a{"A", 1, 50, "", ""};
  const CartAddLine too_many_of_a{"A", 1'000'000, 50, "", ""};
  const CartAddLine dear{"D", 1, limit, "", ""};
  const CartAddLine other_a{"C", 1, 5, "", "", "A1"};
  Scenario with_id;
  with_id.active();
  with_id(CommandType::cart_add_line, CartAddLine{"A", 1, 5, "", "", "A1"});
  const std::vector<Row> rows = {
      {"two lines, one known",
       with(Scenario().active(), {b, more_of_a}),
       {"cart.line_added", "cart.line_added", "wait idle 86400", "2 lines"}},
      {"none", with(Scenario().active(), {}), {"1 lines"}},
      {"other currency", with(Scenario().active(), {b}, "EUR"), {"!currency_mismatch", "1 lines"}},
      {"none, in another currency", with(Scenario().active(), {}, "EUR"), {"!currency_mismatch", "1 lines"}},
      {"the second line is too large",
       with(Scenario().active(), {b, too_many_of_a}),
       {"!quantity_out_of_range", "1 lines"}},
      {"the total is too large", with(Scenario().active(), {b, dear}), {"!amount_out_of_range", "1 lines"}},
      {"another's line id", with(with_id, {b, other_a}), {"!line_conflict", "2 lines"}},
      {"in a checkout", with(Scenario().reserving(), {b}), {"!checkout_in_progress", "1 lines"}},
      {"while it pays", with(Scenario().authorizing(), {b}), {"!checkout_in_progress", "1 lines"}},
      {"ended", with(ended(), {b}), {"!cart_ended"}},
      {"nobody's", with({}, {b}), {"!cart_unknown"}},
  };
  for (const auto& row : rows) {
    CAPTURE(row.name);
    CHECK(joined(row.said) == joined(row.expected));
  }
}

TEST_CASE("the lines of an offer add up before they are held against what a cart may have") {
  std::vector<CartAddLine> lines(1999, CartAddLine{"", 1, 0, "", ""});
  std::vector<std::string> skus;
  for (std::size_t i = 0; i < lines.size(); ++i) skus.push_back("s" + std::to_string(i));
  for (std::size_t i = 0; i < lines.size(); ++i) lines[i].sku = skus[i];
  Scenario fits;
  CHECK(offered(fits.active(), lines).size() == 2000);  // and the wait
  CHECK(fits.cart->lines.size() == 2000);
  lines.push_back({"one more", 1, 0, "", ""});
  Scenario full;
  CHECK(offered(full.active(), lines) == Said{"!cart_full"});
  CHECK(full.cart->lines.size() == 1);

  Scenario nearly;
  offered(nearly.active(), {lines.begin(), lines.begin() + 1998});
  CHECK(nearly.cart->lines.size() == 1999);
  CHECK(offered(nearly, {{"A", 1, 50, "", ""}, {"one more", 1, 0, "", ""}}).size() == 3);  // a known line takes no room
  CHECK(nearly.cart->lines.size() == 2000);

  const std::string words(256, '\x01');  // six bytes each in JSON
  std::vector<CartAddLine> wordy;
  for (std::size_t i = 0; i < 170; ++i) wordy.push_back({skus[i], 1, 0, words, ""});
  Scenario room;
  CHECK(offered(room.active(), wordy).size() == 171);
  CHECK(room.cart->text_bytes <= 256 * 1024);
  wordy.push_back({"x", 1, 0, words, ""});
  Scenario none;
  CHECK(offered(none.active(), wordy) == Said{"!cart_full"});

  Scenario dear;
  CHECK(offered(dear.active(0), {{"D", 1, limit / 2, "", ""}, {"E", 1, limit / 2, "", ""}}).size() == 3);
  Scenario dearer;
  CHECK(offered(dearer.active(1), {{"D", 1, limit / 2, "", ""}, {"E", 1, limit / 2, "", ""}}) ==
        Said{"!amount_out_of_range"});
}

TEST_CASE("totals in the events of an offer are those after each line") {
  Scenario s;
  offered(s.active(100), {{"B", 2, 10, "", ""}, {"A", 1, 50, "", ""}, {"C", 3, 1, "", "", "c", 2}});
  std::vector<Minor> totals;
  for (const auto& event : s.events) totals.push_back(std::get<LineChanged>(event).total_minor);
  CHECK(totals == std::vector<Minor>{120, 120, 122});  // A: 2 x 50 in place of 100; C: 1.5, a half to the even
  CHECK(s.cart->total_minor() == 122);
}

TEST_CASE("a line that an offer raises keeps its name and attributes, also where lines before it make the cart grow") {
  Scenario s;
  s.active();
  CartAddLine known{"K", 1, 5, "Known", ""};
  known.attributes = R"({"a":"b"})";
  s(CommandType::cart_add_line, known);
  std::vector<CartAddLine> lines;
  for (const auto* sku : {"a", "b", "c", "d", "e", "f", "g", "h"}) lines.push_back({sku, 1, 5, "", "", sku});
  lines.push_back({"A", 1, 5, "", ""});
  lines.push_back({"K", 1, 5, "", ""});
  CHECK(offered(s, lines).size() == lines.size() + 1);
  CHECK(s.cart->find("A")->name == "Tea");
  CHECK(s.cart->find("K")->name == "Known");
  CHECK(s.cart->attributes(*s.cart->find("K")) == R"({"a":"b"})");
}

TEST_CASE("each offer that was decided is answered, with the code of what refuses it") {
  const CartAddLine b{"B", 1, 5, "", ""};
  CHECK(answer_to(Scenario().active(), {b}) == std::nullopt);
  CHECK(answer_to(Scenario().active(), {}) == std::nullopt);
  CHECK(answer_to(Scenario().active(), {{"B", 1, limit + 1, "", ""}}) == Code::amount_out_of_range);
  CHECK(answer_to(Scenario().reserving(), {b}) == Code::checkout_in_progress);
  CHECK(answer_to(merging(), {b}) == Code::merge_in_progress);
  CHECK(answer_to(ended(), {b}) == Code::cart_ended);
  CHECK(answer_to({}, {b}) == Code::cart_unknown);
  const Command unreadable{
      CommandType::cart_merge_offered, Invalid{CommandType::cart_merge_offered, "x", "", {}, ""}, "id", {}};
  CHECK_FALSE(answer_to_offer(unreadable, {}));
  CHECK_FALSE(answer_to_offer({CommandType::cart_cancel, CartCancel{}, "id", {}}, {}));
}

TEST_CASE("carts that are merged into each other both keep their lines") {
  Scenario c;
  Scenario d;
  merge(c.active());
  merge(d.active(), "c2");
  CHECK(answer_to(c, {{"B", 1, 5, "", ""}}) == Code::merge_in_progress);
  CHECK(answer_to(d, {{"B", 1, 5, "", ""}}) == Code::merge_in_progress);
  for (auto* s : {&c, &d}) {
    CHECK(answered(*s, s->cart->merge, Code::merge_in_progress) ==
          Said{"cart.merge_refused merge_in_progress", "wait idle 86400"});
    CHECK(s->cart->phase == Phase::active);
    CHECK(s->cart->lines.size() == 1);
  }
}

TEST_CASE("a cart that does not merge keeps nothing of a merge") {
  auto refused = merging();
  CHECK(refused.cart->merge_into == "d");
  answered(refused, refused.cart->merge, Code::cart_full);
  CHECK(refused.cart->merge_into.empty());
  CHECK(refused.cart->merge == no_offset);
  auto waiting = unanswered();
  CHECK(waiting.cart->merge_into == "d");
  add(waiting, "B");
  CHECK(waiting.cart->merge_into.empty());
  CHECK(waiting.cart->merge == no_offset);
}

TEST_CASE("the cart's life goes on while it merges: what is left of it is its idle wait") {
  auto s = merging();
  s.now = s.now + Millis{30LL * 86'400'000 - 10'000};
  CHECK(s.wait_ends(WaitKind::merge) == Said{"cart.merge_refused merge_in_progress", "wait idle 10"});
}
