#include "tools/records/command_writer.h"

#include "events/rules/identity.h"
#include "events/wire/cloudevent_headers.h"

#include <chrono>
#include <cstdio>
#include <random>
#include <utility>

namespace mayfly::tools {

std::string ce_type_of(const OutgoingCommand& command) { return "dev.mayfly." + command.type + ".v1"; }

std::vector<events::Header> headers_of(const OutgoingCommand& c, std::string_view ce_type) {
  const events::CloudEventHeaders event{
      .id = c.id, .source = c.source, .type = ce_type, .subject = c.key, .correlation_id = c.correlation_id};
  auto headers = event.list();
  for (const auto& [name, value] : c.headers) headers.push_back({name, value});
  return headers;
}

events::LogStatus CommandWriter::write(OutgoingCommand command) {
  gathered_.push_back(std::move(command));
  return gathered_.size() < most_gathered ? events::LogStatus{} : flush();
}

events::LogStatus CommandWriter::flush() {
  if (gathered_.empty()) return {};
  std::deque<std::vector<events::Header>> headers;
  std::deque<std::string> types;
  std::vector<events::NewRecord> records;
  for (const auto& c : gathered_) {
    const auto& type = types.emplace_back(ce_type_of(c));
    const auto& h = headers.emplace_back(headers_of(c, type));
    records.push_back({events::Stream::commands, events::partition_of(c.key, log_.partitions()), c.key, c.data, h});
  }
  auto appended = log_.append(records);
  if (!appended.status.ok()) return appended.status;
  written_ += static_cast<std::int64_t>(records.size());
  last_ = std::move(appended.at);
  gathered_.clear();
  return {};
}

std::string new_id() {
  static thread_local std::mt19937_64 random{std::random_device{}()};
  const auto now =
      std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::system_clock::now().time_since_epoch());
  const auto ms = static_cast<unsigned long long>(now.count());
  const auto a = random();
  const auto b = random();
  char text[64];
  std::snprintf(text, sizeof text, "%08llx-%04llx-7%03llx-%04llx-%012llx", (ms >> 16) & 0xffff'ffff, ms & 0xffff,
                static_cast<unsigned long long>(a & 0xfff), static_cast<unsigned long long>(0x8000 | (b >> 50)),
                static_cast<unsigned long long>(b & 0xffff'ffff'ffff));
  return text;
}

}  // namespace mayfly::tools
