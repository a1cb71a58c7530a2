#pragma once

#include <memory>
#include <string>

#include "realmode/sqlite/sqlite_store.h"
#include "tests/contract/real_time_fixture.h"

namespace orrery::contract {

/// A SQLite store on a file, which can be closed and opened again.
class SqliteStoreFixture : public RealTimeFixture {
 public:
  void open(const std::string& path) {
    store_ = realmode::SqliteStore::open(&loop_, {path, {}}).value();
  }
  void close() { store_ = nullptr; }
  Store& store() override { return *store_; }
  Lanes* lanes() { return &loop_; }

 private:
  std::unique_ptr<realmode::SqliteStore> store_;
};

}  // namespace orrery::contract
