// A slow, obvious model of decisions.md, written from decisions.md and contract.md alone: one partition with its carts,
// sessions, waits, epitaphs and settings. Straight-line code, one guard a line, maps and strings. It shares no code
// with events/, and nobody may make it faster by doing so.
#pragma once

#include "rules/model/coverage.h"
#include "rules/model/said.h"
#include "rules/model/step.h"

#include <cstdint>
#include <deque>
#include <list>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace mayfly::model {

__extension__ typedef __int128 Amount;  // no sum of ours overflows it

struct Wait {
  std::string kind;
  std::int64_t length = 0;
  std::int64_t set_at = 0;          // offset of the record that set it
  std::optional<std::int64_t> due;  // once a tick has started it
};

struct CartLine {
  std::string sku, name;
  std::int64_t quantity = 0, price = 0;
  std::string line_id, attributes;
  std::int64_t per_quantity = 1;
};

struct Agreed {
  bool on_command = false;
  std::int64_t capture_within_s = 0, settles_within_s = 0, extra = 0;
};

struct OpenSession {
  int number = 0;
  std::int64_t A = 0, au = 0, ca = 0, re = 0;
  std::int64_t asked_back = 0;
  std::int64_t opened_at = 0;
  std::string state;  // authorizing, canceling, capturing, refunding, settling, holding
  std::string why;
  std::string provider, reference, url;
  int tries = 0, capture_failures = 0, refund_failures = 0;
  bool doubted = false;
  bool asked_since_query = false;  // something was asked again since the newest payment.status_requested
  std::int64_t newest_refund = 0;  // amount of the newest payment.refund_requested
  std::int64_t attempts_told = 0, newest_attempt = 0;
  Agreed terms;
  bool order_pending = false, final_asked = false;
  std::int64_t T = 0, request = 0;  // all that was asked to be captured; what the newest request asks for
  int captures_asked = 0;
  std::int64_t until = 0;  // S or H
  [[nodiscard]] bool order_placed() const {
    return state == "capturing" || state == "holding" || (state == "refunding" && why == "paid") || why == "released";
  }
  [[nodiscard]] std::int64_t D() const { return final_asked ? T : A; }
  [[nodiscard]] std::int64_t most() const { return D() + terms.extra; }
};

struct LiveCart {
  std::string id;
  std::int64_t created_at = 0, created_offset = 0;
  std::uint64_t sequence = 0;
  std::string currency;
  std::int64_t expires_after_s = 0;
  bool frozen = false;
  bool merging = false;
  std::int64_t merge = -1;  // of the merge whose answer may end the cart
  std::string merge_into;
  std::vector<CartLine> lines;
  std::vector<StepAdjustment> adjustments;  // those that are bound have their line's sku and line id
  int reservations = 0, sessions = 0;
  std::string provider, token;
  Agreed terms;
  std::deque<std::pair<std::string, std::string>> remembered;  // id, body
  std::optional<OpenSession> session;
  Wait wait;
};

struct Grave {
  std::string cart;
  std::int64_t ended_s = 0;
  std::string outcome;  // converted paid, converted unpaid, expired, canceled, merged
  int W = 0, sessions = 0, reservations = 0;
};

class Model {
 public:
  /// `epitaphs`: places of each of the two queues.
  Model(Coverage& coverage, std::size_t epitaphs);

  /// What the record makes the partition say, in order; then "<cart> wait ..." of each cart whose wait changed.
  std::vector<std::string> take(const Step&);

  /// The offers and answers of merges, in order; whoever drives the model brings them back as records.
  std::vector<Step> written;

  // For the generator, which looks at the state to find a plausible next command.
  [[nodiscard]] const std::map<std::string, LiveCart>& carts() const { return carts_; }
  [[nodiscard]] const std::list<Grave>& graves() const { return graves_; }
  [[nodiscard]] std::int64_t ticked() const { return ticked_; }

 private:
  bool guard(const char* name, bool condition) { return coverage_.guard(name, condition); }
  Said say(LiveCart*, const Step&, const std::string& type);
  void refuse(LiveCart*, const Step&, const std::string& code);
  void refuse_with_order(LiveCart*, const Step&, const std::string& code);
  void alert(const std::string& what) { alert_ = what; }
  void send_alert();  // once, after all that the decision says
  void tell_wait(const std::string& cart);
  void stranger_unresolved(LiveCart*, const Step&, const std::string& known_currency,
                           const std::string& type = "payment.unresolved");
  void set_wait(LiveCart&, const Step&, const std::string& kind, std::int64_t length);
  void set_idle_wait(LiveCart&, const Step&);

  // Section 1 and 2: model.cpp
  bool dead_letter(const Step&);
  void command(const Step&);
  void no_cart(const Step&);
  void ended_cart(const Step&, const Grave&);
  void active_cart(LiveCart&, const Step&);
  void frozen_cart(LiveCart&, const Step&);
  void end(LiveCart&, const Step&, const std::string& outcome, int W);
  // Section 7: model_merge.cpp
  void merge(LiveCart&, const Step&);
  void merge_offered(LiveCart*, bool ended, const Step&);
  std::string why_not_taken(LiveCart*, bool ended, const Step&);
  void merge_answered(LiveCart*, const Step&);
  void merge_wait_ends(LiveCart&, const Step&);
  void write(const Step&);
  void put_line(LiveCart&, const Step&);
  void take_line(LiveCart&, const Step&);
  void adjust(LiveCart&, const Step&);
  bool amounts_out_of_range(const std::vector<CartLine>&, const std::vector<StepAdjustment>&);
  void start_checkout(LiveCart&, const Step&);

  // Section 3: model_time.cpp
  void tick(const Step&);
  void wait_ends(LiveCart&, const Step&);
  Grave* grave_of(const std::string& cart);
  void bury(const Grave&);

  // Sections 4 and 6: model_replies.cpp
  void inventory(LiveCart&, const Step&);
  void reservation_deadline(LiveCart&, const Step&);
  void late_payment(LiveCart*, const Step&, const Grave*);
  void late_inventory(const Step&, const Grave&);
  Said stock(LiveCart*, const Step&, const std::string& type, int number, std::int64_t within);
  void place_order(LiveCart&, const Step&, const std::string& type = "order.placed");
  void reopen(LiveCart&, const Step&, const std::string& why, const std::vector<std::string>& skus);

  // Section 5: model_session.cpp
  void payment(LiveCart&, const Step&);
  void authorizing(LiveCart&, const Step&, bool au_raised);
  void canceling(LiveCart&, const Step&, bool au_raised, bool ca_raised);
  void capturing(LiveCart&, const Step&, bool ca_raised);
  void refunding(LiveCart&, const Step&, std::int64_t ca_rise, bool re_raised);
  void session_wait_ends(LiveCart&, const Step&, const std::string& kind);
  void open_session(LiveCart&, const Step&);
  // model_terms.cpp
  void not_decided_yet(LiveCart&, const Step&);
  void settle(LiveCart&, const Step&);
  void settle_wait_ends(LiveCart&, const Step&);
  std::int64_t settle_length(const OpenSession&, const Step&);
  void hold(LiveCart&, const Step&);
  void capture_command(LiveCart&, const Step&);
  void ask_capture(LiveCart&, const Step&);
  void released(LiveCart&, const Step&, const std::string& outcome);
  void complete(LiveCart&, const Step&);
  Said fact(LiveCart&, const Step&, const std::string& type, std::int64_t amount);
  void request(LiveCart&, const Step&, const std::string& type, std::int64_t amount, std::int64_t key_amount,
               const std::string& wait);
  void canceled(LiveCart&, const Step&);
  void enter(LiveCart&, const std::string& state, const std::string& why);
  void void_session(LiveCart&, const Step&, const std::string& why);
  void refund(LiveCart&, const Step&, const std::string& why);
  void refund_is_done(LiveCart&, const Step&);
  void doubt(LiveCart&, const Step&);
  void session_ended(LiveCart&, const Step&, const std::string& outcome);
  void unresolved(LiveCart&, const Step&, std::int64_t amount, const std::string& cause = "");
  void refund_failed(LiveCart&, const Step&);
  void attempt_failed(LiveCart&, const Step&);
  void give_up(LiveCart&, const Step&, std::int64_t amount, const std::string& cause, const std::string& outcome);
  void abandon(LiveCart&, const Step&);
  bool once_a_query(LiveCart&);
  void declined(LiveCart&, const Step&);
  void disputed(LiveCart*, const Step&, const std::string& known_currency);
  void close(LiveCart&, const Step&, const std::string& why);
  void unpaid(LiveCart&, const Step&, const std::string& outcome);
  bool tries_left(LiveCart&);

  Coverage& coverage_;
  std::size_t epitaphs_;
  std::map<std::string, std::int64_t> numbers_;  // settings, lengths in ms
  std::map<std::string, LiveCart> carts_;
  std::list<Grave> graves_;  // oldest first, both queues
  std::int64_t ticked_ = 0;  // T
  std::vector<std::string> out_;
  std::vector<std::string> writes_;  // offers and answers, told after the rest
  std::string refused_;              // the last code
  std::string alert_;
};

// What replies report (contract.md): totals so far. Shared by the model's sections.
struct Reported {
  std::int64_t au = 0, ca = 0, re = 0;
};
[[nodiscard]] Reported reported(const Step&);
/// What a refund still has to give back.
[[nodiscard]] std::int64_t owed(const OpenSession&);
/// The larger of authorized and captured.
[[nodiscard]] std::int64_t money(const Step&);
[[nodiscard]] std::int64_t total(const std::vector<CartLine>&, const std::vector<StepAdjustment>&);
[[nodiscard]] std::string lines_text(const std::vector<CartLine>&);
[[nodiscard]] bool in_force(const std::string& currency);
/// n of "<cart>-p<n>" or "<cart>-r<n>"; 0 if malformed.
[[nodiscard]] std::int64_t number_of(const std::string& id, const std::string& cart, const char* mark);

}  // namespace mayfly::model
