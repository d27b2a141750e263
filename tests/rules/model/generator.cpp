#include "rules/model/generator.h"

#include <algorithm>

namespace mayfly::model {

Theme theme_of(std::uint64_t seed) {
  if (seed % 5000 == 1) return Theme::wide_cart;
  if (seed % 5000 == 2) return Theme::wordy_cart;
  if (seed % 2000 == 3) return Theme::crowd_due;
  if (seed % 1000 == 4) return Theme::graves;
  if (seed % 50 == 5) return Theme::stubborn;
  if (seed % 50 == 6) return Theme::silence;
  if (seed % 50 == 8) return Theme::failing;
  if (seed % 50 == 9) return Theme::attempts;
  if (seed % 50 == 10) return Theme::answers;
  if (seed % 50 == 11) return Theme::captures;
  if (seed % 50 == 12) return Theme::settling;
  if (seed % 50 == 13) return Theme::merges;
  if (seed % 20 == 7) return Theme::long_cart;
  return Theme::mixed;
}

Generator::Generator(std::uint64_t seed) : state_(seed), theme_(theme_of(seed)), now_(1'750'000'000'000) {
  state_ = random();  // else each seed's numbers are those of the seed before, one on
  names_ = {"c1", "c2", "c1-p1", "d\xC3\xA4"};
  names_.resize(static_cast<std::size_t>(1 + below(4)));
  switch (theme_) {
    case Theme::mixed: steps_left_ = 15 + below(50); break;
    case Theme::silence: steps_left_ = 160 + below(40); break;
    case Theme::failing: steps_left_ = 40 + below(40); break;
    case Theme::attempts: steps_left_ = 50 + below(20); break;
    case Theme::answers: steps_left_ = 60 + below(20); break;
    case Theme::captures: steps_left_ = 150 + below(40); break;
    case Theme::settling: steps_left_ = 60 + below(40); break;
    case Theme::merges: steps_left_ = 60 + below(40); break;
    case Theme::stubborn: steps_left_ = 150; break;
    case Theme::long_cart: steps_left_ = 60 + below(40); break;
    case Theme::wide_cart: steps_left_ = 2006; break;
    case Theme::wordy_cart: steps_left_ = 320; break;
    case Theme::crowd_due: steps_left_ = 1060; break;
    case Theme::graves: steps_left_ = 700; break;
  }
  if (theme_ != Theme::mixed && theme_ != Theme::graves && theme_ != Theme::merges) names_.resize(1);
  if (theme_ == Theme::merges) names_ = {"c1", "c2", "c3"};
  straight_ = theme_ == Theme::silence || theme_ == Theme::failing || theme_ == Theme::attempts ||
              theme_ == Theme::answers || theme_ == Theme::captures || theme_ == Theme::settling ||
              (theme_ == Theme::mixed && chance(70));
}

// splitmix64: two lines, the same everywhere.
std::uint64_t Generator::random() {
  std::uint64_t z = (state_ += 0x9E3779B97F4A7C15ULL);
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ULL;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EBULL;
  return z ^ (z >> 31);
}

Step Generator::next(Model& model) {
  --steps_left_;
  ++begun_;
  offset_ += 1 + (chance(20) ? below(3) : 0);
  now_ += one_of<std::int64_t>({0, 1, 20, 500, 900, 3000});
  if (chance(2)) now_ -= 700;  // append times of a log may step back
  Step step;
  if (!model.written.empty() && chance(theme_ == Theme::merges ? 35 : 50)) {
    const auto at = chance(80) ? 0 : below(static_cast<std::int64_t>(model.written.size()));
    step = model.written[static_cast<std::size_t>(at)];  // of several partitions: in no order
    model.written.erase(model.written.begin() + at);
  } else if (!sent_.empty() && repeats() && chance(theme_ == Theme::long_cart ? 15 : 8)) {
    step = one_of(sent_);  // once more: a duplicate, or one that was overtaken
    if (chance(20)) {
      if (chance(15)) {
        step.unreadable = true;
      } else if (step.type == "cart.add_line" || step.type == "cart.change_quantity") {
        step.quantity ^= 1;
      } else if (step.type == "checkout.complete") {
        step.expected_total_minor ^= 1;
      } else if (chance(50)) {
        Step other;
        other.type = one_of<std::string>({"cart.remove_line", "cart.cancel", "cart.change_quantity"});
        other.cart = step.cart;
        other.id = step.id;
        if (other.type != "cart.cancel") other.sku = step.sku;
        step = other;
      }
    }
  } else {
    step = themed(model);
  }
  step.offset = offset_;
  if (step.type == "clock.tick") {
    now_ = step.time;
    step.through = one_of<std::int64_t>({offset_ - 1, offset_ - 1, offset_ - 1, offset_ - 1, offset_, offset_ + 50,
                                         offset_ - 2, offset_ - 4 - below(10)});
  } else {
    step.time = now_;
    if (!chance(6)) sent_.push_back(step);
  }
  return step;
}

/// A cart.cancel that may not even be a command.
Step Generator::as_bytes(const std::string& name) {
  Step s;
  s.type = "cart.cancel";
  s.cart = name;
  s.id = fresh_id();
  Record& r = s.record.emplace();
  r.over_64_kib = chance(15);
  r.of_64_kib = chance(10);
  if (chance(15)) r.specversion = one_of<std::string>({"0.3", "1.0 ", "1"});
  r.key_is_cart_id = !chance(15);
  r.subject = chance(50) ? "" : chance(50) ? name : name + "x";
  r.type_known = !chance(15);
  r.data_is_object = !chance(15);
  r.right_partition = !chance(20);
  if (chance(40)) return s;
  // Who sends it: nothing else is wrong with it, most of the time.
  if (chance(70)) r = {};
  r.over_64_kib = r.over_64_kib || chance(20);
  r.type = one_of<std::string>({"cart.cancel", "cart.add_line", "cart.merge_offered", "cart.merge_offered",
                                "cart.merge_answered", "payment.captured", "inventory.rejected"});
  r.source = one_of<std::string>({"/mayfly/shop", "/mayfly/shop", "/mayfly/shop2", "/pay/a", "/pay", "/stock"});
  r.reply_sources = one_of<std::string>({"", "/stock", "/pay/* /stock", "*a", "*", "/mayfly/*"});
  if (chance(60)) s.id = one_of<std::string>({"0-1-2", "10-200-0", "1-2", "1-2-3-4", "1--2", "a-1-2", "1-2-"});
  return s;
}

Step Generator::tick(const Model& model) {
  std::vector<std::int64_t> due;
  for (const auto& [id, cart] : model.carts()) {
    if (cart.wait.due) due.push_back(*cart.wait.due);
  }
  Step s;
  s.type = "clock.tick";
  if (!due.empty() && chance(60)) {
    const std::int64_t first = *std::min_element(due.begin(), due.end());
    s.time = std::max(now_, (chance(75) ? first : one_of(due)) + one_of<std::int64_t>({-1, 0, 0, 0, 1, 1000}));
    // Far jumps end everything: not too often.
    if (s.time - now_ > 7'200'000 && chance(60)) s.time = now_ + 1000;
  } else {
    s.time = now_ + one_of<std::int64_t>({0, 1, 1000, 1000, 1000, 30'000, 61'000, 600'000, 1'800'000, 3'600'000});
    if (chance(4))
      s.time = now_ + one_of<std::int64_t>({86'400'000, 259'200'000, 259'201'000, 2'592'000'000, 3'024'000'000,
                                            3'024'001'000, 31'536'000'000});
  }
  s.at = s.time;
  if (chance(8)) *s.at += one_of<std::int64_t>({60'000, -60'000, 60'001, -60'001});
  if (chance(2)) s.at.reset();
  if (chance(4)) {
    using Setting = std::pair<std::string, std::int64_t>;
    s.settings.push_back(one_of<Setting>({{"cart_idle", 7'200'000},   {"cart_life", 3'600'000},
                                          {"reservation_wait", 5000}, {"authorization_wait", 7000},
                                          {"pending_wait", 8000},     {"refund_wait", 9000},
                                          {"action_wait", 11'000},    {"action_total", 20'000},
                                          {"capture_wait", 6000},     {"cancel_wait", 4000},
                                          {"capture_retry_1", 2000},  {"capture_retry_2", 3000},
                                          {"request_answer", 13'000}, {"status_try_1", 1000},
                                          {"status_try_2", 2500},     {"status_try_3", 3500},
                                          {"status_try_4", 4500},     {"status_tries", 2},
                                          {"retry_after", 5000},      {"status_tries_order_placed", 3},
                                          {"admission_closed", 1},    {"admission_closed", 1},
                                          {"admission_closed", 0},    {"live_carts", 1},
                                          {"live_carts", 2}}));
  }
  return s;
}

Step Generator::themed(Model& model) {
  const auto live = model.carts().find(names_[0]);
  const LiveCart* cart = live == model.carts().end() ? nullptr : &live->second;
  Step s;
  s.cart = names_[0];
  s.id = fresh_id();
  switch (theme_) {
    case Theme::silence:
      if (cart != nullptr && cart->session && cart->session->state == "holding" && chance(60)) {
        return release_rest(*cart);
      }
      if (cart != nullptr && cart->session && cart->session->why == "released" && chance(2)) {
        return moved_by_one(*cart);
      }
      if (cart != nullptr && cart->session && chance(cart->session->state == "authorizing" ? 60 : 99)) {
        s = tick(model);
        if (cart->wait.due) s.time = std::max(now_, *cart->wait.due);
        if (s.at) s.at = s.time;
        s.settings.clear();
        return s;
      }
      break;
    case Theme::failing:
      if (cart == nullptr || !cart->session || chance(12)) break;
      if (cart->session->state != "capturing" && cart->session->state != "refunding") break;
      if (cart->wait.kind == "capture_retry" || cart->wait.kind == "refund_retry") {
        s = tick(model);
        if (cart->wait.due) s.time = std::max(now_, *cart->wait.due);
        if (s.at) s.at = s.time;
        return s;
      }
      s.type = cart->session->state == "refunding" ? "payment.refund_failed" : "payment.capture_failed";
      s.currency = cart->session->state == "refunding" ? cart->currency : "";
      s.session_id = cart->id + "-p" + std::to_string(cart->sessions);
      s.reason = "no";
      s.retryable = !chance(5);
      return s;
    case Theme::attempts:
      if (cart == nullptr || !cart->session || cart->session->state != "authorizing" || chance(1)) break;
      s.type = "payment.attempt_failed";
      s.session_id = cart->id + "-p" + std::to_string(cart->sessions);
      s.reason = "no";
      if (chance(10)) s.attempt = cart->session->newest_attempt + one_of<std::int64_t>({0, 1, 1, 2});
      if (chance(1)) s.attempt = 1'000'000;
      return s;
    case Theme::answers:  // each query is answered, some twice, and nothing moves
      if (cart == nullptr || !cart->session || chance(5)) break;
      if (cart->session->state == "authorizing") {
        if (chance(60)) break;
        s.type = chance(50) ? "cart.cancel" : "payment.authorized";
        if (s.type == "cart.cancel") return s;
        s.session_id = cart->id + "-p" + std::to_string(cart->sessions);
        s.amount_minor = 1;
        s.currency = cart->currency;
        s.reference = "pi";
        return s;
      }
      if (cart->session->state == "canceling" && chance(10)) {
        s.type = "checkout.abandon";
        return s;
      }
      if (cart->wait.kind == "status_try" && chance(60)) {
        s.type = "payment.status";
        s.session_id = cart->id + "-p" + std::to_string(cart->sessions);
        s.state = cart->session->state == "capturing" ? "authorized" : "pending";
        return s;
      }
      s = tick(model);
      if (cart->wait.due) s.time = std::max(now_, *cart->wait.due);
      if (s.at) s.at = s.time;
      s.settings.clear();
      return s;
    case Theme::captures:  // part by part, until no more may be asked for
      if (cart == nullptr || !cart->session || chance(2)) break;
      if (cart->session->state == "holding" && chance(5)) return release_rest(*cart);
      if (cart->session->why == "released" && chance(30)) return moved_by_one(*cart);
      if (cart->session->state == "holding" && chance(95)) {
        s.type = "payment.capture";
        s.total_minor = cart->session->ca + 1;
        return s;
      }
      if (cart->session->state != "capturing") break;
      if (chance(1)) return capture(names_[0], cart);
      s.type = chance(90) ? "payment.captured" : "payment.capture_failed";
      s.session_id = cart->id + "-p" + std::to_string(cart->sessions);
      s.reason = "no";
      s.reference = "pi";
      s.currency = cart->currency;
      s.retryable = true;
      s.amount_minor = s.type == "payment.captured" ? cart->session->T : 0;
      return s;
    case Theme::settling:
      if (cart == nullptr || !cart->session) break;
      if (cart->session->state == "authorizing" && chance(10)) {  // to the last second
        s = tick(model);
        s.time = std::max(now_, cart->session->opened_at + cart->session->terms.settles_within_s * 1000 - 700);
        if (s.at) s.at = s.time;
        return s;
      }
      if (cart->session->state == "authorizing" && chance(60)) {
        s.type = chance(60) ? "payment.pending" : "payment.status";
        s.state = s.type == "payment.status" ? "pending" : "";
        s.session_id = cart->id + "-p" + std::to_string(cart->sessions);
        if (s.type == "payment.pending" && chance(20)) s.expires_after_s = one_of<std::int64_t>({1, 60, 86'400});
        return s;
      }
      if (cart->session->state != "settling" || chance(3)) break;
      s = tick(model);
      if (cart->wait.due) s.time = std::max(now_, *cart->wait.due);
      if (s.at) s.at = s.time;
      s.settings.clear();
      return s;
    case Theme::merges: {
      const auto& name = one_of(names_);
      const auto found = model.carts().find(name);
      const LiveCart* one = found == model.carts().end() ? nullptr : &found->second;
      if (one == nullptr || chance(25)) break;
      s.cart = name;
      if (one->merging && chance(30)) {
        s = tick(model);
        if (one->wait.due) s.time = std::max(now_, *one->wait.due);
        if (s.at) s.at = s.time;
        s.settings.clear();
        return s;
      }
      if (chance(20)) return shop(name, one);
      if (chance(10)) {  // too many where both carts have it
        s.type = "cart.add_line";
        s.sku = "A";
        s.quantity = 600'000;
        return s;
      }
      s.type = "cart.merge";
      s.into = one_of(names_);
      return s;
    }
    case Theme::stubborn:
      if (cart == nullptr || cart->lines.empty() || chance(4)) break;
      if (cart->frozen && chance(90)) {
        s.type = "inventory.rejected";
        s.reservation_id = cart->id + "-r" + std::to_string(cart->reservations);
        return s;
      }
      return checkout(names_[0], cart);
    case Theme::wide_cart:
      if (cart == nullptr || begun_ > 2004) return towards_payment(names_[0], cart);
      s.type = "cart.add_line";
      s.sku = "s" + std::to_string(begun_);
      s.quantity = 1;
      return s;
    case Theme::wordy_cart:
      if (cart == nullptr || begun_ > 318) return towards_payment(names_[0], cart);
      s.type = "cart.add_line";
      s.sku = "s" + std::to_string(begun_ % 200);
      s.name = std::string(1 + static_cast<std::size_t>(below(256)), one_of<char>({'\x01', '\x01', '"', '\n', 'x'}));
      if (chance(85)) s.name = std::string(256, '\x01');
      s.quantity = 1;
      return s;
    case Theme::crowd_due:
      if (begun_ > 1030) return tick(model);
      s.cart = "m" + std::to_string((begun_ * 7919) % 1031);  // in no order
      s.type = "cart.create";
      s.currency = "EUR";
      return s;
    case Theme::graves:
      if (names_.size() < 170) {
        for (int i = 0; i < 170; ++i) names_.push_back("g" + std::to_string(i));
      }
      break;
    default: break;
  }
  return anything(model);
}

Step Generator::anything(const Model& model) {
  const bool crowded = theme_ == Theme::graves;
  if (chance(crowded ? 2 : 22)) return tick(model);
  const std::string& name = crowded ? names_[static_cast<std::size_t>(begun_ / 4) % names_.size()] : one_of(names_);
  const auto live = model.carts().find(name);
  const LiveCart* cart = live == model.carts().end() ? nullptr : &live->second;
  if (crowded && cart != nullptr && chance(40)) {
    Step s;
    s.type = "cart.cancel";
    s.cart = name;
    s.id = fresh_id();
    return s;
  }
  if (crowded && chance(20)) return payment(one_of(names_), nullptr, model);
  Step s;
  if (cart == nullptr && !crowded && chance(20)) {  // its late words still come: they have been sent
    for (auto& known : names_) {
      if (known == name && known.size() < 12) {
        known += "+";
        break;
      }
    }
    return shop(names_.back(), nullptr);
  }
  if (chance(1)) return as_bytes(name);
  if (straight_ && chance(70) && (cart == nullptr || !cart->session)) return towards_payment(name, cart);
  if (cart == nullptr) {
    const bool ended =
        std::any_of(model.graves().begin(), model.graves().end(), [&](const Grave& g) { return g.cart == name; });
    s = ended && chance(85) ? (chance(60) ? payment(name, nullptr, model) : inventory(name, nullptr, model))
                            : shop(name, nullptr);
  } else if (!cart->frozen) {
    s = chance(80) ? shop(name, cart) : chance(50) ? payment(name, cart, model) : inventory(name, cart, model);
  } else if (!cart->session) {
    s = chance(75) ? inventory(name, cart, model) : chance(50) ? shop(name, cart) : payment(name, cart, model);
  } else if (cart->session->state == "holding" && chance(50)) {
    s = capture(name, cart);
  } else {
    s = chance(85) ? payment(name, cart, model) : chance(60) ? inventory(name, cart, model) : shop(name, cart);
  }
  s.cart = name;
  if (s.id.empty()) s.id = fresh_id();
  if (chance(2)) s.unreadable = true;
  return s;
}

Step Generator::towards_payment(const std::string& name, const LiveCart* cart) {
  Step s;
  s.cart = name;
  s.id = fresh_id();
  if (cart == nullptr) {
    s.type = "cart.create";
    s.currency = "EUR";
  } else if (cart->lines.empty()) {
    s.type = "cart.add_line";
    s.sku = "A";
    s.quantity = 1 + below(2);
    s.unit_price_minor = one_of<std::int64_t>({1999, 1999, 7, 1, 0});
  } else if (!cart->frozen) {
    return checkout(name, cart);
  } else {
    s.type = "inventory.reserved";
    s.reservation_id = name + "-r" + std::to_string(cart->reservations);
  }
  return s;
}

Step Generator::shop(const std::string& name, const LiveCart* cart) {
  Step s;
  s.cart = name;
  s.id = fresh_id();
  const std::vector<std::string> skus = {"A", "B", "C"};
  if (cart == nullptr && chance(80)) {
    s.type = "cart.create";
    s.currency = chance(90) ? one_of<std::string>({"EUR", "JPY"}) : one_of<std::string>({"XXX", "DEM", "eur", "XAU"});
    s.customer_id = chance(50) ? "" : "me";
    if (chance(30)) s.expires_after_s = one_of<std::int64_t>({60, 3600, 31'536'000, 59, 31'536'001, 0, -1});
    return s;
  }
  if (cart != nullptr && !cart->lines.empty() && chance(cart->frozen ? 20 : 45)) return checkout(name, cart);
  const std::int64_t kind = below(100);
  if (kind < 45) {
    s.type = "cart.add_line";
    s.sku = one_of(skus);
    s.quantity = chance(92) ? 1 + below(3) : one_of<std::int64_t>({0, -1, 1'000'000, 1'000'001, 999'999, INT64_MAX});
    s.unit_price_minor = chance(92) ? one_of<std::int64_t>({0, 1, 250, 1999})
                                    : one_of<std::int64_t>({1'000'000'000'000'000, 1'000'000'000'000'001, 1'000'000'000,
                                                            1'000'000'001, 500'000'000'000'000, INT64_MAX});
    if (chance(40)) s.name = one_of<std::string>({"Tea", "Tea \"green\"", "\n"});
    s.currency = chance(60) ? "" : currency(cart);
    name_line(s);
    if (chance(15)) s.per_quantity = one_of<std::int64_t>({2, 3, 1000, 1'000'000});
    if (chance(20)) s.attributes = one_of<std::string>({"", R"({"size":"L"})", R"({"size":"M","to":"Ann"})"});
    if (chance(20)) {
      s.type = "cart.set_line";
      if (chance(30)) s.quantity = one_of<std::int64_t>({0, 0, 0, -1, 1'000'001, 1'000'000});
    }
  } else if (kind < 57) {
    s.type = "cart.change_quantity";
    s.sku = one_of(skus);
    s.quantity = one_of<std::int64_t>({0, 1, 2, 5, 1'000'000, 1'000'001, -1});
    name_line(s);
  } else if (kind < 64) {
    s.type = chance(90) ? "cart.remove_line" : "cart.assign";
    if (s.type == "cart.assign") {
      s.customer_id = "you";
      return s;
    }
    s.sku = one_of(skus);
    name_line(s);
  } else if (kind < 78) {
    s.type = "cart.adjust";
    const std::int64_t count = chance(95) ? below(4) : chance(40) ? 16 + below(2) : 512 + below(2);
    const bool wordy = count == 512 && chance(70);
    for (std::int64_t i = 0; i < count; ++i) {
      const auto adjustment = one_of<std::string>({"shipping", "tax", "discount", "fee"});
      const auto worth =
          chance(85)
              ? one_of<std::int64_t>({0, 1, 100, 250, 1999})
              : one_of<std::int64_t>({1'000'000'000'000'000, 1'000'000'000'000'001, 999'999'999'998'001, INT64_MAX});
      StepAdjustment a{adjustment, wordy ? std::string(65, 'l') : "l", worth};
      a.included = chance((adjustment == "tax" || adjustment == "fee") ? 30 : count > 4 ? 0 : 2);
      if (chance(count > 4 ? 0 : 30)) a.sku = one_of(skus);
      if (chance(count > 4 ? 0 : 15)) a.line_id = one_of<std::string>({"a", "b", "A"});
      s.adjustments.push_back(a);
    }
  } else if (kind < 84) {
    s.type = "cart.create";
    s.currency = "EUR";
  } else if (kind < 88) {
    s.type = "checkout.abandon";
    s.reason = chance(50) ? "" : "another card";
  } else if (kind < 90) {
    return capture(name, cart);
  } else if (kind < 92) {
    s.type = "cart.cancel";
    s.reason = chance(50) ? "" : "changed my mind";
  } else if (kind < 95) {
    s.type = "cart.merge";
    s.into = chance(70) ? one_of(names_) : one_of<std::string>({"elsewhere", "", "a\x01", std::string(129, 'x')});
  } else {
    return checkout(name, cart);
  }
  return s;
}

Step Generator::release_rest(const LiveCart& cart) {
  Step s = capture(cart.id, &cart);
  s.session_id.clear();
  s.total_minor = cart.session->ca;
  s.final = true;
  return s;
}

/// While the rest is to be released.
Step Generator::moved_by_one(const LiveCart& cart) {
  Step s;
  s.cart = cart.id;
  s.id = fresh_id();
  s.type = chance(80) ? "payment.captured" : "payment.refunded";
  s.session_id = cart.id + "-p" + std::to_string(cart.sessions);
  s.reference = "pi";
  s.currency = cart.currency;
  s.amount_minor = (s.type == "payment.captured" ? cart.session->ca : cart.session->re) + 1;
  return s;
}

Step Generator::capture(const std::string& name, const LiveCart* cart) {
  Step s;
  s.cart = name;
  s.id = fresh_id();
  s.type = "payment.capture";
  if (chance(20)) s.session_id = session_id(name, cart != nullptr ? cart->sessions : 1);
  const bool open = cart != nullptr && cart->session;
  const std::int64_t A = open ? cart->session->A : 1999;
  const std::int64_t ca = open ? cart->session->ca : 0;
  if (chance(75)) s.total_minor = one_of<std::int64_t>({A, A / 2, A / 3, ca, ca + 1, ca - 1, A + 1, 0});
  s.final = chance(35);
  return s;
}

/// Some lines have an id of their own, of the same sku or of another's.
void Generator::name_line(Step& s) {
  if (chance(30)) s.line_id = one_of<std::string>({"a", "b", "A"});
}

Step Generator::checkout(const std::string& name, const LiveCart* cart) {
  Step s;
  s.cart = name;
  s.id = fresh_id();
  s.type = "checkout.complete";
  s.expected_total_minor = cart != nullptr ? total(cart->lines, cart->adjustments) : 0;
  if (chance(8)) s.expected_total_minor += one_of<std::int64_t>({1, -1, 1000});
  s.payment = chance(95);
  if (s.payment) {
    s.provider = "sim";
    s.token =
        chance(95) ? "tok" : one_of<std::string>({"4111 1111-1111 1111", "4111111111111112", "4111111111111111x"});
    const bool commanded = theme_ == Theme::captures || (theme_ == Theme::silence && chance(40));
    if (commanded || chance(25)) {
      s.on_command = true;
      s.capture_within_s = one_of<std::int64_t>({60, 3600, 604'800, 7'776'000});
    }
    if (theme_ == Theme::settling || chance(25)) {
      s.settles_within_s = one_of<std::int64_t>({3600, 7200, 1'209'600, 2'592'000});
    }
    if (chance(20))
      s.extra_up_to_minor = one_of<std::int64_t>({1, 200, s.expected_total_minor, s.expected_total_minor + 1});
    s.extra_up_to_minor = std::max<std::int64_t>(0, s.extra_up_to_minor);
  }
  return s;
}

}  // namespace mayfly::model
