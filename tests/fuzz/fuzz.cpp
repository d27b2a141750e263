// libFuzzer: bytes that nobody has checked, in each of the places where they come in. MAYFLY_FUZZ names the place. What
// is read is driven on: the partition that has it decides commands, is saved, read again and saved the same.
// With MAYFLY_FUZZ_SEEDS=FOLDER it writes what a real partition leaves there, to begin from, and ends.
#include "adapters/sqlite/headers_blob.h"
#include "events/state/snapshot.h"
#include "tools/connect/connect_config.h"
#include "tools/console/config.h"
#include "tools/records/bundle_file.h"
#include "tools/replay/replay_partition.h"

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <map>
#include <sstream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

using namespace mayfly;
using namespace mayfly::events;
using tools::ReplayedPartition;

namespace {

constexpr std::string_view cart = "c1";
constexpr std::string_view engine = "mayfly";
constexpr Timestamp begin{1'795'000'000'000};
using Pairs = std::vector<std::pair<std::string, std::string>>;
using State = std::map<std::string, std::string>;

/// Stops the fuzzer: what it was given is the finding.
void must(bool holds) {
  if (!holds) std::abort();
}

void take(ReplayedPartition& partition, const Pairs& headers, std::optional<std::string_view> key,
          std::string_view value) {
  std::vector<Header> list;
  for (const auto& [name, text] : headers) list.push_back({name, text});
  Record record;
  const auto next = partition.position().next;
  record.at = {0, next};
  record.append_time = {begin.ms + std::min<std::int64_t>(next, 1'000'000) * 1000};
  record.key = key;
  record.value = value;
  record.headers = list;
  if (next < 1'000'000) partition.take(record, nullptr);
}

struct Command {
  std::string_view type;
  std::string_view data;
};
constexpr Command life[] = {
    {"cart.create", R"({"currency":"GBP"})"},
    {"cart.add_line", R"({"sku":"A","quantity":2,"unit_price_minor":499,"name":"Tea","currency":"GBP"})"},
    {"cart.change_quantity", R"({"sku":"A","quantity":3})"},
    {"cart.adjust", R"({"adjustments":[{"kind":"tax","label":"VAT","amount_minor":3}]})"},
    {"checkout.complete", R"({"expected_total_minor":1500,"payment":{"provider":"p","token":"t"}})"},
    {"inventory.reserved", R"({"reservation_id":"c1-r1"})"},
    {"payment.authorized", R"({"session_id":"c1-p1","reference":"r","amount_minor":1500,"currency":"GBP"})"},
    {"payment.status",
     R"({"session_id":"c1-p1","state":"authorized","authorized_minor":1500,"captured_minor":0,"refunded_minor":0})"},
    {"payment.captured", R"({"session_id":"c1-p1","reference":"r","amount_minor":1500,"currency":"GBP"})"},
    {"cart.cancel", "{}"},
};

Pairs headers_of(std::string_view type, std::int64_t number) {
  return {{"ce_specversion", "1.0"},
          {"ce_id", "id-" + std::to_string(number)},
          {"ce_source", type == "clock.tick" ? "/mayfly/mayfly" : "/shop"},
          {"ce_type", "dev.mayfly." + std::string(type) + ".v1"}};
}

void tick(ReplayedPartition& partition, std::string_view more) {
  const auto next = partition.position().next;
  const auto second = 40 + next % 20;
  // 2026-11-18T09:46:40Z is `begin`; within a minute of it a tick is credible.
  const auto data = R"({"at":"2026-11-18T09:46:)" + std::to_string(second) + R"(.000Z","through":)" +
                    std::to_string(next > 0 ? next - 1 : 0) + std::string(more) + "}";
  take(partition, headers_of("clock.tick", next), std::nullopt, data);
}

void live(ReplayedPartition& partition, std::size_t commands) {
  for (std::size_t i = 0; i < commands && i < std::size(life); ++i) {
    take(partition, headers_of(life[i].type, static_cast<std::int64_t>(i) + 100), cart, life[i].data);
    tick(partition, "");
  }
}

State saved(ReplayedPartition& partition) {
  State state;
  partition.save([&](std::string_view key, std::string_view value) { state[std::string(key)] = value; });
  return state;
}

/// A sentence: one of the records is refused, as damage is.
std::string restore(ReplayedPartition& partition, const State& state) {
  for (const auto& [key, value] : state) {
    if (auto refused = partition.restore(key, value); !refused.empty()) return refused;
  }
  return partition.restored();
}

/// Decides a whole life on what is there; then what it left is read, and written as it was.
void drive_on(ReplayedPartition& partition) {
  live(partition, std::size(life));
  State left;
  partition.each_cart([&](const tools::ReplayedCart& c) { left[std::string(c.cart.id)] = tools::snapshot_of(c); });
  append_position(left[std::string(position_key)], partition.position());
  ReplayedPartition again(engine, 0, 1);
  const auto refused = restore(again, left);
  if (!refused.empty()) std::fprintf(stderr, "what was written is refused: %s\n", refused.c_str());
  must(refused.empty());
  again.each_cart([&](const tools::ReplayedCart& c) { must(left[std::string(c.cart.id)] == tools::snapshot_of(c)); });
}

/// Headers, one a line, an empty line, the value: a form that a fuzzer can change. `key: K` is the record's key.
void fuzz_command(std::string_view bytes, std::size_t before) {
  Pairs headers;
  std::optional<std::string_view> key;
  while (!bytes.empty()) {
    const auto end = bytes.find('\n');
    const auto line = bytes.substr(0, end);
    bytes.remove_prefix(end == std::string_view::npos ? bytes.size() : end + 1);
    if (line.empty()) break;
    const auto colon = line.find(": ");
    const auto name = line.substr(0, colon);
    const auto value = colon == std::string_view::npos ? std::string_view() : line.substr(colon + 2);
    if (name == "key")
      key = value;
    else
      headers.emplace_back(name, value);
  }
  ReplayedPartition partition(engine, 0, 1);
  live(partition, before);
  take(partition, headers, key, bytes);
  drive_on(partition);
}

/// One state record of a partition in the middle of a payment, or after it, is something else.
void fuzz_state(std::string_view key, std::string_view bytes) {
  ReplayedPartition made(engine, 0, 1);
  live(made, key == cart ? 7 : std::size(life));
  auto state = saved(made);
  if (!key.empty()) {
    state[std::string(key)] = bytes;
  } else {
    for (auto& [its_key, value] : state) {
      if (Epitaphs::is_page_key(its_key)) value = bytes;
    }
  }
  ReplayedPartition partition(engine, 0, 1);
  if (restore(partition, state).empty()) drive_on(partition);
}

void fuzz_headers(std::string_view bytes) {
  std::vector<Header> headers;
  if (!adapters::read_headers(bytes, headers)) return;
  std::string written;
  adapters::append_headers(written, headers);
  std::vector<Header> again;
  must(adapters::read_headers(written, again));
  must(again.size() == headers.size());
  for (std::size_t i = 0; i < again.size(); ++i) {
    must(again[i].name == headers[i].name && again[i].value == headers[i].value);
  }
}

void fuzz_settings(std::string_view bytes) {
  ReplayedPartition partition(engine, 0, 1);
  live(partition, 5);
  tick(partition, R"(,"settings":)" + std::string(bytes));
  drive_on(partition);
}

/// For an engine and for `mayfly connect`: what is wrong is said the same each time, and no value leaves its range.
void fuzz_config(std::string_view bytes) {
  const std::string text(bytes);
  std::string said[2];
  for (auto& of : said) {
    tools::Config config;
    of = read_config_text(text, "mayfly.toml", config);
    must(config.partitions >= 1 && config.partitions <= 1024);
    must(config.engine.settings.cart_life >= Millis{1000} && config.engine.settings.live_carts >= 1);
    tools::ConnectConfig connect;
    of += "\n" + tools::read_connect_config(text, "mayfly.toml", connect);
  }
  must(said[0] == said[1]);
}

/// What a line says, written and read again, is the same.
std::string read_again(const nlohmann::json& json) {
  tools::BundleRecord read;
  if (auto wrong = tools::read_bundle_line(json, read); !wrong.empty()) return wrong;
  const auto line = tools::bundle_line(read.stream, read.record).dump();
  tools::BundleRecord again;
  must(tools::read_bundle_line(nlohmann::json::parse(line), again).empty());
  must(tools::bundle_line(again.stream, again.record).dump() == line);
  return {};
}

/// A whole file, or the lines of one whose blocks are in order. A bundle that was begun is read the same as far as it
/// is whole.
void fuzz_bundle(std::string_view bytes, bool lines_alone) {
  std::ostringstream made;
  if (lines_alone) {
    const auto half = bytes.size() / 2;
    tools::write_bundle_block(made, 0, bytes.substr(0, half));
    tools::write_bundle_block(made, 1, bytes.substr(half));
  } else {
    made << bytes;
  }
  std::int64_t lines = 0;
  const auto take = [&lines](const nlohmann::json& json) {
    tools::BundleHead head;
    return ++lines == 1 ? tools::read_bundle_head(json, head) : read_again(json);
  };
  std::istringstream file(made.str());
  const auto wrong =
      tools::read_bundle(file, [&](const nlohmann::json& json, const tools::BundleBlock&) { return take(json); });
  const auto all = std::exchange(lines, 0);
  std::istringstream begun(made.str());
  const auto whole = tools::read_whole_blocks(begun, take);
  if (wrong.empty()) must(whole.wrong.empty() && whole.lines <= all);
}

void write_seed(const std::string& folder, std::string_view place, int number, std::string_view bytes) {
  std::ofstream(folder + "/" + std::string(place) + "-" + std::to_string(number), std::ios::binary) << bytes;
}

void write_seeds(const std::string& folder) {
  for (std::size_t n = 0; n <= std::size(life); ++n) {
    const auto number = static_cast<int>(n);
    ReplayedPartition partition(engine, 0, 1);
    live(partition, n);
    for (const auto& [key, value] : saved(partition)) {
      if (key == cart) write_seed(folder, "snapshot", number, value);
      if (key == position_key) write_seed(folder, "position", number, value);
      if (Epitaphs::is_page_key(key)) write_seed(folder, "epitaphs", number, value);
    }
    if (n == std::size(life)) break;
    std::string text = "gkey: c1\n";
    std::vector<Header> list;
    const auto pairs = headers_of(life[n].type, 1);
    for (const auto& [name, value] : pairs) {
      text += name;
      text += ": ";
      text += value;
      text += '\n';
      list.push_back({name, value});
    }
    write_seed(folder, "command", number, text + "\n" + std::string(life[n].data));
    write_seed(folder, "command", number + 100,
               "ckey: c1\ncontent-type: application/cloudevents+json\n\n"
               R"({"specversion":"1.0","id":"1","source":"/shop","type":"dev.mayfly.)" +
                   std::string(life[n].type) + R"(.v1","data":)" + std::string(life[n].data) + "}");
    std::string blob;
    adapters::append_headers(blob, list);
    write_seed(folder, "headers", number, blob);
  }
  write_seed(folder, "settings", 0, R"({"cart_life_s":1,"status_tries":0,"admission_closed":true,"live_carts":0})");
  write_seed(folder, "config", 0,
             "log = \"sqlite:shop.db\"\npartitions = 4\n[engine]\nname = \"shop\"\nbatch_records = 5000\n[replies]\n"
             "sources = \"/pay/* /stock\"\n[http]\nhosts = \"*.example.com\"\nsearch = \"never\"\n[decisions]\n"
             "cart_life_s = 31536000\nlive_carts = 10\n[kafka.properties]\nlinger.ms = 5\n'sasl.password_env' = 'P'\n");
  write_seed(folder, "config", 1,
             "[connect]\nlisten = \"127.0.0.1:8082\"\n[connect.deliver.pay]\nurl = \"http://127.0.0.1:8081/a?b\"\n"
             "types = \"order.placed, payment.capture_requested\"\nreplies = \"payment\"\nsecret_env = \"SECRET\"\n"
             "[connect.hooks.p]\nscheme = \"stripe\"\nsecret_env = \"SECRET\"\ncart = \"data.cart\"\n"
             "[connect.hooks.p.'charge.captured']\ntype = \"payment.captured\"\namount_minor = \"data.amount\"\n"
             "currency = '=\"GBP\"'\n");
  write_seed(folder, "settings", 1, R"({"reply_sources":"/pay/* /stock","tick_secret":5,"capture_wait_s":31536000})");
}

/// A bundle as a file and as lines: of text, of other bytes, and without a value.
void write_bundle_seeds(const std::string& folder) {
  std::string lines = R"({"mayfly_bundle":1,"partitions":1,"engine":"shop","pseudonyms":false,"whole":true})"
                      "\n";
  const std::string_view values[] = {R"({"currency":"GBP"})", "\xff\x00\x01"};
  const Header headers[] = {{"ce_id", "1"}, {"ce_type", "dev.mayfly.cart.create.v1"}};
  for (std::size_t i = 0; i < 3; ++i) {
    Record record;
    record.at = {0, static_cast<Offset>(i)};
    record.append_time = begin;
    record.key = cart;
    if (i < std::size(values)) record.value = values[i];
    record.headers = headers;
    lines += tools::bundle_line(i == 2 ? Stream::state : Stream::commands, record).dump();
    lines += '\n';
  }
  lines += R"({"end":4})"
           "\n";
  std::ostringstream file;
  tools::write_bundle_block(file, 0, lines);
  write_seed(folder, "bundle", 0, "f" + file.str());
  write_seed(folder, "bundle", 1, "l" + lines);
}

std::string place;

}  // namespace

extern "C" int LLVMFuzzerInitialize(int* /*argc*/, char*** /*argv*/) {
  if (const char* folder = std::getenv("MAYFLY_FUZZ_SEEDS")) {
    write_seeds(folder);
    write_bundle_seeds(folder);
    std::exit(0);
  }
  const char* given = std::getenv("MAYFLY_FUZZ");
  place = given != nullptr ? given : "";
  return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  if (place == "command") {
    fuzz_command(bytes.substr(bytes.empty() ? 0 : 1), bytes.empty() ? 0 : static_cast<std::size_t>(bytes[0] & 15));
  } else if (place == "snapshot") {
    fuzz_state(cart, bytes);
  } else if (place == "position") {
    fuzz_state(position_key, bytes);
  } else if (place == "epitaphs") {
    fuzz_state({}, bytes);
  } else if (place == "headers") {
    fuzz_headers(bytes);
  } else if (place == "settings") {
    fuzz_settings(bytes);
  } else if (place == "config") {
    fuzz_config(bytes);
  } else if (place == "bundle") {
    fuzz_bundle(bytes.substr(bytes.empty() ? 0 : 1), !bytes.empty() && bytes[0] != 'f');
  } else {
    std::abort();  // MAYFLY_FUZZ: command, snapshot, position, epitaphs, headers, settings, config or bundle
  }
  return 0;
}
