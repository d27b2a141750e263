#include "engine/sim/books.h"

#include <set>

namespace mayfly::sim {

namespace {

using events::Bytes;
using events::Record;
using events::Stream;

Bytes header(const Record& record, Bytes name) {
  for (const auto& h : record.headers) {
    if (h.name == name) return h.value;
  }
  return {};
}

/// A member of flat JSON as the engine writes it: no spaces, nothing escaped in what is looked for.
Bytes member(Bytes json, std::string_view name) {
  const auto at = json.find("\"" + std::string(name) + "\":");
  if (at == Bytes::npos) return {};
  auto value = json.substr(at + name.size() + 3);
  if (value.starts_with('"')) {
    value.remove_prefix(1);
    return value.substr(0, value.find('"'));
  }
  return value.substr(0, value.find_first_of(",}"));
}

std::string of(const Record& record) {
  std::string all(record.key.value_or("-"));
  all.append("|").append(record.value.value_or("-"));
  for (const auto& h : record.headers) all.append("|").append(h.name).append("=").append(h.value);
  return all;
}

bool same(const Record& a, const Record& b) {
  if (a.key != b.key || a.value != b.value || a.headers.size() != b.headers.size()) return false;
  for (std::size_t i = 0; i < a.headers.size(); ++i) {
    if (a.headers[i].name != b.headers[i].name || a.headers[i].value != b.headers[i].value) return false;
  }
  return true;
}

struct Cart {
  std::int64_t sequence = 0;
  int orders = 0;
  int opened = 0;
  int ended = 0;
};

}  // namespace

Withheld withheld_of(const adapters::MemoryStore& store) {
  Withheld all;
  for (events::Partition p = 0; p < store.partitions(); ++p) {
    for (const auto& record : store.records(Stream::events, p)) {
      if (header(record, "ce_type") != events::ce_type(events::EventType::command_dead_lettered)) continue;
      const auto reason = events::dead_letter_reason_from_name(member(*record.value, "reason"));
      if (reason != events::DeadLetterReason::keeps_failing && reason != events::DeadLetterReason::quarantined)
        continue;
      const auto offset = std::stoll(std::string(member(*record.value, "offset")));
      const auto deadline_of = member(*record.value, "cart_id");
      all[{p, offset}][std::string(deadline_of.empty() ? record.key.value_or(Bytes{}) : deadline_of)] = *reason;
    }
  }
  return all;
}

std::optional<events::DeadLetterReason> find(const Withheld& all, events::Position at, std::string_view cart) {
  const auto there = all.find(at);
  if (there == all.end()) return std::nullopt;
  const auto found = there->second.find(cart);
  if (found == there->second.end()) return std::nullopt;
  return found->second;
}

std::string unbalanced(const adapters::MemoryStore& store) {
  std::map<std::string, Cart, std::less<>> carts;
  std::set<std::string, std::less<>> ids;
  for (events::Partition p = 0; p < store.partitions(); ++p) {
    for (const auto& record : store.records(Stream::events, p)) {
      const auto id = header(record, "ce_id");
      if (!ids.emplace(id).second) return "event " + std::string(id) + " is there twice";
      const auto type = header(record, "ce_type");
      auto& cart = carts[std::string(record.key.value_or(Bytes{}))];
      if (type == events::ce_type(events::EventType::cart_created)) cart.sequence = 0;
      if (const auto sequence = header(record, "ce_sequence"); !sequence.empty()) {
        if (std::stoll(std::string(sequence)) != ++cart.sequence) {
          return "event " + std::string(id) + " has sequence " + std::string(sequence) + ", not " +
                 std::to_string(cart.sequence);
        }
      }
      if (type == events::ce_type(events::EventType::order_placed)) ++cart.orders;
      if (type == events::ce_type(events::EventType::payment_session_opened)) ++cart.opened;
      if (type == events::ce_type(events::EventType::payment_session_ended)) ++cart.ended;
    }
    for (const auto& [key, value] : store.state(p)) {
      if (!key.starts_with('\x01') && value) return "cart " + key + " is over and has a state record";
    }
  }
  for (const auto& [id, cart] : carts) {
    if (cart.orders > 1) return "cart " + id + " has more than one order";
    if (cart.opened != cart.ended) return "cart " + id + " has sessions that never ended";
  }
  return {};
}

namespace {

Bytes type_of(const Record& record) { return header(record, "ce_type"); }

int times(Bytes text, std::string_view part) {
  int count = 0;
  for (auto at = text.find(part); at != Bytes::npos; at = text.find(part, at + 1)) ++count;
  return count;
}

/// What the events say of merges.
struct MergeEvents {
  std::map<std::string, int, std::less<>> added;                  // lines, by the id of the command that added them
  std::set<std::string, std::less<>> over;                        // ids of answers that came too late
  std::set<std::pair<std::string, std::string>> merged;           // cart, offset of its cart.merge
  std::set<std::pair<events::Partition, std::string>> set_aside;  // commands that became dead letters

  explicit MergeEvents(const adapters::MemoryStore& store) {
    std::map<std::string, std::string> newest;  // of a cart, the offset of its last cart.merge
    for (events::Partition p = 0; p < store.partitions(); ++p) {
      for (const auto& record : store.records(Stream::events, p)) {
        using events::EventType;
        const auto is = [&](EventType type) { return type_of(record) == events::ce_type(type); };
        const std::string cart(record.key.value_or(Bytes{}));
        const std::string cause(header(record, "ce_causationid"));
        if (is(EventType::cart_line_added)) ++added[cause];
        if (is(EventType::cart_merge_started)) {
          const auto id = header(record, "ce_id");
          newest[cart] = id.substr(id.find('-') + 1, id.rfind('-') - id.find('-') - 1);
        }
        if (is(EventType::cart_merged)) merged.emplace(cart, newest[cart]);
        if (is(EventType::command_rejected) && member(*record.value, "code") == "merge_over") over.insert(cause);
        if (is(EventType::command_dead_lettered)) set_aside.emplace(p, member(*record.value, "offset"));
      }
    }
  }
};

std::string merge_name(Bytes target, Bytes source, Bytes merge) {
  std::string name(source);
  name.append(" at ").append(merge).append(" into ").append(target);
  return name;
}

/// Of an offer the answer that its lines were taken: where it lies, and its id.
struct Answer {
  events::Position at;
  std::string id;
};

}  // namespace

std::string merged_wrongly(const adapters::MemoryStore& store, Merges& merges) {
  const MergeEvents said(store);
  std::map<std::string, Answer> taken;  // by target, source and merge
  for (events::Partition p = 0; p < store.partitions(); ++p) {
    for (const auto& record : store.records(Stream::commands, p)) {
      if (type_of(record) != events::ce_type(events::CommandType::cart_merge_answered)) continue;
      if (!member(*record.value, "code").empty()) continue;
      const auto name = merge_name(member(*record.value, "from"), *record.key, member(*record.value, "merge"));
      taken[name] = {record.at, std::string(header(record, "ce_id"))};
    }
  }
  for (events::Partition p = 0; p < store.partitions(); ++p) {
    for (const auto& record : store.records(Stream::commands, p)) {
      if (type_of(record) != events::ce_type(events::CommandType::cart_merge_offered)) continue;
      ++merges.offered;
      const std::string id(header(record, "ce_id"));
      const std::string from(member(*record.value, "from"));
      const std::string merge(member(*record.value, "merge"));
      const auto lines = times(*record.value, "\"sku\":");
      const auto found = said.added.find(id);
      const auto there = found == said.added.end() ? 0 : found->second;
      const bool over = said.merged.contains({from, merge});
      merges.merged += over ? 1 : 0;
      const auto name = merge_name(*record.key, from, merge);
      if (there != 0 && there != lines) return "of the merge of " + name + " a part of the lines was taken";
      if (over && there != lines) return "of the merge of " + name + " the lines are lost";
      if (over || there == 0) continue;
      const auto answer = taken.find(name);
      if (answer == taken.end()) return "the merge of " + name + " is not answered";
      const auto& [at, answer_id] = answer->second;
      const bool aside = said.set_aside.contains({at.partition, std::to_string(at.offset)});
      if (!aside && !said.over.contains(answer_id)) {
        return "of the merge of " + name + " the lines are doubled, and nobody was told";
      }
      ++(aside ? merges.aside : merges.twice);
    }
  }
  return {};
}

std::string first_difference(const adapters::MemoryStore& history, const adapters::MemoryStore& again) {
  for (events::Partition p = 0; p < history.partitions(); ++p) {
    const auto said = history.records(Stream::events, p);
    const auto expected = again.records(Stream::events, p);
    for (std::size_t i = 0; i < std::max(said.size(), expected.size()); ++i) {
      if (i < said.size() && i < expected.size() && same(said[i], expected[i])) continue;
      return "event " + std::to_string(i) + " of partition " + std::to_string(p) + "\n  said     " +
             (i < said.size() ? of(said[i]) : "nothing") + "\n  expected " +
             (i < expected.size() ? of(expected[i]) : "nothing");
    }
    const auto state = history.state(p);
    const auto expected_state = again.state(p);
    for (const auto& [key, value] : expected_state) {
      const auto found = state.find(key);
      if (found == state.end() || found->second != value) return "the state record of " + key;
    }
    if (state.size() != expected_state.size()) return "the keys of the state records";
  }
  return {};
}

}  // namespace mayfly::sim
