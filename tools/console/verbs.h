// The verbs of the command line and their options. Each returns an ExitCode.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace mayfly::tools {

struct ServeOptions {
  std::string log;
  std::string config;  // file; empty: none
  std::string name;    // empty: from the config
  std::int32_t partitions = 0;
  std::string http;       // HOST:PORT or "off"; empty: from the config
  std::string state_dir;  // of the flight recorder's file; empty: from the config
  bool check_config = false;
  bool json = false;
};
int serve(const ServeOptions&);

/// Of the verbs that work on a log beside its engine (tools/console/client.h).
struct LogWords {
  std::string log;     // empty: the config file's
  std::string config;  // file; empty: none
};

struct SendOptions : LogWords {
  std::string type;  // "-": NDJSON from standard input
  std::string cart;
  std::vector<std::string> members;  // name=value
  std::string id;
  std::string source = "/mayfly/send";
  std::int64_t wait_s = 0;  // for what the command comes to; 0: do not wait
  bool unchecked = false;   // also what no engine can read
  bool create = false;      // make the log where there is none
  bool json = false;
};
int send(const SendOptions&);

struct TailOptions : LogWords {
  std::string stream = "events";
  std::vector<std::string> from;  // empty: end, with `since` begin
  std::string since;              // a time, or how long ago
  std::string group;              // keeps its position in the log; empty: none
  bool follow = false;
  std::int64_t limit = 0;  // 0: none
  std::string cart;
  std::vector<std::string> types;  // empty: all
  bool json = false;
};
int tail(const TailOptions&);

struct InspectOptions : LogWords {
  std::string id;  // of a cart, or of its order, session or reservation
  bool json = false;
};
int inspect(const InspectOptions&);

struct FundsOptions : LogWords {
  std::string cart;  // empty: all
  bool json = false;
  bool metrics = false;
};
int funds(const FundsOptions&);

struct FrontOptions : LogWords {
  std::string address = "127.0.0.1:9280";  // HOST:PORT
  std::string tokens;                      // a file; empty: everybody, on loopback only
  std::string certificate;                 // a file; empty: HTTP
  std::string key;                         // a file: of the certificate
  std::int32_t connections = 1'000;        // at a time
  std::string http;                        // HOST:PORT of probe and metrics; empty: none
};
int front(const FrontOptions&);

struct ConnectOptions : LogWords {
  std::vector<std::string> again;  // NAME:PARTITION:OFFSET of parked events: one attempt each, then it ends
  std::string http;                // HOST:PORT of probe and metrics; empty: from the config
  bool check_config = false;
};
int connect(const ConnectOptions&);

struct DeadLettersOptions : LogWords {
  std::string what;                // list, show, retry, release or drop
  std::vector<std::string> which;  // PARTITION:OFFSET of dead letters; release: cart ids
  std::vector<std::string> reasons;
  std::string cart;
  std::string since;  // a time, or how long ago
  std::string until;
  bool all = false;  // list: handled ones too; retry and drop: with no other word, all that are open
  bool yes = false;
  bool dry_run = false;  // retry: only say what each would come to
  bool force = false;    // retry: also what has come back too often
  std::string why;       // retry, drop: kept in the marks
  bool json = false;
  bool metrics = false;  // list: how many, as Prometheus's text
};
int deadletters(const DeadLettersOptions&);

struct FeedOptions : LogWords {
  std::string csv;
  std::int64_t speed_per_s = 0;     // 0: as fast as it goes
  std::int64_t limit_invoices = 0;  // 0: all
  bool create = false;              // make the log where there is none
  bool json = false;
};
int feed(const FeedOptions&);

struct TreeOptions {
  std::string http;  // HOST:PORT
  bool json = false;
};
int tree(const TreeOptions&);

struct MemoryOptions {
  std::string http;  // HOST:PORT of the engine
  bool json = false;
};
int memory(const MemoryOptions&);

struct RenewOptions {
  std::string http;             // HOST:PORT of the engine
  std::int32_t partition = -1;  // -1: each
  bool json = false;
};
int renew(const RenewOptions&);

/// Of verbs that can begin with a checkpoint.
struct FromWords : LogWords {
  std::string checkpoint;  // a file; empty: none
};

struct ReplayCheckpointOptions : FromWords {
  std::string file;          // that is not there
  std::string at = "end";    // a moment
  bool as_recorded = false;  // the log's own state
};
int replay_checkpoint(const ReplayCheckpointOptions&);

struct ReplayVerifyOptions : FromWords {
  bool carts = false;
  bool memory = false;
  std::string against;  // a program; empty: what is recorded
};
int replay_verify(const ReplayVerifyOptions&);
/// Where it is asked for carts, or another program.
int replay_verify_carts(const ReplayVerifyOptions&);
/// Where it is asked for memory, and another program.
int replay_compare_memory(const ReplayVerifyOptions&);

struct ReplayMemoryOptions : FromWords {};
int replay_memory(const ReplayMemoryOptions&);

struct ReplayDecisionsOptions : FromWords {};
int replay_decisions(const ReplayDecisionsOptions&);

struct ReplayShowOptions : FromWords {
  std::string id;
  std::string index;  // a file; empty: none
  bool json = false;
  bool html = false;
};
int replay_show(const ReplayShowOptions&);

struct ReplayIndexOptions : LogWords {
  std::string file;
};
int replay_index(const ReplayIndexOptions&);

struct ReplayWhyOptions : FromWords {
  std::string position;
  bool json = false;
};
int replay_why(const ReplayWhyOptions&);

struct ReplayAtOptions : FromWords {
  std::string when;
  std::vector<std::string> ids;
  bool json = false;
};
int replay_at(const ReplayAtOptions&);

struct ReplayDiffOptions : FromWords {
  std::string before;  // a moment
  std::string after;   // a later one, or one of the other log
  std::string with;    // the other log; empty: the same
  std::string with_config;
  std::vector<std::string> ids;  // empty: all carts
  bool json = false;
};
int replay_diff(const ReplayDiffOptions&);

struct ReplayWhatIfOptions : FromWords {
  std::string file;
  bool json = false;
};
int replay_whatif(const ReplayWhatIfOptions&);

struct ReplayBisectOptions : LogWords {
  std::vector<std::string> checkpoints;  // of several the search chooses one; empty: the first commands
  std::string when;                      // a condition
  std::string program;                   // or a program, of one cart
  std::string cart;                      // empty: all
  bool json = false;
};
int replay_bisect(const ReplayBisectOptions&);

struct ReplayExportOptions : LogWords {
  std::string file;                      // that is not there
  std::vector<std::string> carts;        // empty: all
  std::vector<std::int32_t> partitions;  // empty: all
  bool plain = false;                    // texts as they are
};
int replay_export(const ReplayExportOptions&);

struct ReplayImportOptions : LogWords {
  std::string file;
};
int replay_import(const ReplayImportOptions&);

struct ReplayDriveOptions : LogWords {  // of the log that is driven into
  std::string from;                     // a bundle's file, or a log
  std::string from_config;              // of that log; empty: none
  std::string speed = "1";              // times the recorded one, or "max"
  std::int64_t longest_gap_s = 0;       // 0: pauses as they come
  bool create = false;                  // make the log where there is none
  bool into_used = false;               // also where other producers' commands are
  bool json = false;
};
int replay_drive(const ReplayDriveOptions&);

struct BackupOptions : LogWords {
  std::string to;  // a file that is not there
};
int backup(const BackupOptions&);

/// Percent each; docs/simulate.md says what they mean.
struct SimulateOptions : LogWords {
  std::vector<std::string> what;  // provider, warehouse
  int silence_percent = 0;
  int duplicate_percent = 0;
  int late_percent = 0;
  int wrong_amount_percent = 0;
  int decline_percent = 0;
  int out_of_stock_percent = 0;
  int pending_percent = 0;
  int attempt_fails_percent = 0;
  int capture_fails_percent = 0;
  int refund_fails_percent = 0;
  int never_settles_percent = 0;
  int extra_percent = 0;
  int dispute_percent = 0;
  std::int64_t delay_ms = 150;
  std::int64_t faster = 1;
  std::uint64_t seed = 1;
  bool json = false;
};
int simulate(const SimulateOptions&);

struct DemoOptions {
  std::string program = "mayfly";  // as it was called
  std::string log;                 // empty: a file in a temporary folder
  bool keep = false;               // that folder too
  std::int64_t carts_per_s = 20;
  std::int64_t carts = 0;  // 0: until stopped
  int decline_percent = 10;
  int silence_percent = 2;
  int out_of_stock_percent = 5;
  std::int64_t delay_ms = 150;
  std::uint64_t seed = 1;
  std::string http;   // HOST:PORT or "off"; empty: the default address, or any that is free
  std::string front;  // the same of the front door
};
int demo(const DemoOptions&);

struct ReenactOptions {
  std::string outage;            // cart-leak or session-leak
  bool fast = false;             // the default
  bool real = false;             // in the outage's own time
  std::int64_t seconds = 0;      // of a run; 0: as --fast or --real
  std::int64_t limit_mib = 512;  // of a run's process
  std::int64_t carts_per_s = 0;  // 0: as fits the time
  std::int64_t bug_bytes = 0;    // each time; 0: as fits the time
  std::uint64_t seed = 1;
  std::string html;   // the report's file; empty: none
  bool keep = false;  // the runs' logs
  bool json = false;
};
int reenact(const ReenactOptions&);

}  // namespace mayfly::tools
