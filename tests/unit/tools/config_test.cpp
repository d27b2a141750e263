#include "tools/console/config.h"

#include <doctest/doctest.h>

using mayfly::tools::Config;
using mayfly::tools::read_config_text;

TEST_CASE("every table of the config file reaches the engine") {
  Config c;
  CHECK(read_config_text("log = 'sqlite:a.db'\npartitions = 8\n[engine]\nname = 'shop'\nbatch_records = 100\n"
                         "[decisions]\ncapture_wait_s = 7\nstatus_tries = 2\n"
                         "[http]\nhosts = 'Shop.example, *.pods'\nrequest_ms = 900\n",
                         "f", c) == "");
  CHECK(c.log == "sqlite:a.db");
  CHECK(c.partitions == 8);
  CHECK(c.engine.name == "shop");
  CHECK(c.engine.batch_records == 100);
  CHECK(c.engine.settings.capture_wait == mayfly::events::Millis{7000});
  CHECK(c.engine.settings.status_tries == 2);
  CHECK(c.http_limits.hosts == std::vector<std::string>{"shop.example", "*.pods"});
  CHECK(c.http_limits.request_ms == 900);
}

TEST_CASE("what Kafka needs reaches it, and librdkafka's properties as they are called, dots and all") {
  Config c;
  CHECK(
      read_config_text("[kafka]\ninstance = 'a'\nreplication_factor = 3\n[kafka.topics]\nstate = 'mine'\n"
                       "[kafka.properties]\nlinger.ms = 7\n'sasl.username' = 'shop'\nsocket.keepalive.enable = true\n",
                       "f", c) == "");
  CHECK(c.kafka.instance == "a");
  CHECK(c.kafka.replication_factor == 3);
  CHECK(c.kafka.topic(mayfly::events::Stream::state) == "mine");
  CHECK(c.kafka.topic(mayfly::events::Stream::events) == "checkout.events.v1");
  CHECK(c.kafka.properties == std::map<std::string, std::string>{
                                  {"linger.ms", "7"}, {"sasl.username", "shop"}, {"socket.keepalive.enable", "true"}});
}

TEST_CASE("what is wrong in a config file is named with its line and what to do") {
  const struct {
    const char* text;
    const char* said;
  } rows[] = {
      {"prtitions = 1", "f:1: there is no key 'prtitions'. Did you mean 'partitions'?"},
      {"\n[engine]\nthreads = 'two'", "f:3: engine.threads must be an integer from 0 to 256."},
      {"[engine]\nthreads = 257", "f:2: engine.threads must be an integer from 0 to 256."},
      {"[engine]\nthreads = 1.5", "f:2: engine.threads must be an integer from 0 to 256."},
      {"log = 5", "f:1: log must be a text in quotes."},
      {"[kafka.properties]\nfetch.min.bytes = 'soon'",
       "f:2: kafka.properties.fetch.min.bytes: Invalid value for configuration property \"fetch.min.bytes\"."},
      {"[kafka.properties]\nisolation.level = 'read_uncommitted'",
       "f:2: kafka.properties.isolation.level cannot be set: only committed records may be decided."},
      {"[kafka.properties]\nlinger.ms = 1.5",
       "f:2: kafka.properties.linger.ms must be a text, an integer, true or false."},
      {"[kafka]\ninstances = 'a'", "f:2: there is no key 'kafka.instances'. Did you mean 'kafka.instance'?"},
      {"[http]\nhosts = 'a.example, http://b.example'",
       "f:2: http.hosts: 'http://b.example' is no host's name. Give names without scheme or port: shop.example.com, "
       "*.example.com."},
      {"[http]\nconnections = 7", "f:2: http.connections must be an integer from 8 to 10000."},
      {"[decisions]\ncart_idle_s = 0", "f:2: decisions.cart_idle_s must be an integer from 1 to 2592000."},
  };
  for (const auto& row : rows) {
    Config c;
    CHECK(read_config_text(row.text, "f", c) == row.said);
  }
}

TEST_CASE("the key that takes the fewest letters to change is suggested, wherever it stands") {
  const struct {
    const char* text;
    const char* meant;
  } rows[] = {
      {"naem = 'shop'", "Did you mean 'engine.name'?"},
      {"process_byte = 0", "Did you mean 'memory.process_bytes'?"},
      {"[memroy]\nprocess_bytes = 0", "Did you mean 'memory.process_bytes'?"},
      {"[engin]\ntreads = 2", "Did you mean 'engine.threads'?"},
      {"engine = 'shop'", "It is a table: write [engine] and its keys below."},
      {"engin = 'shop'", "Did you mean the table [engine]?"},
      {"topics = 'mine'", "Did you mean the table [kafka.topics]?"},
      {"lg = 'sqlite:a.db'", "Did you mean 'log'?"},
      {"[kafka.topic]\nevent = 'mine'", "Did you mean 'kafka.topics.events'?"},
      {"shop = 1", "docs/configuration.md has every key."},
  };
  for (const auto& row : rows) {
    CAPTURE(row.text);
    Config c;
    const auto said = read_config_text(row.text, "f", c);
    CAPTURE(said);
    CHECK(said.ends_with(std::string(" ") + row.meant));
  }
}

TEST_CASE("all that is wrong in a config file is said, a line each, in the file's order") {
  Config c;
  CHECK(read_config_text("partitions = 0\n[memory]\nprocess_bytes = 1\n[engine]\nthreads = 999\n", "f", c) ==
        "f:1: partitions must be an integer from 1 to 1024.\n"
        "f:3: memory.process_bytes must be 0 or an integer from 67108864 to 1125899906842624.\n"
        "f:5: engine.threads must be an integer from 0 to 256.");
  CHECK(read_config_text("[memory]\nprocess_bytes = 0\n", "f", c) == "");
  CHECK(read_config_text("[memory]\nprocess_bytes = 67108864\n", "f", c) == "");
}
