#pragma once

#include <memory>
#include <utility>

#include "realmode/etcd/etcd_store.h"
#include "tests/contract/real_time_fixture.h"

namespace orrery::contract {

/// A store on a cluster that somebody else keeps.
class EtcdStoreFixture : public RealTimeFixture {
 public:
  void connect(realmode::EtcdOptions options) {
    store_ = nullptr;
    store_ = realmode::EtcdStore::open(&loop_, &loop_, std::move(options)).value();
  }
  Store& store() override { return *store_; }
  // Debian's etcd 3.4 is too old to promise it.
  bool answers_progress() const override { return false; }

 private:
  std::unique_ptr<realmode::EtcdStore> store_;
};

}  // namespace orrery::contract
