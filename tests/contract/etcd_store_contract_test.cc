#include "realmode/etcd/etcd_store.h"
#include "tests/contract/etcd_process.h"
#include "tests/contract/real_time_fixture.h"
#include "tests/contract/store_contract.h"

namespace orrery::contract {
namespace {

/// A new cluster of one member for each test: revisions begin at 1. Pages of two keys, so that
/// ranges take several.
class EtcdStoreFixture final : public RealTimeFixture {
 public:
  explicit EtcdStoreFixture(int64_t page) : cluster_({}) {
    realmode::EtcdOptions options;
    options.endpoints = cluster_.endpoints();
    options.page = page;
    store_ = realmode::EtcdStore::open(&loop_, &loop_, options).value();
  }
  Store& store() override { return *store_; }
  // Debian's etcd 3.4 is too old to promise it.
  bool answers_progress() const override { return false; }

 private:
  EtcdCluster cluster_;
  std::unique_ptr<realmode::EtcdStore> store_;
};

StoreFactory with_page(int64_t page) {
  return [page]() -> std::unique_ptr<StoreFixture> {
    if (!EtcdCluster::program()) return nullptr;
    return std::make_unique<EtcdStoreFixture>(page);
  };
}

INSTANTIATE_TEST_SUITE_P(EtcdStore, StoreContract, testing::Values(with_page(2)));

}  // namespace
}  // namespace orrery::contract
