#include "adapters/sqlite/sqlite_backup.h"

#include "adapters/host/file_error.h"
#include "adapters/host/private_file.h"
#include "adapters/sqlite/sqlite_tables.h"
#include "events/state/snapshot.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <memory>
#include <optional>

namespace mayfly::adapters {

namespace {

using events::LogError;
using events::LogStatus;
using events::Stream;
using sqlite::Access;
using sqlite::Connection;
using sqlite::Error;
using sqlite::Statement;

/// A file of our own that nobody else writes; closed with it.
class Descriptor {
 public:
  explicit Descriptor(int descriptor) : descriptor_(descriptor) {}
  ~Descriptor() {
    if (descriptor_ >= 0) ::close(descriptor_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  [[nodiscard]] int get() const { return descriptor_; }

 private:
  int descriptor_;
};

/// SQLite's VACUUM INTO: one snapshot, no free pages, no write-ahead log.
void copy(const std::string& file, const std::string& partial) {
  Connection source(file, Access::read);
  sqlite::prepare(source, 0);
  sqlite::check_may_be_served(source);  // a backup is there to be
  Statement vacuum(source, "VACUUM INTO ?");
  vacuum.bind_text(1, partial).execute();
}

void mark_at_rest(const std::string& partial) {
  const Connection db(partial, Access::write);
  db.run("UPDATE meta SET value = 0 WHERE key = 'served'");
}

std::int64_t ask(const Connection& db, const char* sql) {
  Statement s(db, sql);
  return s.step() ? s.integer(0) : 0;
}

/// What a restore would stumble over.
void check(const std::string& partial, Backup& made) {
  Connection db(partial, Access::read);
  const auto partitions = sqlite::prepare(db, 0);
  Statement integrity(db, "PRAGMA integrity_check(1)");
  integrity.step();
  if (const auto said = integrity.blob(0); said != "ok") {
    throw Error({LogError::corrupt, "the copy is damaged, and so is the log, it seems: " + std::string(*said)});
  }
  Statement position(db, "SELECT value FROM state WHERE partition = ? AND key = ?");
  Statement next(db, "SELECT next FROM positions WHERE partition = ?");
  for (events::Partition p = 0; p < partitions; ++p) {
    const bool decided = next.bind(1, p).step();
    const bool kept = position.bind(1, p).bind(2, events::position_key).step();
    const auto record = kept ? events::decode_position(position.blob(0).value_or("")) : events::PositionRecord{};
    const auto* found = std::get_if<events::PositionRecord>(&record);
    if (decided != kept || found == nullptr || (decided && found->next != next.integer(0))) {
      throw Error({LogError::corrupt, "partition " + std::to_string(p) + ": its position and its state do not agree"});
    }
    next.reset();
    position.reset();
  }
  made.commands = ask(db, "SELECT count(*) FROM commands");
  made.events = ask(db, "SELECT count(*) FROM events");
  made.waiting = ask(db,
                     "SELECT count(*) FROM commands c WHERE offset >= "
                     "coalesce((SELECT next FROM positions p WHERE p.partition = c.partition), 0)");
}

LogStatus give_its_name(const std::string& partial, const std::string& to, int descriptor, Backup& made) {
  struct stat is {};
  if (::fsync(descriptor) != 0 || ::fstat(descriptor, &is) != 0) return file_error(partial, errno);
  made.bytes = is.st_size;
  if (std::rename(partial.c_str(), to.c_str()) != 0) return file_error(to, errno);
  const Descriptor folder(::open(folder_of(to).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (folder.get() >= 0) ::fsync(folder.get());
  return {};
}

}  // namespace

LogStatus back_up(const std::string& file, const std::string& to, Backup& made) {
  if (!identity_of(file)) return {LogError::invalid, file + ": there is no such log"};
  if (identity_of(to)) return {LogError::invalid, to + " is there already: give a name that is free"};
  const auto partial = to + ".partial";
  LogStatus status;
  const Descriptor own(open_private(partial, status));
  if (own.get() < 0) return status;
  if (::flock(own.get(), LOCK_EX | LOCK_NB) != 0) {
    return {LogError::unavailable, partial + ": another backup writes it"};
  }
  if (::ftruncate(own.get(), 0) != 0) return file_error(partial, errno);
  try {
    copy(file, partial);
    mark_at_rest(partial);
    check(partial, made);
    status = give_its_name(partial, to, own.get(), made);
  } catch (const Error& error) {
    status = error.status();
  }
  if (!status.ok()) ::unlink(partial.c_str());
  return status;
}

}  // namespace mayfly::adapters
