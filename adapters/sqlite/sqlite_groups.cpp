#include "adapters/sqlite/sqlite_groups.h"

#include <cstdint>

namespace mayfly::adapters::sqlite {

namespace {

bool has_table(const Connection& db) {
  Statement s(db, "SELECT 1 FROM sqlite_schema WHERE name = 'group_positions'");
  return s.step();
}

}  // namespace

std::vector<events::Position> group_positions(const Connection& db, std::string_view group, events::Stream stream) {
  std::vector<events::Position> positions;
  if (!has_table(db)) return positions;
  Statement s(db, "SELECT partition, next FROM group_positions WHERE name = ? AND stream = ? ORDER BY partition");
  s.bind_text(1, group).bind(2, static_cast<std::int64_t>(stream));
  while (s.step()) positions.push_back({static_cast<events::Partition>(s.integer(0)), s.integer(1)});
  return positions;
}

void keep_group_positions(const Connection& db, std::string_view group, events::Stream stream,
                          std::span<const events::Position> next) {
  if (!has_table(db)) {
    db.run(
        "CREATE TABLE group_positions (name TEXT, stream INTEGER, partition INTEGER, next INTEGER,"
        " PRIMARY KEY (name, stream, partition)) WITHOUT ROWID");
  }
  Statement s(db, "INSERT OR REPLACE INTO group_positions VALUES (?, ?, ?, ?)");
  for (const auto& p : next) {
    s.bind_text(1, group).bind(2, static_cast<std::int64_t>(stream)).bind(3, p.partition).bind(4, p.offset).execute();
  }
}

}  // namespace mayfly::adapters::sqlite
