#include "engine/sched/node_index.h"

#include <gtest/gtest.h>

#include "engine/base/rng.h"

namespace orrery::sched {
namespace {

/// The same questions, answered by a walk over all values.
struct Plain {
  std::vector<int32_t> values;

  std::vector<uint32_t> stretch(uint32_t start, uint32_t length) const {
    std::vector<uint32_t> out;
    for (uint32_t i = 0; i < length; ++i) out.push_back((start + i) % static_cast<uint32_t>(values.size()));
    return out;
  }
  NodeIndex::Stretch stretch_of(uint32_t start, uint32_t wanted) const {
    NodeIndex::Stretch out;
    for (uint32_t position : stretch(start, static_cast<uint32_t>(values.size()))) {
      const bool feasible = values[position] != NodeIndex::kNone;
      if (feasible && out.feasible == wanted) break;
      out.feasible += feasible;
      ++out.length;
    }
    return out;
  }
  std::vector<uint32_t> best(uint32_t start, uint32_t length, int32_t* value) const {
    *value = NodeIndex::kNone;
    for (uint32_t position : stretch(start, length)) *value = std::max(*value, values[position]);
    std::vector<uint32_t> out;
    for (uint32_t position : stretch(start, length))
      if (values[position] == *value && *value != NodeIndex::kNone) out.push_back(position);
    return out;
  }
};

TEST(NodeIndex, AnswersAsAWalkOverAllNodesWould) {
  RngStream rng(3, "index");
  for (uint32_t size : {1u, 63u, 64u, 65u, 200u, 513u}) {
    Plain plain;
    const auto draw = [&] { return rng.below(3) == 0 ? NodeIndex::kNone : static_cast<int32_t>(rng.below(5)); };
    for (uint32_t i = 0; i < size; ++i) plain.values.push_back(draw());
    NodeIndex index;
    index.assign(plain.values);
    for (int round = 0; round < 400; ++round) {
      const auto changed = static_cast<uint32_t>(rng.below(size));
      plain.values[changed] = round % 50 < 10 ? NodeIndex::kNone : draw();
      index.set(changed, plain.values[changed]);
      const auto start = static_cast<uint32_t>(rng.below(size)), wanted = static_cast<uint32_t>(rng.below(size + 2));
      const auto expected = plain.stretch_of(start, wanted), got = index.stretch_of(start, wanted);
      ASSERT_EQ(got.length, expected.length) << size << " " << start << " " << wanted;
      ASSERT_EQ(got.feasible, expected.feasible);
      int32_t value = 0;
      const auto best = plain.best(start, expected.length, &value);
      ASSERT_EQ(index.best(start, expected.length).value, value);
      ASSERT_EQ(index.best(start, expected.length).count, best.size());
      if (best.empty()) continue;
      for (uint32_t k = 0; k < best.size(); k += 1 + k / 3) ASSERT_EQ(index.nth(start, expected.length, value, k), best[k]);
      std::vector<uint32_t> visited;
      index.each(start, expected.length, value, [&](uint32_t position) {
        visited.push_back(position);
        return false;
      });
      ASSERT_EQ(visited, best);
    }
  }
}

}  // namespace
}  // namespace orrery::sched
