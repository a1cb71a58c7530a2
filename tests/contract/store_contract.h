#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <memory>

#include "tests/contract/store_driver.h"

namespace orrery::contract {

/// nullptr: what the store needs is not installed.
using StoreFactory = std::function<std::unique_ptr<StoreFixture>()>;

/// What every Store must do, whatever it is made of.
class StoreContract : public testing::TestWithParam<StoreFactory>, protected StoreDriver {
 protected:
  void SetUp() override {
    fixture_ = GetParam()();
    if (!fixture_) GTEST_SKIP() << "what this store needs is not installed";
  }
};

}  // namespace orrery::contract
