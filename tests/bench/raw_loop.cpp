// The floor to measure against: reads commands and writes what an engine would write, in transactions, deciding
// nothing. Usage: raw_loop BROKERS COMMANDS_TOPIC EVENTS_TOPIC STATE_TOPIC RECORDS One thread: per command 1.8 events
// of 172 bytes with 8 headers and 0.9 snapshots of 202 bytes (the mean sizes of a checkout of five lines), 20,000
// commands per transaction, lz4.
#include "adapters/kafka/kafka_produce.h"
#include "bench/cpu_time.h"

#include <librdkafka/rdkafka.h>
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <span>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

using namespace mayfly;

namespace {

constexpr std::size_t per_transaction = 20'000;
constexpr int patience_ms = 60'000;
constexpr std::size_t event_bytes = 172;
constexpr std::size_t snapshot_bytes = 202;

using Settings = std::vector<std::pair<const char*, std::string>>;

void check(rd_kafka_error_t* error, const char* what) {
  if (error != nullptr) throw std::runtime_error(std::string(what) + ": " + rd_kafka_error_string(error));
}

rd_kafka_t* client(rd_kafka_type_t type, const Settings& settings) {
  auto* conf = rd_kafka_conf_new();
  char why[512];
  for (const auto& [name, value] : settings) {
    if (rd_kafka_conf_set(conf, name, value.c_str(), why, sizeof why) != RD_KAFKA_CONF_OK)
      throw std::runtime_error(why);
  }
  auto* made = rd_kafka_new(type, conf, why, sizeof why);
  if (made == nullptr) throw std::runtime_error(why);
  return made;
}

class Loop {
 public:
  Loop(const std::string& brokers, std::string commands, const char* events, const char* state)
      : commands_(std::move(commands)) {
    const std::string once = "raw-loop-" + std::to_string(std::chrono::steady_clock::now().time_since_epoch().count());
    consumer_ = client(RD_KAFKA_CONSUMER, {{"bootstrap.servers", brokers},
                                           {"group.id", once},
                                           {"isolation.level", "read_committed"},
                                           {"enable.auto.commit", "false"},
                                           {"auto.offset.reset", "earliest"},
                                           {"queued.min.messages", "50000"},
                                           {"queued.max.messages.kbytes", "65536"}});
    producer_ = client(RD_KAFKA_PRODUCER, {{"bootstrap.servers", brokers},
                                           {"transactional.id", once},
                                           {"compression.codec", "lz4"},
                                           {"linger.ms", "5"},
                                           {"batch.size", "900000"},
                                           {"queue.buffering.max.messages", "1000000"}});
    events_ = rd_kafka_topic_new(producer_, events, nullptr);
    state_ = rd_kafka_topic_new(producer_, state, nullptr);
    check(rd_kafka_init_transactions(producer_, patience_ms), "beginning");
    rd_kafka_poll_set_consumer(consumer_);
    auto* topics = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_list_add(topics, commands_.c_str(), RD_KAFKA_PARTITION_UA);
    if (const auto e = rd_kafka_subscribe(consumer_, topics)) throw std::runtime_error(rd_kafka_err2str(e));
    rd_kafka_topic_partition_list_destroy(topics);
    queue_ = rd_kafka_queue_get_consumer(consumer_);
  }
  ~Loop() {
    rd_kafka_queue_destroy(queue_);
    rd_kafka_topic_destroy(events_);
    rd_kafka_topic_destroy(state_);
    rd_kafka_consumer_close(consumer_);
    rd_kafka_destroy(consumer_);
    rd_kafka_destroy(producer_);
  }
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;

  void run(std::size_t records) {
    std::vector<rd_kafka_message_t*> got(per_transaction);
    std::size_t done = 0;
    std::chrono::steady_clock::time_point begun;
    double cpu = 0;
    while (done < records) {
      const auto count = rd_kafka_consume_batch_queue(queue_, 100, got.data(), got.size());
      if (count <= 0) continue;
      if (done == 0) {
        begun = std::chrono::steady_clock::now();
        cpu = bench::cpu_seconds();
      }
      done += copy(std::span(got.data(), static_cast<std::size_t>(count)));
    }
    const auto seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begun).count();
    const auto n = static_cast<double>(done);
    std::printf("raw-loop records %zu seconds %.2f rate %.0f cpu_us_per_record %.2f peak_rss_mib %ld\n", done, seconds,
                n / seconds, (bench::cpu_seconds() - cpu) * 1e6 / n, bench::peak_rss_mib());
  }

 private:
  std::size_t copy(std::span<rd_kafka_message_t*> messages) {
    check(rd_kafka_begin_transaction(producer_), "beginning a transaction");
    std::size_t copied = 0;
    auto* places = rd_kafka_topic_partition_list_new(4);
    for (auto* m : messages) {
      if (m->err == RD_KAFKA_RESP_ERR_NO_ERROR) {
        const auto turn = copied++ % 10;
        for (int i = 0; i < (turn < 8 ? 2 : 1); ++i) produce(events_, *m, event_bytes, true);
        if (turn < 9) produce(state_, *m, snapshot_bytes, false);
        auto* place = rd_kafka_topic_partition_list_find(places, commands_.c_str(), m->partition);
        if (place == nullptr) place = rd_kafka_topic_partition_list_add(places, commands_.c_str(), m->partition);
        place->offset = m->offset + 1;
      }
      rd_kafka_message_destroy(m);
    }
    auto* group = rd_kafka_consumer_group_metadata(consumer_);
    if (copied > 0) check(rd_kafka_send_offsets_to_transaction(producer_, places, group, patience_ms), "positions");
    rd_kafka_consumer_group_metadata_destroy(group);
    rd_kafka_topic_partition_list_destroy(places);
    check(rd_kafka_commit_transaction(producer_, patience_ms), "committing");
    return copied;
  }

  void produce(rd_kafka_topic_t* topic, const rd_kafka_message_t& cause, std::size_t bytes, bool with_headers) {
    static const std::vector<events::Header> headers = {{"ce_specversion", "1.0"},
                                                        {"ce_id", "3-123456-1"},
                                                        {"ce_source", "/mayfly/mayfly"},
                                                        {"ce_type", "dev.mayfly.payment.authorized.v1"},
                                                        {"ce_subject", "018f00000000-7c00-7000-8000-00000000"},
                                                        {"ce_time", "2026-11-22T10:00:00.000Z"},
                                                        {"content-type", "application/json"},
                                                        {"ce_causationid", "c123456"}};
    value_.assign(static_cast<const char*>(cause.payload), std::min(bytes, cause.len));
    value_.resize(bytes, '.');
    events::NewRecord record;
    record.partition = cause.partition;
    record.key = events::Bytes{static_cast<const char*>(cause.key), cause.key_len};
    record.value = events::Bytes{value_};
    if (with_headers) record.headers = headers;
    for (;;) {
      const auto error = adapters::kafka::produce(producer_, topic, record, nullptr);
      if (error.ok()) return;
      if (error.code != RD_KAFKA_RESP_ERR__QUEUE_FULL) throw std::runtime_error(error.message);
      rd_kafka_poll(producer_, 10);
    }
  }

  std::string commands_;
  std::string value_;
  rd_kafka_t* consumer_ = nullptr;
  rd_kafka_t* producer_ = nullptr;
  rd_kafka_topic_t* events_ = nullptr;
  rd_kafka_topic_t* state_ = nullptr;
  rd_kafka_queue_t* queue_ = nullptr;
};

}  // namespace

int main(int argc, char** argv) {
  if (argc != 6) {
    std::fputs("usage: raw_loop BROKERS COMMANDS EVENTS STATE RECORDS\n", stderr);
    return 2;
  }
  try {
    Loop(argv[1], argv[2], argv[3], argv[4]).run(std::strtoull(argv[5], nullptr, 10));
    return 0;
  } catch (const std::exception& e) {
    std::fprintf(stderr, "raw_loop: %s\n", e.what());
    return 1;
  }
}
