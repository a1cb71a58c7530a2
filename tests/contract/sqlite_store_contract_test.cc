#include "tests/contract/sqlite_fixture.h"
#include "tests/contract/store_contract.h"
#include "tests/contract/temporary_folder.h"

namespace orrery::contract {
namespace {

class NewStoreFixture final : public SqliteStoreFixture {
 public:
  NewStoreFixture() { open(folder_.file("state.db")); }
  ~NewStoreFixture() override { close(); }

 private:
  TemporaryFolder folder_;
};

INSTANTIATE_TEST_SUITE_P(SqliteStore, StoreContract,
                         testing::Values([] { return std::make_unique<NewStoreFixture>(); }));

}  // namespace
}  // namespace orrery::contract
