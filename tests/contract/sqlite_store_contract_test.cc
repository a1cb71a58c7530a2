#include "realmode/sqlite/sqlite_store.h"
#include "tests/contract/real_time_fixture.h"
#include "tests/contract/temporary_folder.h"

namespace orrery::contract {
namespace {

class SqliteStoreFixture final : public RealTimeFixture {
 public:
  SqliteStoreFixture()
      : store_(realmode::SqliteStore::open(&loop_, {folder_.file("state.db"), {}}).value()) {}
  Store& store() override { return *store_; }

 private:
  TemporaryFolder folder_;
  std::unique_ptr<realmode::SqliteStore> store_;
};

INSTANTIATE_TEST_SUITE_P(SqliteStore, StoreContract,
                         testing::Values([] { return std::make_unique<SqliteStoreFixture>(); }));

}  // namespace
}  // namespace orrery::contract
