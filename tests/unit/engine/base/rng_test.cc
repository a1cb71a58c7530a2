#include "engine/base/rng.h"

#include <gtest/gtest.h>

#include "engine/base/slab.h"

namespace orrery {
namespace {

TEST(Rng, AStreamDependsOnSeedNameAndIdOnly) {
  RngStream a = Rng(1).stream("x", 2), b = Rng(1).stream("x", 2);
  Rng(1).stream("y").next();
  for (int i = 0; i < 100; ++i) EXPECT_EQ(a.next(), b.next());
  EXPECT_NE(Rng(1).stream("x").next(), Rng(2).stream("x").next());
  EXPECT_NE(Rng(1).stream("x").next(), Rng(1).stream("y").next());
  EXPECT_NE(Rng(1).stream("x", 0).next(), Rng(1).stream("x", 1).next());
}

// The same on every machine and for ever: results would change with it.
TEST(Rng, TheFirstDrawsAreFixed) {
  RngStream stream = Rng(42).stream("sched/tie");
  EXPECT_EQ(stream.next(), 0x634afe983b499a3bu);
  EXPECT_EQ(stream.next(), 0xc95fe4f96a18e615u);
}

TEST(Rng, BelowIsUniform) {
  RngStream stream = Rng(7).stream("t");
  int counts[10] = {};
  constexpr int kDraws = 100'000;
  for (int i = 0; i < kDraws; ++i) ++counts[stream.below(10)];
  // Six standard deviations of a binomial count: 6 * sqrt(n p (1 - p)) = 569.
  for (int count : counts) EXPECT_NEAR(count, kDraws / 10, 569);
}

TEST(Rng, MeansOfTheDistributionsAreRight) {
  RngStream stream = Rng(9).stream("t");
  double uniform = 0, exponential = 0, normal = 0, square = 0;
  constexpr int kDraws = 100'000;
  for (int i = 0; i < kDraws; ++i) {
    uniform += stream.uniform();
    exponential += stream.exponential(3);
    const double z = stream.normal();
    normal += z;
    square += z * z;
  }
  EXPECT_NEAR(uniform / kDraws, 0.5, 0.006);
  EXPECT_NEAR(exponential / kDraws, 3, 0.06);
  EXPECT_NEAR(normal / kDraws, 0, 0.02);
  EXPECT_NEAR(square / kDraws, 1, 0.03);
}

TEST(Slab, HandlesEndWithTakeAndAreReusedInOrder) {
  Slab<int> slab;
  const uint64_t a = slab.put(1), b = slab.put(2);
  EXPECT_EQ(slab.take(a), 1);
  EXPECT_FALSE(slab.contains(a));
  Slab<int> copy = slab;
  EXPECT_EQ(slab.put(3), copy.put(3)) << "a copy hands out the same handles";
  EXPECT_FALSE(slab.contains(a)) << "the slot is used again, the handle is not";
  EXPECT_EQ(slab.at(b), 2);
}

}  // namespace
}  // namespace orrery
