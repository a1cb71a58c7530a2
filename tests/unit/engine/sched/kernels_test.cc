#include <gtest/gtest.h>

#include <array>
#include <cmath>

#include "engine/base/rng.h"
#include "engine/sched/plugins/gpu/fragmentation.h"
#include "engine/sched/vector_kernels.h"

namespace orrery::sched {
namespace {

std::vector<Simd> widths() {
  std::vector<Simd> out = {Simd::kBase};
  if (widest_simd() >= Simd::kAvx2) out.push_back(Simd::kAvx2);
  if (widest_simd() >= Simd::kAvx512) out.push_back(Simd::kAvx512);
  return out;
}

struct Nodes {
  std::vector<int64_t> has[2], used[2];
  std::vector<double> has_exact[2], used_exact[2];
  TwoResources view() const { return {{has_exact[0].data(), has_exact[1].data()}, {used_exact[0].data(), used_exact[1].data()}}; }
};

// Amounts of all magnitudes, round ones among them, some nodes without the resource.
Nodes make_nodes(size_t count, RngStream& rng) {
  Nodes nodes;
  for (size_t i = 0; i < count; ++i)
    for (int r = 0; r < 2; ++r) {
      const int64_t most = int64_t{1} << (1 + rng.below(46));
      int64_t has = static_cast<int64_t>(rng.below(static_cast<uint64_t>(most))) + 1;
      if (i % 7 == 0) has = 100 * (1 + static_cast<int64_t>(rng.below(1000)));
      if (i % 31 == 0) has = 0;
      const auto used = static_cast<int64_t>(rng.below(static_cast<uint64_t>(has) + has / 8 + 1));
      nodes.has[r].push_back(has);
      nodes.used[r].push_back(i % 5 == 0 ? has * static_cast<int64_t>(rng.below(101)) / 100 : used);
      nodes.has_exact[r].push_back(static_cast<double>(nodes.has[r].back()));
      nodes.used_exact[r].push_back(static_cast<double>(nodes.used[r].back()));
    }
  return nodes;
}

// The reference's integers.
int64_t allocation_score(bool most, const Nodes& nodes, size_t i, const int64_t (&more)[2], const int64_t (&weight)[2]) {
  int64_t sum = 0, weights = 0;
  for (int r = 0; r < 2; ++r) {
    const int64_t has = nodes.has[r][i], asked = nodes.used[r][i] + more[r];
    if (has == 0) continue;
    sum += weight[r] * (most ? std::min(asked, has) * 100 / has : asked > has ? 0 : (has - asked) * 100 / has);
    weights += weight[r];
  }
  return weights == 0 ? 0 : sum / weights;
}

int64_t balance_score(const Nodes& nodes, size_t i, const int64_t (&more)[2]) {
  double fractions[2];
  int n = 0;
  for (int r = 0; r < 2; ++r)
    if (nodes.has[r][i] != 0)
      fractions[n++] = std::min(1.0, static_cast<double>(nodes.used[r][i] + more[r]) / static_cast<double>(nodes.has[r][i]));
  const double deviation = n == 2 ? std::fabs((fractions[0] - fractions[1]) / 2) : 0;
  return static_cast<int64_t>((1 - deviation) * 100.0);
}

TEST(VectorKernels, ScoresEqualIntegerArithmeticAtEveryWidth) {
  RngStream rng(1, "kernels");
  const Nodes nodes = make_nodes(5003, rng);
  std::vector<int32_t> scores(5003);
  for (Simd simd : widths())
    for (const std::array<int64_t, 4>& pod : {std::array<int64_t, 4>{100, 200 << 20, 1, 1}, {1, 1, 3, 1}, {0, 0, 1, 0}, {4000, int64_t{1} << 40, 7, 100}}) {
      const int64_t more[2] = {pod[0], pod[1]}, weight[2] = {pod[2], pod[3]};
      const double more_exact[2] = {static_cast<double>(pod[0]), static_cast<double>(pod[1])};
      const double weight_exact[2] = {static_cast<double>(pod[2]), static_cast<double>(pod[3])};
      for (bool most : {false, true}) {
        score_allocation(simd, most, nodes.view(), more_exact, weight_exact, scores);
        for (size_t i = 0; i < scores.size(); ++i) ASSERT_EQ(scores[i], allocation_score(most, nodes, i, more, weight)) << i << " " << most;
      }
      score_balance(simd, nodes.view(), more_exact, scores);
      for (size_t i = 0; i < scores.size(); ++i) ASSERT_EQ(scores[i], balance_score(nodes, i, more)) << i;
    }
}

TEST(VectorKernels, FindWhatIsInsufficientAtEveryWidth) {
  const std::vector<int64_t> pods = {1, 0, 5, 5, 5, -1, 5, 5, 5}, cpu = {10, 10, 9, 10, -1, 10, 0, 11, 10}, memory = {5, 5, 5, 4, 5, 4, 5, 5, 6};
  for (Simd simd : widths()) {
    std::vector<uint32_t> details(pods.size());
    const FreeAmounts free = {pods.data(), cpu.data(), memory.data()};
    find_insufficient(simd, free, 10, 5, details);
    EXPECT_EQ(details, (std::vector<uint32_t>{0, 1, 2, 4, 2, 5, 2, 0, 0}));
    find_insufficient(simd, free, 0, 0, details);
    EXPECT_EQ(details, (std::vector<uint32_t>{0, 1, 0, 0, 0, 1, 0, 0, 0})) << "what is not asked for cannot lack";
  }
}

TEST(VectorKernels, SummariesAndTotalsAtEveryWidth) {
  RngStream rng(2, "totals");
  std::vector<int32_t> scores, expected;
  std::vector<uint8_t> verdicts;
  for (int i = 0; i < 77; ++i) {
    scores.push_back(static_cast<int32_t>(rng.below(4)));
    verdicts.push_back(static_cast<uint8_t>(rng.below(3)));
    expected.push_back(verdicts.back() == 1 ? 5 + 3 * scores.back() : -9);
  }
  for (Simd simd : widths()) {
    std::vector<int32_t> totals(scores.size(), 5);
    add_weighted(simd, scores, 3, totals);
    keep_where(simd, verdicts, 1, -9, totals);
    EXPECT_EQ(totals, expected);
    const Summary summary = summarize(simd, totals, -9);
    const int32_t best = *std::max_element(expected.begin(), expected.end());
    EXPECT_EQ(summary.best, best);
    EXPECT_EQ(summary.count, std::count(expected.begin(), expected.end(), best));
    EXPECT_EQ(summary.others, expected.size() - static_cast<size_t>(std::count(expected.begin(), expected.end(), -9)));
  }
}

// Source of the definition: Weng et al., USENIX ATC 2023, section 4.1.
double plain_fragmentation(const std::vector<TypicalPod>& typical, int64_t free_cpu, const GpuNode& node) {
  double sum = 0;
  for (const TypicalPod& pod : typical) {
    int64_t small = 0;
    for (uint32_t g = 0; g < node.count; ++g) small += node.free[g] < pod.gpu.milli ? node.free[g] : 0;
    const bool usable = pod.gpu.count > 0 && free_cpu >= pod.cpu_milli && node.fits(pod.gpu);
    sum += pod.weight * static_cast<double>(usable ? small : node.total_free());
  }
  return sum;
}

TEST(FragmentationKernels, AreTheDefinitionWithTheSameBitsAtEveryWidth) {
  RngStream rng(5, "fragmentation");
  std::vector<TypicalPod> typical(37);
  for (TypicalPod& pod : typical) {
    pod.cpu_milli = static_cast<int64_t>(rng.below(8000));
    pod.gpu.count = static_cast<int32_t>(rng.below(3));
    pod.gpu.milli = pod.gpu.count == 1 ? 1 + static_cast<int32_t>(rng.below(1000)) : 1000;
    pod.weight = static_cast<double>(rng.below(1000)) / 18500;
    if (rng.below(4) == 0) pod.gpu.models = {rng.below(2) == 0 ? "T4" : "A10"};
  }
  const Fragmentation fragmentation(typical);
  for (int round = 0; round < 500; ++round) {
    GpuNode node;
    node.model = round % 3 == 0 ? "T4" : round % 3 == 1 ? "A10" : "G2";
    node.count = static_cast<uint32_t>(rng.below(kGpusMax + 1));
    for (uint32_t g = 0; g < node.count; ++g) node.free[g] = rng.below(3) == 0 ? 1000 : static_cast<int32_t>(rng.below(1001));
    const auto free_cpu = static_cast<int64_t>(rng.below(16000));
    ASSERT_NEAR(fragmentation.of_node(free_cpu, node), plain_fragmentation(typical, free_cpu, node), 1e-7);
    std::array<double, kGpusMax> after;
    fragmentation.after_share(free_cpu, node, 300, after);
    for (uint32_t g = 0; g < node.count; ++g) {
      if (node.free[g] < 300) continue;
      GpuNode taken = node;
      taken.free[g] -= 300;
      ASSERT_EQ(after[g], fragmentation.of_node(free_cpu, taken)) << "to the last bit";
    }
    const GpuNodeView view = {node.free.data(), node.count, static_cast<int32_t>(node.total_free()), static_cast<int32_t>(free_cpu)};
    for (Simd simd : widths()) {
      ASSERT_EQ(fragmentation_of_node(simd, fragmentation.view(node.model), view), fragmentation.of_node(free_cpu, node));
      std::array<double, kGpusMax> out;
      fragmentation_after_share(simd, fragmentation.view(node.model), view, 300, out.data());
      for (uint32_t g = 0; g < node.count; ++g) ASSERT_TRUE(node.free[g] < 300 || out[g] == after[g]);
    }
  }
}

}  // namespace
}  // namespace orrery::sched
