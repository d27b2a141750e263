// The book of money at risk, row by row: what events leave open, what closes it.
#include "tools/funds/funds_book.h"

#include <doctest/doctest.h>

#include <sstream>

using mayfly::events::EventType;
using mayfly::events::Minor;
using mayfly::tools::FundsBook;
using mayfly::tools::FundsEvent;

namespace {

struct Said {
  EventType type;
  Minor amount = 0;
  const char* currency = "GBP";
  bool cart_lives = true;
  mayfly::events::Cause cause = mayfly::events::Cause::none;
  bool on_command = false;
  bool final = false;
  Minor extra = 0;
};

constexpr auto opened = EventType::payment_session_opened;
constexpr auto ask_authorization = EventType::payment_authorization_requested;
constexpr auto authorized = EventType::payment_authorized;
constexpr auto ask_capture = EventType::payment_capture_requested;
constexpr auto captured = EventType::payment_captured;
constexpr auto ask_cancel = EventType::payment_cancel_requested;
constexpr auto canceled = EventType::payment_canceled;
constexpr auto ask_refund = EventType::payment_refund_requested;
constexpr auto refunded = EventType::payment_refunded;
constexpr auto in_doubt = EventType::payment_in_doubt;
constexpr auto unresolved = EventType::payment_unresolved;
constexpr auto ended = EventType::payment_session_ended;
constexpr auto order = EventType::order_placed;
constexpr auto converted = EventType::cart_converted;

/// "state amount currency [over] [order]" of each row, in one line.
std::string rows_after(const std::vector<Said>& said) {
  FundsBook book;
  mayfly::events::Offset offset = 0;
  for (const auto& s : said) {
    FundsEvent e;
    e.type = s.type;
    e.cart = "c1";
    e.session = "c1-p1";
    if (s.type == order) e.order = "o-c1";
    e.amount_minor = s.amount;
    e.currency = s.currency;
    e.cart_lives = s.cart_lives;
    e.cause = s.cause;
    e.on_command = s.on_command;
    e.final = s.final;
    e.extra_minor = s.extra;
    e.at = {0, offset++};
    book.apply(e);
  }
  std::ostringstream out;
  for (const auto& r : book.risks()) {
    out << (out.str().empty() ? "" : "; ") << name(r.state) << ' ' << r.amount_minor << ' ' << r.currency
        << (r.cart_over ? " over" : "") << (r.order.empty() ? "" : " order");
  }
  if (out.str().empty()) CHECK(book.size() == 0);  // nothing at risk, nothing kept
  return out.str();
}

struct Row {
  const char* name;
  std::vector<Said> said;
  std::string rows;
};

constexpr bool late = false;

}  // namespace

TEST_CASE("of several tenders each session of the order waits for its capture, and is closed by its own") {
  FundsBook book;
  mayfly::events::Offset offset = 0;
  const auto apply = [&](EventType type, const char* session, Minor amount) {
    FundsEvent e;
    e.type = type;
    e.cart = "c1";
    e.session = session;
    if (type == order) e.order = "o-c1";
    e.amount_minor = amount;
    e.currency = "GBP";
    e.cart_lives = true;
    e.at = {0, offset++};
    book.apply(e);
  };
  for (const auto& [session, amount] : {std::pair{"c1-p1", 300}, {"c1-p2", 700}}) {
    apply(opened, session, amount);
    apply(ask_authorization, session, amount);
    apply(authorized, session, amount);
  }
  apply(order, "", 0);
  apply(ask_capture, "c1-p1", 300);
  auto rows = book.risks();
  REQUIRE(rows.size() == 2);
  CHECK(rows[0].state == mayfly::tools::RiskState::capture_asked);
  CHECK(rows[1].state == mayfly::tools::RiskState::capture_awaited);
  CHECK(rows[1].amount_minor == 700);
  CHECK(rows[1].order == "o-c1");
  apply(captured, "c1-p1", 300);
  apply(ended, "c1-p1", 300);
  CHECK(book.risks().size() == 1);
  apply(captured, "c1-p2", 700);
  apply(ended, "c1-p2", 700);
  CHECK(book.risks().empty());
}

TEST_CASE("money is at risk from the request until its answer") {
  const std::vector<Said> asked{{opened, 1000}, {ask_authorization, 1000}};
  const auto then = [](std::vector<Said> before, const std::vector<Said>& more) {
    before.insert(before.end(), more.begin(), more.end());
    return before;
  };
  const auto placed = then(asked, {{authorized, 1000}, {order}, {ask_capture, 1000}});
  const Row rows[] = {
      {"asked to authorize", asked, "authorization_asked 1000 GBP"},
      {"declined", then(asked, {{EventType::payment_declined, 1000}, {ended, 1000}}), ""},
      {"authorized, no order yet", then(asked, {{authorized, 1000}}), "authorized_without_order 1000 GBP"},
      {"order placed", placed, "capture_asked 1000 GBP order"},
      {"captured one minor unit short", then(placed, {{captured, 999}}), "capture_asked 1 GBP order"},
      {"captured", then(placed, {{captured, 1000}, {ended, 1000}, {converted}}), ""},
      {"captured too much", then(placed, {{captured, 1200}, {ask_refund, 200}}), "refund_asked 200 GBP order"},
      {"and more still", then(placed, {{captured, 1200}, {ask_refund, 200}, {captured, 1300}, {ask_refund, 100}}),
       "refund_asked 300 GBP order"},
      {"part of it is back", then(placed, {{captured, 1200}, {ask_refund, 200}, {refunded, 50}}),
       "refund_asked 150 GBP order"},
      {"captured with no order", then(asked, {{captured, 400}}), "captured_unpaid 400 GBP"},
      {"that is asked back", then(asked, {{captured, 400}, {ask_refund, 400}}), "refund_asked 400 GBP"},
      {"voided before any answer", then(asked, {{ask_cancel, 0}}), "cancel_asked 1000 GBP"},
      {"voided with a part authorized", then(asked, {{authorized, 300}, {ask_cancel, 300}}), "cancel_asked 300 GBP"},
      {"canceled crosses authorized", then(asked, {{ask_cancel, 0}, {authorized, 1000}, {ask_cancel, 1000}}),
       "cancel_asked 1000 GBP"},
      {"canceled", then(asked, {{authorized, 300}, {ask_cancel, 300}, {canceled, 300}, {ended, 1000}}), ""},
      {"no answer", then(asked, {{in_doubt, 1000}, {EventType::payment_status_requested, 1000}}), "in_doubt 1000 GBP"},
      {"an answer after the doubt", then(asked, {{in_doubt, 1000}, {authorized, 1000}, {order}, {ask_capture, 1000}}),
       "capture_asked 1000 GBP order"},
  };
  for (const auto& row : rows) {
    CAPTURE(row.name);
    CHECK(rows_after(row.said) == row.rows);
  }
}

TEST_CASE("what is unresolved stays until canceled, refunded or captured in full") {
  const std::vector<Said> unknown{{opened, 1000},  {ask_authorization, 1000}, {in_doubt, 1000},
                                  {ask_cancel, 0}, {unresolved, 1000},        {ended, 1000}};
  const std::vector<Said> unpaid{{opened, 1000},  {authorized, 1000}, {order},       {ask_capture, 1000},
                                 {captured, 400}, {unresolved, 600},  {ended, 1000}, {converted}};
  const std::vector<Said> taken_late{{ask_refund, 700, "GBP", late}, {unresolved, 700, "GBP", late}};
  const auto then = [](std::vector<Said> before, const std::vector<Said>& more) {
    before.insert(before.end(), more.begin(), more.end());
    return before;
  };
  const Row rows[] = {
      {"nobody knows", unknown, "unresolved 1000 GBP"},
      {"canceled later", then(unknown, {{canceled, 0}}), ""},
      {"authorized after all", then(unknown, {{ask_cancel, 900}, {unresolved, 900}}), "unresolved 900 GBP"},
      {"then canceled", then(unknown, {{ask_cancel, 900}, {unresolved, 900}, {canceled, 900}}), ""},
      {"captured after all", then(unknown, {{ask_refund, 900}, {unresolved, 900}}), "unresolved 900 GBP"},
      {"a cancel gives nothing back that was taken",
       then(unknown, {{ask_refund, 900}, {unresolved, 900}, {canceled, 0}}), "unresolved 900 GBP"},
      {"refunded, one minor unit short", then(unknown, {{ask_refund, 900}, {unresolved, 900}, {refunded, 899}}),
       "unresolved 1 GBP"},
      {"refunded", then(unknown, {{ask_refund, 900}, {unresolved, 900}, {refunded, 900}}), ""},
      {"an order that is not paid", unpaid, "unresolved 600 GBP over order"},
      {"an order that is not paid, more is authorized",
       {{opened, 1000}, {authorized, 1001}, {order}, {ask_capture, 1000}, {unresolved, 1000}, {ended, 1000}},
       "unresolved 1001 GBP order"},
      {"captured, one minor unit short", then(unpaid, {{captured, 999, "GBP", late}}), "unresolved 1 GBP over order"},
      {"captured again as far as it was", then(unpaid, {{captured, 400, "GBP", late}}),
       "unresolved 600 GBP over order"},
      {"captured in full", then(unpaid, {{captured, 1000, "GBP", late}}), ""},
      {"late money of a cart that is over", taken_late, "unresolved 700 GBP over"},
      {"given back", then(taken_late, {{refunded, 700, "GBP", late}}), ""},
      {"a cancel in a currency nobody named", then(unknown, {{canceled, 0, "XXX"}}), ""},
      {"a cancel in another currency", then(unknown, {{canceled, 0, "EUR"}}), "unresolved 1000 GBP"},
      {"a reply that could not be used tells of less than is asked for",
       {{opened, 1000}, {ask_authorization, 1000}, {unresolved, 33}},
       "unresolved 1000 GBP"},
      {"of more than is asked for",
       {{opened, 1000}, {ask_authorization, 1000}, {unresolved, 1033}},
       "unresolved 1033 GBP"},
      {"while money is asked back",
       {{opened, 1000}, {captured, 400}, {ask_refund, 400}, {unresolved, 33}},
       "unresolved 400 GBP"},
      {"a reply in another currency is a row of its own",
       {{opened, 1000}, {unresolved, 1000, "EUR"}},
       "unresolved 1000 EUR; authorization_asked 1000 GBP"},
  };
  for (const auto& row : rows) {
    CAPTURE(row.name);
    CHECK(rows_after(row.said) == row.rows);
  }
}

TEST_CASE("a cart that settles leaves nothing in the book") {
  FundsBook book;
  for (int i = 0; i < 1000; ++i) {
    FundsEvent e;
    e.cart = "c" + std::to_string(i);
    e.session = e.cart + "-p1";
    e.currency = "GBP";
    e.amount_minor = 500;
    for (const auto type : {opened, ask_authorization, authorized, ask_capture, captured, ended, converted}) {
      e.type = type;
      book.apply(e);
      CHECK(book.size() <= 1);
    }
  }
  CHECK(book.size() == 0);
}

TEST_CASE("what settles by itself is listed under its own name for 72 hours, then as unresolved") {
  using mayfly::events::Cause;
  const std::vector<Said> gone_back{
      {opened, 1000}, {ask_cancel, 0}, {unresolved, 1000, "GBP", true, Cause::abandoned}, {ended, 1000}};
  const auto then = [&](const std::vector<Said>& more) {
    auto all = gone_back;
    all.insert(all.end(), more.begin(), more.end());
    return all;
  };
  const Row rows[] = {
      {"abandoned", gone_back, "abandoned 1000 GBP"},
      {"canceled", then({{canceled, 0, "GBP", late}}), ""},
      {"declined", then({{EventType::payment_declined, 0, "GBP", late}}), ""},
      {"an attempt that failed", then({{EventType::payment_attempt_failed, 1000}}), "abandoned 1000 GBP"},
      {"authorized after all", then({{ask_cancel, 900}, {unresolved, 900}}), "unresolved 900 GBP"},
      {"then declined: it is held", then({{ask_cancel, 900}, {unresolved, 900}, {EventType::payment_declined, 0}}),
       "unresolved 900 GBP"},
      {"then not found: it is held", then({{ask_cancel, 900}, {unresolved, 900}, {canceled, 0}}), "unresolved 900 GBP"},
      {"then canceled", then({{ask_cancel, 900}, {unresolved, 900}, {canceled, 900}}), ""},
      {"a refund under way",
       {{opened, 1000},
        {captured, 400},
        {ask_refund, 400},
        {unresolved, 400, "GBP", true, Cause::refund_pending},
        {ended, 1000}},
       "refund_pending 400 GBP"},
      {"a refund that failed",
       {{opened, 1000},
        {captured, 400},
        {ask_refund, 400},
        {unresolved, 400, "GBP", true, Cause::refund_failed},
        {ended, 1000}},
       "unresolved 400 GBP"},
      {"a dispute is no money at risk", {{EventType::payment_disputed, 1000}}, ""},
  };
  for (const auto& row : rows) {
    CAPTURE(row.name);
    CHECK(rows_after(row.said) == row.rows);
  }
  using mayfly::tools::RiskState;
  std::vector<mayfly::tools::Risk> risks(3);
  risks[0].state = RiskState::abandoned;
  risks[1].state = RiskState::refund_pending;
  risks[2].state = RiskState::cancel_asked;
  leave_to_a_person(risks, {mayfly::tools::settles_by_itself.count});
  CHECK(risks[0].state == RiskState::abandoned);
  leave_to_a_person(risks, {mayfly::tools::settles_by_itself.count + 1});
  CHECK(risks[0].state == RiskState::unresolved);
  CHECK(risks[1].state == RiskState::unresolved);
  CHECK(risks[2].state == RiskState::cancel_asked);
}

TEST_CASE("an unmatched amount is listed unless the events hold that session's end and captured no less") {
  const auto unmatched = EventType::payment_unmatched;
  const auto rows_with = [&](const std::vector<Said>& said) {
    FundsBook book;
    const auto event = [](const Said& s) {
      FundsEvent e;
      e.type = s.type;
      e.cart = "c1";
      e.session = "c1-p1";
      e.amount_minor = s.amount;
      e.currency = s.currency;
      e.cart_lives = s.cart_lives;
      return e;
    };
    for (const auto& s : said) book.apply(event(s));
    for (const auto& s : said) book.look_back(event(s));
    std::string rows;
    for (const auto& r : book.risks()) rows += std::string(name(r.state)) + " " + std::to_string(r.amount_minor) + ";";
    return rows;
  };
  const Said told{unmatched, 1000, "GBP", late};
  CHECK(rows_with({told}) == "unmatched 1000;");
  CHECK(rows_with({{opened, 1000}, {captured, 1000}, {ended, 1000}, told}) == "");
  CHECK(rows_with({{opened, 1000}, {captured, 999}, {ended, 1000}, told}) == "unmatched 1000;");
  CHECK(rows_with({{captured, 1000}, told}) == "unmatched 1000;");
  CHECK(rows_with({told, told}) == "unmatched 1000;");
  CHECK(rows_with({told, {canceled, 0, "GBP", late}}) == "");
  CHECK(rows_with({told, {refunded, 999, "GBP", late}}) == "unmatched 1000;");
  CHECK(rows_with({told, {refunded, 1000, "GBP", late}}) == "");
}

TEST_CASE("money of sessions with terms: awaited while the shop has not asked for it, settling while it takes days") {
  Said on_command{ask_authorization, 1000};
  on_command.on_command = true;
  Said with_extra{ask_authorization, 1000};
  with_extra.extra = 1;
  Said last{ask_capture, 600};
  last.final = true;
  const std::vector<Said> placed = {{opened, 1000}, on_command, {authorized, 1000}, {order}};
  const auto then = [&](std::vector<Said> more) {
    auto all = placed;
    all.insert(all.end(), more.begin(), more.end());
    return rows_after(all);
  };
  const struct {
    const char* name;
    std::string rows;
    const char* expected;
  } rows[] = {
      {"placed", then({}), "capture_awaited 1000 GBP order"},
      {"a part is asked for", then({{ask_capture, 600}}), "capture_asked 1000 GBP order"},
      {"it is captured", then({{ask_capture, 600}, {captured, 600}}), "capture_awaited 400 GBP order"},
      {"the rest is asked for", then({{ask_capture, 600}, {captured, 600}, {ask_capture, 400}}),
       "capture_asked 400 GBP order"},
      {"all is", then({{ask_capture, 600}, {captured, 600}, {ask_capture, 400}, {captured, 1000}, {ended}}), ""},
      {"no more than a part", then({last}), "capture_asked 600 GBP order"},
      {"and it is", then({last, {captured, 600}, {ended}, {converted}}), ""},
      {"a part of that came, and it is asked for again", then({last, {captured, 200}, last}),
       "capture_asked 400 GBP order"},
      {"failed for good, and is collected later",
       then({last, {captured, 200}, last, {unresolved, 400}, {ended}, {converted}, {captured, 600, "GBP", late}}), ""},
      {"the rest is released", then({{ask_capture, 600}, {captured, 600}, {ask_cancel, 400}}),
       "cancel_asked 400 GBP order"},
      {"more was captured", then({{ask_capture, 600}, {captured, 600}, {ask_cancel, 400}, {captured, 700}}),
       "cancel_asked 300 GBP order"},
      {"and more, while in doubt",
       then({{ask_capture, 600}, {captured, 600}, {ask_cancel, 400}, {in_doubt, 1000}, {captured, 700}}),
       "in_doubt 300 GBP order"},
      {"it was", then({{ask_capture, 600}, {captured, 600}, {ask_cancel, 400}, {canceled, 400}, {ended}}), ""},
      {"all was released but for what was captured meanwhile, and that could not be given back",
       then({{ask_cancel, 1000},
             {captured, 400},
             {canceled, 600},
             {ask_refund, 400},
             {unresolved, 400, "GBP", true, mayfly::events::Cause::refund_failed},
             {ended}}),
       "unresolved 400 GBP order"},
      {"and is given back later",
       then({{ask_cancel, 1000},
             {captured, 400},
             {canceled, 600},
             {ask_refund, 400},
             {unresolved, 400, "GBP", true, mayfly::events::Cause::refund_failed},
             {ended},
             {refunded, 400, "GBP", late}}),
       ""},
      {"the provider canceled it, and a part is collected in another way",
       then({{canceled, 1000}, {unresolved, 1000}, {ended}, {converted}, {captured, 400, "GBP", late}}),
       "unresolved 600 GBP over order"},
      {"too late", then({{ask_capture, 600}, {captured, 600}, {unresolved, 400}, {ended}, {converted}}),
       "unresolved 400 GBP over order"},
      {"more than the order's is held, and a part is captured: the rest of that is held still",
       rows_after({{opened, 1000},
                   on_command,
                   {authorized, 1100},
                   {order},
                   {ask_capture, 600},
                   {captured, 600},
                   {unresolved, 400},
                   {ended},
                   {converted},
                   {captured, 600, "GBP", late}}),
       "unresolved 500 GBP over order"},
      {"what was captured is given back: the rest is held still",
       then({{ask_capture, 400},
             {captured, 400},
             {ask_capture, 600},
             {unresolved, 600},
             {ended},
             {converted},
             {refunded, 400, "GBP", late}}),
       "unresolved 600 GBP over order"},
      {"more of it than is held",
       then({{ask_capture, 700},
             {captured, 700},
             {ask_capture, 300},
             {unresolved, 300},
             {ended},
             {converted},
             {refunded, 700, "GBP", late}}),
       "unresolved 300 GBP over order"},
      {"and the rest is released",
       then({{ask_capture, 700},
             {captured, 700},
             {ask_capture, 300},
             {unresolved, 300},
             {ended},
             {converted},
             {refunded, 700, "GBP", late},
             {canceled, 1000, "GBP", late}}),
       ""},
      {"all of it was captured, as nobody told, and is given back",
       then({{ask_capture, 1000}, {unresolved, 1000}, {ended}, {converted}, {refunded, 1000, "GBP", late}}), ""},
      {"less was asked for as the last part, and that failed: all is held still",
       then({{ask_capture, 300}, {captured, 300}, last, {unresolved, 300}, {ended}, {converted}}),
       "unresolved 700 GBP over order"},
      {"a part of the last part came: what is beyond it is released",
       then({{ask_capture, 300}, {captured, 300}, last, {captured, 500}, {unresolved, 400}, {ended}, {converted}}),
       "unresolved 400 GBP over order"},
      {"all that was left was asked for, and a part of it came: what is beyond the order is released",
       rows_after({{opened, 1000},
                   on_command,
                   {authorized, 1100},
                   {order},
                   {ask_capture, 1000},
                   {captured, 600},
                   {unresolved, 400},
                   {ended},
                   {converted}}),
       "unresolved 400 GBP over order"},
      {"more than the order was captured after all: what is beyond it is not the order's",
       then({{ask_capture, 1000}, {unresolved, 1000}, {ended}, {converted}, {captured, 1001, "GBP", late}}),
       "unresolved 1 GBP over order"},
      {"of an order that was to be captured for no more than a part, that is what is beyond the part",
       then({last, {unresolved, 600}, {ended}, {converted}, {captured, 1000, "GBP", late}}),
       "unresolved 400 GBP over order"},
      {"and is given back",
       then({last,
             {unresolved, 600},
             {ended},
             {converted},
             {captured, 1000, "GBP", late},
             {refunded, 400, "GBP", late}}),
       ""},
      {"it is listed once, also beside a reply without a currency",
       then({last,
             {unresolved, 600},
             {ended},
             {converted},
             {unresolved, 33, "XXX", late},
             {captured, 1000, "GBP", late}}),
       "unresolved 400 GBP over order"},
      {"the whole was captured and a part of it given back: nothing is held beyond it",
       rows_after({{opened, 1000},
                   on_command,
                   {authorized, 1500},
                   {order},
                   {ask_capture, 600},
                   {captured, 1000},
                   {refunded, 100},
                   {unresolved, 100},
                   {ended},
                   {converted}}),
       "unresolved 100 GBP over order"},
      {"and may be kept where the buyer agreed to it",
       rows_after({{opened, 1000},
                   with_extra,
                   {authorized, 1001},
                   {order},
                   {ask_capture, 1000},
                   {unresolved, 1000},
                   {ended},
                   {converted},
                   {captured, 1001, "GBP", late}}),
       ""},
      {"takes days", rows_after({{opened, 1000}, {ask_authorization, 1000}, {EventType::payment_pending, 1000}}),
       "settling 1000 GBP"},
      {"came",
       rows_after({{opened, 1000},
                   {ask_authorization, 1000},
                   {EventType::payment_pending, 1000},
                   {authorized, 1000},
                   {order},
                   {captured, 1000},
                   {ended}}),
       ""},
  };
  for (const auto& row : rows) {
    CAPTURE(row.name);
    CHECK(row.rows == row.expected);
  }
}
