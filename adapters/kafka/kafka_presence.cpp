#include "adapters/kafka/kafka_presence.h"

#include "adapters/kafka/kafka_error.h"

#include <algorithm>

namespace mayfly::adapters::kafka {

namespace {

constexpr int answer_limit_ms = 2'000;  // for all of them
constexpr int least_limit_ms = 100;
constexpr auto regularly = std::chrono::seconds(10);
constexpr auto in_doubt = std::chrono::seconds(1);
/// One broker may still know what another has deleted: one good answer is not enough.
constexpr auto good_for = std::chrono::seconds(10);
/// A broker that is busy may be late once.
constexpr int most_silences = 2;

}  // namespace

void Presence::doubt() {
  if (!doubted()) next_ = {};
  doubted_until_ = SteadyClock::now() + good_for;
}

void Presence::answered() {
  if (!doubted()) next_ = SteadyClock::now() + regularly;
}

const Presence::Answer& Presence::look(rd_kafka_t* client, const StreamTopics& topics, const Listener& heard_by) {
  if (SteadyClock::now() < next_) return answer_;
  answer_ = ask(client, topics, heard_by);
  if (!answer_.status.ok() || silences_ > 0) doubt();
  next_ = SteadyClock::now() + (doubted() ? in_doubt : regularly);
  return answer_;
}

Presence::Answer Presence::ask(rd_kafka_t* client, const StreamTopics& topics, const Listener& heard_by) {
  using events::LogError;
  std::string gone;
  const auto until = SteadyClock::now() + std::chrono::milliseconds(answer_limit_ms);
  for (std::size_t i = 0; i < topics.size(); ++i) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(until - SteadyClock::now()).count();
    const struct rd_kafka_metadata* list = nullptr;
    // One by one: only so does librdkafka not ask for missing ones to be made.
    const Error error(
        rd_kafka_metadata(client, 0, topics[i].get(), &list, std::max(static_cast<int>(left), least_limit_ms)));
    const Metadata metadata(list);
    if (!error.ok() && !gone.empty()) break;  // what one broker has said is known, whatever others do not say
    if (!error.ok()) {
      if (error.code == RD_KAFKA_RESP_ERR__TIMED_OUT && ++silences_ < most_silences) return answer_;
      const auto heard = heard_by.last_heard();
      return {{LogError::unavailable, "No broker of " + options_.brokers +
                                          " answers: " + (heard.empty() ? error.message : heard) +
                                          ". Check that they run and are reached at the address they advertise."}};
    }
    const bool there = std::none_of(list->topics, list->topics + list->topic_cnt,
                                    [](const rd_kafka_metadata_topic& t) { return Error(t.err).unknown_topic(); });
    if (!there) gone.append(gone.empty() ? "" : ", ").append(options_.topics[i]);
  }
  silences_ = 0;
  if (gone.empty()) return {};
  return {{LogError::unavailable, "The brokers of " + options_.brokers + " have no topic " + gone +
                                      " any more: deleted, or this engine may no longer see it. See docs/kafka.md, "
                                      "A topic was deleted."},
          true};
}

}  // namespace mayfly::adapters::kafka
