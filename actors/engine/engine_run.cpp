// The engine's loop: poll, decide, commit; and what it does when the log does not go along.
#include "actors/crash/rounds.h"
#include "actors/engine/engine_state.h"

#include <algorithm>
#include <utility>

namespace mayfly::actors {

namespace {

/// A partition that waits for the log to take larger records is tried at least each so many times engine.most_pause_ms:
/// while it does not, each try wakes the other partitions anew.
constexpr std::int64_t most_pauses_for_room = 12;

/// Returns early when asked to stop.
void pause(const std::stop_token& stop, events::Millis length) {
  std::mutex mutex;
  std::unique_lock lock(mutex);
  std::condition_variable_any().wait_for(lock, stop, std::chrono::milliseconds(length.count), [] { return false; });
}

}  // namespace

void Engine::State::say(Notice::Level level, std::string_view name, std::string message, events::Partition partition,
                        std::vector<Notice::Figure> figures_of_it) {
  std::scoped_lock lock(notice_mutex);
  if (notice) notice({level, name, std::move(message), partition, std::move(figures_of_it)});
}

void Engine::State::fail(std::string message, events::LogError error) {
  if (!fatal) fatal = RunResult{RunEnd::failed, std::move(message), error};
}

RunResult Engine::State::run(const std::stop_token& stop, bool until_caught_up) {
  while (!stop.stop_requested() && !fatal) {
    const bool answered = ready;
    const bool held = !until_caught_up && holds_reading();
    if (held) {
      ++beats;
      settle_commit();
      pause(stop, config.poll_wait);
    }
    const bool moved = !held && step(until_caught_up);
    const bool renewed = renew_one(!until_caught_up);
    if (!moved && !renewed && until_caught_up) break;
    look_at_memory();
    heed_partition_budgets();
    if (!until_caught_up) {
      heed_pressure();
      write_ticks();
      ask_figures();
    }
    if (trouble && !fatal) {
      ready = false;
      pause(stop, pauses.next());
    } else if (ready && !answered) {
      say(Notice::Level::info, "ready",
          served.empty() ? "no partition is assigned to it now: it stands by to take over"
                         : "all assigned partitions are restored and served");
    }
  }
  settle_commit();
  gate.run_out();
  look_at_memory();
  ready = false;
  if (fatal) return *fatal;
  return {until_caught_up ? RunEnd::caught_up : RunEnd::stopped, uncommitted};
}

/// Decides one round of what was polled, while what was decided before is committed; polls if nothing is left of it.
/// False: nothing came.
bool Engine::State::step(bool until_caught_up) {
  ++beats;
  trouble = false;
  uncommitted.clear();
  const bool taking = !to_take.empty();
  // What could not be restored before: never between a poll and the deciding of what it gave.
  take_all(until_caught_up);
  if (undecided.empty()) {
    const bool moved = poll_more(until_caught_up);
    if (undecided.empty()) return moved || taking;
  }
  decide_next();
  return true;
}

/// False: nothing came, and nothing changed.
bool Engine::State::poll_more(bool until_caught_up) {
  const auto wait = until_caught_up ? events::Millis{0} : config.poll_wait;
  auto polled = log.poll({most_records(), config.batch_bytes, wait});
  if (!polled.taken.empty() || !polled.lost.empty()) {
    settle_commit();
    for (auto p : polled.lost) {
      to_take.erase(p);
      held_up.erase(p);
      too_large.erase(p);
      left_alone.erase(p);
      drop(p);
      forget_view(p);
      say(Notice::Level::info, "partition_lost", "partition " + std::to_string(p) + " is not ours any more", p);
    }
    for (auto p : polled.taken) to_take.insert(p);
    take_all(until_caught_up);
  }
  if (served.empty() && to_take.empty() && !left_alone.empty()) {
    fail("No partition given to this engine can be served: " + left_alone.begin()->second, events::LogError::corrupt);
  }
  heed(polled.status);
  for (const auto& skipped : polled.skipped) tell_skipped(skipped);
  ready = polled.settled && !trouble && !fatal && to_take.empty() && too_large.empty() && !clocks_apart;
  if (polled.batch.records.empty()) {
    // Nothing to decide meanwhile: see what became of the commit, and take its partitions again if it failed.
    const bool committed = settle_commit();
    rest();
    return committed || trouble || !polled.taken.empty();  // a commit may have written commands
  }
  for (auto& round : rounds(std::move(polled.batch), flight)) undecided.push_back(std::move(round));
  return true;
}

void Engine::State::decide_next() {
  const bool suspected = !flight.nobody_suspected();
  decide_round(next_round());
  if (suspected) settle_commit();  // the next round finds what is committed, not what may yet fail
}

/// From what is undecided, which must be something; no more records than a batch may have now.
events::RecordBatch Engine::State::next_round() {
  auto round = std::move(undecided.front());
  undecided.pop_front();
  const auto most = most_records();
  if (round.records.size() <= most) return round;
  const auto cut = round.records.begin() + static_cast<std::ptrdiff_t>(most);
  undecided.push_front({{cut, round.records.end()}, round.storage});
  round.records.erase(cut, round.records.end());
  return round;
}

/// Of a partition that was restored: the log gives it again, from what is committed on.
void Engine::State::forget_undecided(events::Partition partition) {
  for (auto& batch : undecided) {
    std::erase_if(batch.records, [=](const events::Record& r) { return r.at.partition == partition; });
  }
  std::erase_if(undecided, [](const events::RecordBatch& batch) { return batch.records.empty(); });
}

/// Nothing came, and nothing is on its way: what the last batches needed goes back. Partitions that are not served any
/// more need none.
void Engine::State::rest() {
  flight.in_flight(0);
  for (std::size_t of = 0; of < std::size(records); ++of) {
    records[of] = {};
    memory.count_records(of, records[of]);
  }
  std::erase_if(batches, [this](const auto& pair) { return !served.contains(pair.first); });
  for (auto& [partition, pair] : batches) {
    for (auto& batch : pair.of_turn) batch.rest();
  }
}

void Engine::State::decide_round(events::RecordBatch round) {
  memory.count_records(turn, round);
  records[turn] = std::move(round);
  flight.in_flight(std::max(records[0].records.size(), records[1].records.size()));
  Failing failing;
  auto decided = decide(records[turn], failing);
  settle_commit();
  // A commit that failed has dropped the partitions: what was decided on top of it never was.
  std::erase_if(decided, [this](Batch* b) {
    if (served.contains(b->partition)) return false;
    take_back_alerts(*b);
    return true;
  });
  if (!decided.empty()) begin_commit(decided);
  turn = 1 - turn;
  if (!failing.why.empty()) rebuild(failing);
}

/// What the log said when it was polled: try again, give up what is not ours any more, or end.
void Engine::State::heed(const events::LogStatus& status) {
  switch (status.error) {
    case events::LogError::none: return;
    case events::LogError::unavailable:
      trouble = true;
      return say(Notice::Level::warning, "log_unavailable", status.message + " This is tried again.");
    case events::LogError::fenced:
      trouble = true;
      say(Notice::Level::warning, "fenced", status.message);
      settle_commit();
      return drop_all();
    case events::LogError::owned:
    case events::LogError::full:
    case events::LogError::corrupt:
    case events::LogError::invalid: return fail(status.message, status.error);
  }
}

std::vector<Batch*> Engine::State::decide(events::RecordBatch& batch, Failing& failing) {
  std::vector<Batch*> shares;
  std::vector<std::span<const events::Record>> given;  // to each
  const std::span<const events::Record> all = batch.records;
  for (std::size_t begin = 0; begin < all.size();) {
    const auto partition = all[begin].at.partition;
    std::size_t end = begin;
    while (end < all.size() && all[end].at.partition == partition) ++end;
    const auto found = served.find(partition);
    if (found != served.end() && !found->second.stopped) {
      auto& share = batches.try_emplace(partition, environment.ledger).first->second.of_turn[turn];
      share.begin(partition, all.subspan(begin, end - begin));
      share.sleep = sleep_limits();
      share.keeps_tasks = config.observer != nullptr;
      share.finish = [this] { gate.one_done(); };
      shares.push_back(&share);
      given.push_back(share.records);
    }
    begin = end;
  }
  for (auto& [partition, pair] : batches) {
    auto& idle = pair.of_turn[turn];
    if (std::find(shares.begin(), shares.end(), &idle) == shares.end()) idle.sit_out();
  }
  hand_over_alerts(shares);
  const auto now = std::chrono::steady_clock::now();
  for (auto* share : shares) {
    share->limits = limits_of_share(shares.size());
    share->begun = now;
  }
  deciding = true;
  gate.close(shares.size());
  for (auto* share : shares) caf::anon_send(served[share->partition].supervisor, DecideBatch{share});
  gate.wait();
  deciding = false;
  for (const auto* share : shares) {
    const auto& why = share->broken.empty() ? share->rebuild : share->broken;
    if (why.empty()) continue;
    failing.why.emplace(share->partition, why);
    failing.now = std::max(failing.now, share->records.back().append_time);
  }
  events::RecordBatch rest{{}, batch.storage};
  for (std::size_t i = 0; i < shares.size(); ++i) {
    if (!shares[i]->broken.empty()) continue;  // the partition is rebuilt
    const auto left = given[i].subspan(shares[i]->records.size());
    rest.records.insert(rest.records.end(), left.begin(), left.end());
  }
  if (!rest.records.empty()) undecided.push_front(std::move(rest));
  std::erase_if(shares, [this](Batch* share) {
    if (share->broken.empty()) return false;
    take_back_alerts(*share);
    return true;
  });
  return shares;
}

/// Each partition's part of what a batch may come to.
BatchLimits Engine::State::limits_of_share(std::size_t shares) const {
  const auto part = [shares](std::size_t of) {
    return std::max<std::size_t>(of / std::max<std::size_t>(shares, 1), 1);
  };
  const auto until = clock.now() + config.batch_time;
  return {part(config.batch_output_records), part(config.batch_output_bytes),
          [this, until] { return clock.now() > until; }};
}

/// Waits for the commit under way and takes over what it came to. False: there was none.
bool Engine::State::settle_commit() {
  const auto result = committer.wait();
  if (!result) return false;
  const auto ended = std::exchange(committing, {});
  const auto took = std::chrono::steady_clock::now() - commit_begun;
  count_commit(result->ok(), took);
  if (config.observer != nullptr) config.observer->settled(ended, *result, took);
  if (result->ok()) {
    pauses.reset();
    batch_size.committed();
    for (const auto* batch : ended) count(*batch);
    heed_too_large(ended, *result);
    return true;
  }
  for (auto* batch : ended) take_back_alerts(*batch);
  std::size_t lost = 0;
  for (const auto* batch : ended) lost += batch->records.size();
  batch_size.failed(lost);
  trouble = true;
  heed_too_large(ended, *result);
  uncommitted = result->message;
  const std::string outcome{events::name(result->outcome)};
  say(Notice::Level::warning, "commit_" + outcome,
      result->message + " What was decided is dropped; carts are woken from what is committed.", -1,
      {{"records", static_cast<std::int64_t>(lost)},
       {"took_ms", std::chrono::duration_cast<std::chrono::milliseconds>(took).count()}});
  drop_all();
  if (result->outcome == events::CommitOutcome::failed) {
    const bool unnamed = result->error == events::LogError::none;
    fail(result->message, unnamed ? events::LogError::invalid : result->error);
  }
  return true;
}

/// A batch with a record that the log does not take is halved as any that failed; once it is of one command, its
/// partition waits until the log takes it, and the others go on. Nothing is lost: the command is decided again then.
/// A partition that waited and was refused again waits at once, whatever its batch.
void Engine::State::heed_too_large(const std::vector<Batch*>& ended, const events::CommitResult& result) {
  if (result.ok()) {
    for (const auto* batch : ended) {
      if (too_large.erase(batch->partition) == 0) continue;
      const std::string message = "The log takes this partition's records again.";
      say(Notice::Level::info, "record_taken", message, batch->partition);
      raise_alert("record_taken", {batch->partition, batch->next}, message, clock.now().ms);
    }
    return;
  }
  if (!result.too_large) return;
  auto index = *result.too_large;
  const auto of = std::find_if(ended.begin(), ended.end(), [&index](const Batch* batch) {
    if (index < batch->out.size()) return true;
    index -= batch->out.size();
    return false;
  });
  if (of == ended.end()) return;
  const auto partition = (*of)->partition;
  const bool again = too_large.contains(partition);
  if (!again && (*of)->records.size() > 1) return;
  auto& held =
      too_large
          .try_emplace(partition,
                       HeldUp{{}, Pauses(config.first_pause, {config.most_pause.count * most_pauses_for_room})})
          .first->second;
  held.again = clock.now() + std::max(held.pauses.next(), events::Millis{1});
  if (again) return;
  const auto message = "This partition waits: " + result.message;
  say(Notice::Level::error, "record_too_large", message, partition);
  raise_alert("record_too_large", (*of)->records.front().at, message, clock.now().ms);
}

void Engine::State::begin_commit(const std::vector<Batch*>& decided) {
  committing = decided;
  std::vector<events::NewRecord> out;
  std::vector<events::Position> next;
  for (auto* batch : decided) {
    auto& one = served[batch->partition];
    one.status = batch->status;
    one.carts_alive += batch->counts.carts_more();
    out.insert(out.end(), batch->out.begin(), batch->out.end());
    next.push_back({batch->partition, batch->next});
    for (const auto& failure : batch->failures) say(Notice::Level::warning, "actor_failed", failure, batch->partition);
    if (!batch->stopped.empty()) {
      one.stopped = true;
      phase(batch->partition, PartitionPhase::stopped);
      say(Notice::Level::error, "partition_stopped", batch->stopped, batch->partition);
    }
  }
  gauge();
  commit_begun = std::chrono::steady_clock::now();
  committer.begin(std::move(out), std::move(next));
}

}  // namespace mayfly::actors
