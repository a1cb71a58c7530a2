#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "engine/base/status.h"

struct sqlite3;
struct sqlite3_stmt;

namespace orrery::realmode {

/// One prepared statement. Bound bytes must live until reset(). Not thread-safe.
class Statement {
 public:
  /// `sql` is a constant of the program that names existing tables: it is CHECKed.
  Statement(sqlite3* database, const char* sql);
  ~Statement();
  Statement(const Statement&) = delete;
  Statement& operator=(const Statement&) = delete;

  Statement& bind(int64_t number);
  Statement& bind(std::string_view bytes);
  /// True if there is a row to read. After false or an error the statement is reset.
  Result<bool> step();
  /// Runs a statement without rows.
  Status run();
  void reset();
  int64_t integer(int column) const;
  /// Valid until the next step or reset.
  std::string_view bytes(int column) const;

 private:
  sqlite3* database_;
  sqlite3_stmt* statement_ = nullptr;
  int bound_ = 0;
};

/// One SQLite file with a write-ahead log, held exclusively by this process. What commit() has
/// accepted survives kill -9 and the loss of power (synchronous=FULL).
class Database {
 public:
  /// ServiceUnavailable if another process holds it, Internal if it is no database or cannot be
  /// made; the message names the path.
  static Result<std::unique_ptr<Database>> open(const std::string& path);
  ~Database();
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;

  Status execute(const char* sql);
  sqlite3* handle() const { return database_; }
  /// The id of the last row inserted.
  int64_t last_row() const;

 private:
  Database() = default;
  sqlite3* database_ = nullptr;
};

}  // namespace orrery::realmode
