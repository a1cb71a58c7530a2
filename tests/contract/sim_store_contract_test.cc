#include "sim/kernel/kernel.h"
#include "sim/store/sim_store.h"
#include "tests/contract/store_contract.h"

namespace orrery::contract {
namespace {

class SimStoreFixture final : public StoreFixture, public LaneHandler {
 public:
  explicit SimStoreFixture(sim::SimStore::Options options)
      : store_(&kernel_, &kernel_, options), lane_(kernel_.open("client", this)) {}
  Store& store() override { return store_; }
  LaneId lane() override { return lane_; }
  void run_until(const std::function<bool()>& done) override {
    while (!done() && kernel_.step(kernel_.now() + Duration::millis(100))) {
    }
  }
  void settle() override { kernel_.run_until(kernel_.now() + Duration::millis(100)); }
  void pass(Duration time) override { kernel_.run_until(kernel_.now() + time); }
  Duration lease_ttl() const override { return Duration::seconds(10); }
  Duration lease_slack() const override { return {}; }
  void handle(const Ctx&, const Event& event) override { events.push_back(event); }

 private:
  sim::Kernel kernel_;
  sim::SimStore store_;
  LaneId lane_;
};

StoreFactory with(sim::SimStore::Options options) {
  return [options] { return std::make_unique<SimStoreFixture>(options); };
}

INSTANTIATE_TEST_SUITE_P(SimStore, StoreContract,
                         testing::Values(with({}),
                                         with({Duration::millis(5), Duration::millis(7), 4096})));

}  // namespace
}  // namespace orrery::contract
