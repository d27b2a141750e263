#include "tools/serve/named_figures.h"

#include <fmt/format.h>

#include <cstdint>
#include <utility>

namespace mayfly::tools {

namespace {

class Named {
 public:
  void count(std::string name, std::int64_t value) {
    all.push_back({std::move(name), std::nullopt, static_cast<double>(value), true});
  }
  void gauge(std::string name, std::optional<events::Partition> partition, std::int64_t value) {
    all.push_back({std::move(name), partition, static_cast<double>(value), false});
  }
  std::vector<NamedFigure> all;
};

void add_broker(Named& to, const events::BrokerFigures& broker) {
  to.count("transactions_committed", broker.committed);
  to.count("transactions_aborted", broker.aborted);
  to.count("transactions_indefinite", broker.indefinite);
  to.count("transactions_fenced", broker.fenced);
  to.count("transactions_failed", broker.failed);
  for (std::size_t i = 0; i < broker.times.within.size(); ++i) {
    to.count(fmt::format("transactions_within_{}_ms", broker.times.bounds_ms[i]), broker.times.within[i]);
  }
  to.count("transactions_time_us", broker.times.sum_us);
  to.count("rebalances", broker.rebalances);
  to.count("ticks_failed", broker.ticks_failed);
  to.gauge("transactions_longest_us", std::nullopt, broker.times.longest_us);
}

void add_partition(Named& to, const events::PartitionFigures& of) {
  to.gauge("lag_records", of.partition, of.lag_records);
  if (of.first_offset) to.gauge("first_offset", of.partition, *of.first_offset);
  if (of.pending_records) to.gauge("pending_records", of.partition, *of.pending_records);
  if (of.stable_offset) to.gauge("stable_offset", of.partition, *of.stable_offset);
}

}  // namespace

std::vector<NamedFigure> named(const events::LogFigures& figures) {
  Named to;
  if (figures.broker) add_broker(to, *figures.broker);
  for (const auto& one : figures.partitions) add_partition(to, one);
  for (const auto& one : figures.others) {
    to.all.push_back({std::string(one.name), std::nullopt, static_cast<double>(one.value), one.counts});
  }
  return std::move(to.all);
}

}  // namespace mayfly::tools
