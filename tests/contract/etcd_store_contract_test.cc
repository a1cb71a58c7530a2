#include "tests/contract/etcd_fixture.h"
#include "tests/contract/etcd_process.h"
#include "tests/contract/store_contract.h"

namespace orrery::contract {
namespace {

/// A new cluster of one member for each test: revisions begin at 1. Pages of two keys, so that
/// ranges take several.
class NewClusterFixture final : public EtcdStoreFixture {
 public:
  NewClusterFixture() : cluster_({}) {
    realmode::EtcdOptions options;
    options.endpoints = cluster_.endpoints();
    options.page = 2;
    options.timeout = Duration::seconds(60);
    connect(options);
  }

 private:
  EtcdCluster cluster_;
};

std::unique_ptr<StoreFixture> new_cluster() {
  if (!EtcdCluster::program()) return nullptr;
  return std::make_unique<NewClusterFixture>();
}

INSTANTIATE_TEST_SUITE_P(EtcdStore, StoreContract, testing::Values(new_cluster));

}  // namespace
}  // namespace orrery::contract
