#include "realmode/sqlite/store_file.h"

namespace orrery::realmode {
namespace {

// "orry": tells our files from other programs' (PRAGMA application_id).
constexpr int64_t kApplicationId = 0x6f727279;

constexpr const char* kSchema =
    "BEGIN;"
    "CREATE TABLE versions(id INTEGER PRIMARY KEY, key BLOB NOT NULL, create_revision INTEGER NOT "
    "NULL,"
    " version INTEGER NOT NULL, lease INTEGER NOT NULL, value BLOB NOT NULL);"
    "CREATE TABLE leases(id INTEGER PRIMARY KEY AUTOINCREMENT, ttl_ns INTEGER NOT NULL);"
    "CREATE TABLE revisions(only INTEGER PRIMARY KEY CHECK(only = 1), revision INTEGER NOT NULL,"
    " compacted INTEGER NOT NULL);"
    "INSERT INTO revisions VALUES(1, 1, 0);"
    "PRAGMA application_id=1869771385; PRAGMA user_version=1;"
    "COMMIT";

Result<int64_t> one_integer(Database& database, const char* sql) {
  Statement statement(database.handle(), sql);
  ORRERY_ASSIGN(const bool row, statement.step());
  return row ? statement.integer(0) : 0;
}

Status prepare_tables(Database& database) {
  ORRERY_ASSIGN(const int64_t application, one_integer(database, "PRAGMA application_id"));
  ORRERY_ASSIGN(const int64_t version, one_integer(database, "PRAGMA user_version"));
  if (application == kApplicationId && version == 1) return Status::ok();
  ORRERY_ASSIGN(const int64_t tables, one_integer(database, "SELECT count(*) FROM sqlite_master"));
  if (tables > 0 || application != 0)
    return bad_request("the file is a database of another program or version");
  return database.execute(kSchema);
}

Version version_of(const Statement& row) {
  return {row.integer(0), row.integer(2), row.integer(3), row.integer(4)};
}

}  // namespace

StoreFile::StoreFile(std::unique_ptr<Database> database)
    : database_(std::move(database)),
      put_(database_->handle(), "INSERT INTO versions VALUES(?, ?, ?, ?, ?, ?)"),
      value_(database_->handle(), "SELECT value FROM versions WHERE id = ?"),
      history_(database_->handle(), "SELECT * FROM versions WHERE id >= ? ORDER BY id"),
      forget_(database_->handle(), "DELETE FROM versions WHERE id = ?"),
      set_revisions_(database_->handle(), "UPDATE revisions SET revision = ?, compacted = ?"),
      add_lease_(database_->handle(), "INSERT INTO leases(ttl_ns) VALUES(?)"),
      remove_lease_(database_->handle(), "DELETE FROM leases WHERE id = ?") {}

Result<std::unique_ptr<StoreFile>> StoreFile::open(const std::string& path) {
  ORRERY_ASSIGN(std::unique_ptr<Database> database, Database::open(path));
  const Status status = prepare_tables(*database);
  if (!status.is_ok()) return status.with_context(path);
  return std::unique_ptr<StoreFile>(new StoreFile(std::move(database)));
}

Status StoreFile::begin() { return database_->execute("BEGIN IMMEDIATE"); }
Status StoreFile::commit() { return database_->execute("COMMIT"); }

void StoreFile::rollback() {
  for (Statement* statement :
       {&put_, &value_, &history_, &forget_, &set_revisions_, &add_lease_, &remove_lease_})
    statement->reset();
  // Fails where the error has ended the transaction already.
  static_cast<void>(database_->execute("ROLLBACK").is_ok());
}

Status StoreFile::load_versions(const VisitVersion& visit) {
  Statement all(database_->handle(),
                "SELECT id, key, create_revision, version, lease FROM versions ORDER BY id");
  while (true) {
    ORRERY_ASSIGN(const bool row, all.step());
    if (!row) return Status::ok();
    visit(Str(all.bytes(1)), version_of(all));
  }
}

Status StoreFile::load_leases(const std::function<void(int64_t, Duration)>& visit) {
  Statement all(database_->handle(), "SELECT id, ttl_ns FROM leases ORDER BY id");
  while (true) {
    ORRERY_ASSIGN(const bool row, all.step());
    if (!row) return Status::ok();
    visit(all.integer(0), Duration::nanos(all.integer(1)));
  }
}

Result<StoreFile::Revisions> StoreFile::load_revisions() {
  Statement only(database_->handle(),
                 "SELECT revision, compacted, (SELECT max(id) FROM versions) FROM revisions");
  ORRERY_ASSIGN(const bool row, only.step());
  if (!row) return internal_error("the store's file has lost its revisions");
  Revisions revisions{only.integer(0), only.integer(1)};
  const Version newest{only.integer(2), 0, 0, 0};
  revisions.revision = std::max(revisions.revision, newest.revision());
  return revisions;
}

Status StoreFile::put(const Str& key, const Version& version, std::string_view value) {
  return put_.bind(version.id)
      .bind(key.view())
      .bind(version.create_revision)
      .bind(version.version)
      .bind(version.lease)
      .bind(value)
      .run();
}

Result<Str> StoreFile::value(int64_t id) {
  ORRERY_ASSIGN(const bool row, value_.bind(id).step());
  if (!row) return internal_error(str_cat("the store's file has lost version ", id));
  Str value(value_.bytes(0));
  value_.reset();
  return value;
}

Status StoreFile::history(int64_t id, const VisitWrite& visit) {
  history_.bind(id);
  while (true) {
    ORRERY_ASSIGN(const bool row, history_.step());
    if (!row) return Status::ok();
    visit(Str(history_.bytes(1)), version_of(history_), Str(history_.bytes(5)));
  }
}

Status StoreFile::forget(int64_t id) { return forget_.bind(id).run(); }

Status StoreFile::set_revisions(const Revisions& revisions) {
  return set_revisions_.bind(revisions.revision).bind(revisions.compacted).run();
}

Result<int64_t> StoreFile::add_lease(Duration ttl) {
  ORRERY_TRY(add_lease_.bind(ttl.ns).run());
  return database_->last_row();
}

Status StoreFile::remove_lease(int64_t lease) { return remove_lease_.bind(lease).run(); }

}  // namespace orrery::realmode
