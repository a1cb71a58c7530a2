#include <gtest/gtest.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <set>

#include "traces/csv.h"
#include "traces/trace.h"

namespace orrery::traces {
namespace {

std::string temporary(const std::string& name, const std::string& text) {
  const std::string path = (std::filesystem::temp_directory_path() / ("orrery-traces-" + name)).string();
  std::ofstream(path, std::ios::binary) << text;
  return path;
}

Status read_openb(const std::string& text) {
  return read_workload(*find_format("alibaba-openb"), temporary("openb.csv", text)).status();
}

TEST(Openb, TheShippedSampleHasThePublishedTotals) {
  const Format& openb = *find_format("alibaba-openb");
  const auto pods = read_workload(openb, "traces/samples/openb/openb_pod_list_default.csv.gz");
  ASSERT_TRUE(pods.is_ok()) << pods.status().message();
  EXPECT_EQ(pods->size(), 8152u);
  int64_t gpu = 0, cpu = 0;
  for (const auto& p : *pods) {
    gpu += int64_t{p.gpu_count} * p.gpu_milli;
    cpu += p.cpu_milli;
  }
  EXPECT_EQ(gpu, 6'086'800);
  EXPECT_EQ(cpu, 85'436'012);
  const auto nodes = openb.nodes("traces/samples/openb/openb_node_list_gpu_node.csv.gz");
  ASSERT_TRUE(nodes.is_ok()) << nodes.status().message();
  int64_t gpus = 0;
  for (const auto& n : *nodes) gpus += n.gpu_count;
  EXPECT_EQ(nodes->size(), 1213u);
  EXPECT_EQ(gpus, 6212);
}

TEST(Openb, BrokenFilesNameLineColumnAndWhatIsAllowed) {
  const std::string head = "name,cpu_milli,memory_mib,num_gpu,gpu_milli\n";
  EXPECT_NE(read_openb(head + "a,1,1,0,0\nb,-5,1,0,0\n").message().find(":3: cpu_milli: found \"-5\", must be a whole number in 0.."), std::string::npos);
  EXPECT_NE(read_openb(head + "a,1,1\n").message().find("found 3 fields, must be 5"), std::string::npos);
  EXPECT_NE(read_openb("name,cpu\na,1\n").message().find("no column \"cpu_milli\""), std::string::npos);
  EXPECT_NE(read_openb(head + "a,1,1,9,0\n").message().find("num_gpu"), std::string::npos);
  EXPECT_NE(read_openb("").message().find("empty"), std::string::npos);
  EXPECT_NE(read_openb(std::string("\x7f""ELF\0\0\0", 7)).message().find("NUL"), std::string::npos);
  EXPECT_EQ(read_workload(*find_format("alibaba-openb"), "/no/such/file").status().code(), Code::kNotFound);
}

TEST(ReadFile, ACutOffGzipFileIsAnError) {
  std::ifstream in("traces/samples/openb/openb_pod_list_default.csv.gz", std::ios::binary);
  std::string bytes((std::istreambuf_iterator<char>(in)), {});
  const auto text = read_file(temporary("cut.csv.gz", bytes.substr(0, bytes.size() / 2)));
  EXPECT_FALSE(text.is_ok());
}

TEST(Csv, QuotesLineEndsAndByteOrderMarks) {
  auto csv = CsvReader::open("\xef\xbb\xbf""a,b\r\n\"x,\"\"y\"\"\",2\r\n", "f", {"a"});
  ASSERT_TRUE(csv.is_ok());
  ASSERT_TRUE(*csv->next());
  EXPECT_EQ(csv->text("a"), "x,\"y\"");
  EXPECT_EQ(*csv->integer("b", 0, 9), 2);
  EXPECT_FALSE(*csv->next());
}

TEST(Transforms, ShuffleIsAPermutationThatDependsOnTheSeedAlone) {
  std::vector<WorkloadEvent> a(100), b(100), c(100);
  for (size_t i = 0; i < 100; ++i) a[i].cpu_milli = b[i].cpu_milli = c[i].cpu_milli = static_cast<int64_t>(i);
  RngStream one(1, "s"), again(1, "s"), two(2, "s");
  shuffle(a, one);
  shuffle(b, again);
  shuffle(c, two);
  const auto values = [](const auto& list) {
    std::vector<int64_t> out;
    for (const auto& e : list) out.push_back(e.cpu_milli);
    return out;
  };
  EXPECT_EQ(values(a), values(b));
  EXPECT_NE(values(a), values(c));
  auto sorted = values(a);
  std::sort(sorted.begin(), sorted.end());
  for (size_t i = 0; i < 100; ++i) EXPECT_EQ(sorted[i], static_cast<int64_t>(i));
}

TEST(Transforms, InflationStopsBeforeTheRatioWouldBePassed) {
  std::vector<WorkloadEvent> pool(10);
  for (auto& e : pool) {
    e.gpu_count = 1;
    e.gpu_milli = 1000;
  }
  auto events = pool;
  RngStream rng(1, "inflate");
  tune_to_gpu_ratio(events, pool, 1.5, 10'000, rng);
  EXPECT_EQ(events.size(), 15u);
  tune_to_gpu_ratio(events, pool, 0.5, 10'000, rng);
  EXPECT_EQ(events.size(), 5u);
}

TEST(Transforms, ResamplingDrawsWithReplacementUnderNewNames) {
  std::vector<WorkloadEvent> pool(3);
  for (size_t i = 0; i < pool.size(); ++i) pool[i].name = "p" + std::to_string(i), pool[i].cpu_milli = static_cast<int64_t>(i);
  RngStream rng = Rng(1).stream("t"), same = Rng(1).stream("t");
  const auto drawn = resample(pool, 100, rng), again = resample(pool, 100, same);
  ASSERT_EQ(drawn.size(), 100u);
  std::set<std::string> names;
  for (size_t i = 0; i < drawn.size(); ++i) {
    names.insert(drawn[i].name);
    EXPECT_EQ(drawn[i].name, again[i].name);
  }
  EXPECT_EQ(names.size(), 100u);
  EXPECT_TRUE(resample({}, 5, rng).empty());
}

TEST(PodFactory, PodsOfOneShapeShareTheirContainersAndNamesAreMadeValid) {
  PodFactory factory("default");
  WorkloadEvent e;
  e.name = "Instance_7";
  e.cpu_milli = 500;
  e.gpu_count = 1;
  e.gpu_milli = 250;
  const auto a = factory.pod(e), b = factory.pod(e);
  EXPECT_EQ(a.metadata->name, "instance-7");
  EXPECT_TRUE(a.spec->containers.same(b.spec->containers));
  EXPECT_EQ(a.metadata->annotations.get("alibabacloud.com/gpu-milli"), "250");
}

}  // namespace
}  // namespace orrery::traces
