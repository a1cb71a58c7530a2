#include "realmode/sqlite/database.h"

#include <fcntl.h>
#include <sqlite3.h>
#include <unistd.h>

#include "engine/base/str.h"

namespace orrery::realmode {
namespace {

Status status_of(sqlite3* database, int result) {
  if (result == SQLITE_OK || result == SQLITE_DONE || result == SQLITE_ROW) return Status::ok();
  std::string message = str_cat("the store's file: ", sqlite3_errmsg(database));
  switch (result & 0xff) {
    case SQLITE_FULL:
      return {Code::kServiceUnavailable, std::move(message)};
    case SQLITE_BUSY:
      return {Code::kServiceUnavailable, message + " (in use by another process)"};
    default:
      return {Code::kInternal, str_cat(message, " (", sqlite3_errstr(result), ")")};
  }
}

}  // namespace

Statement::Statement(sqlite3* database, const char* sql) : database_(database) {
  const int result =
      sqlite3_prepare_v3(database, sql, -1, SQLITE_PREPARE_PERSISTENT, &statement_, nullptr);
  CHECK(result == SQLITE_OK) << sql << ": " << sqlite3_errmsg(database);
}

Statement::~Statement() { sqlite3_finalize(statement_); }

Statement& Statement::bind(int64_t number) {
  const int result = sqlite3_bind_int64(statement_, ++bound_, number);
  CHECK(result == SQLITE_OK) << sqlite3_errmsg(database_);
  return *this;
}

Statement& Statement::bind(std::string_view bytes) {
  const int result = sqlite3_bind_blob64(statement_, ++bound_, bytes.empty() ? "" : bytes.data(),
                                         bytes.size(), SQLITE_STATIC);
  CHECK(result == SQLITE_OK || result == SQLITE_TOOBIG) << sqlite3_errmsg(database_);
  return *this;
}

Result<bool> Statement::step() {
  const int result = sqlite3_step(statement_);
  if (result == SQLITE_ROW) return true;
  Status status = status_of(database_, result);
  reset();
  if (!status.is_ok()) return status;
  return false;
}

Status Statement::run() {
  while (true) {
    Result<bool> row = step();
    if (!row.is_ok()) return row.status();
    if (!*row) return Status::ok();
  }
}

void Statement::reset() {
  sqlite3_reset(statement_);
  bound_ = 0;
}

int64_t Statement::integer(int column) const { return sqlite3_column_int64(statement_, column); }

std::string_view Statement::bytes(int column) const {
  const auto* data = static_cast<const char*>(sqlite3_column_blob(statement_, column));
  if (!data) return {};
  return {data, static_cast<size_t>(sqlite3_column_bytes(statement_, column))};
}

Result<std::unique_ptr<Database>> Database::open(const std::string& path) {
  std::unique_ptr<Database> database(new Database());
  // Made here so that nobody else may read it (it holds secrets); its log gets the same mode.
  const int file = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (file >= 0) ::close(file);
  const int flags =
      SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;
  const int result = sqlite3_open_v2(path.c_str(), &database->database_, flags, nullptr);
  if (result != SQLITE_OK) return status_of(database->database_, result).with_context(path);
  // The exclusive lock comes before the write-ahead log, which then needs no shared memory.
  const Status status = database->execute(
      "PRAGMA locking_mode=EXCLUSIVE; PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;"
      "PRAGMA journal_size_limit=67108864; PRAGMA cache_size=-16384; PRAGMA temp_store=MEMORY; "
      "BEGIN IMMEDIATE; COMMIT");
  if (!status.is_ok()) return status.with_context(path);
  return database;
}

Database::~Database() { sqlite3_close_v2(database_); }

Status Database::execute(const char* sql) {
  return status_of(database_, sqlite3_exec(database_, sql, nullptr, nullptr, nullptr));
}

int64_t Database::last_row() const { return sqlite3_last_insert_rowid(database_); }

}  // namespace orrery::realmode
