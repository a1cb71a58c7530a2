#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <fstream>
#include <random>

#include "tests/contract/sqlite_fixture.h"
#include "tests/contract/temporary_folder.h"

namespace orrery::contract {
namespace {

class SqliteStoreFaults : public testing::Test, protected StoreDriver {
 protected:
  SqliteStoreFaults() {
    auto fixture = std::make_unique<SqliteStoreFixture>();
    sqlite_ = fixture.get();
    fixture_ = std::move(fixture);
  }
  void TearDown() override { sqlite_->close(); }
  std::string path() const { return folder_.file("state.db"); }
  void reopen() {
    sqlite_->close();
    sqlite_->open(path());
  }
  void fill_until_refused();

  TemporaryFolder folder_;
  SqliteStoreFixture* sqlite_;
};

TEST_F(SqliteStoreFaults, AStoreOpenedAgainIsAsItWas) {
  sqlite_->open(path());
  const int64_t lease = grant_lease();
  put("a", "1");
  put("a", "2", lease);
  put("b", "1");
  erase("b");
  compact(3);
  put("c", "1");
  erase("c");
  reopen();
  EXPECT_EQ(get(all()).revision, 7);
  const auto kvs = get(all()).range.kvs;
  ASSERT_EQ(kvs.size(), 1u);
  EXPECT_EQ(kvs[0].value.bytes, "2");
  EXPECT_EQ(kvs[0].create_revision, 2);
  EXPECT_EQ(kvs[0].version, 2);
  EXPECT_EQ(kvs[0].lease, lease);
  RangeRequest past = all();
  past.revision = 2;
  EXPECT_EQ(get(past).status.code(), Code::kExpired);
  EXPECT_EQ(drain(watch_all(4), 4).size(), 4u);
  store().lease_revoke({fixture_->lane(), 6}, lease);
  EXPECT_EQ(finish().revision, 8);
  EXPECT_EQ(get(all()).range.count, 0);
}

TEST_F(SqliteStoreFaults, TheRevisionDoesNotGoBackWhenAllThatItNamedIsForgotten) {
  sqlite_->open(path());
  put("a", "1");
  erase("a");
  compact(3);
  fixture_->settle();
  reopen();
  EXPECT_EQ(get(all()).revision, 3);
  EXPECT_EQ(put("a", "2").revision, 4);
}

TEST_F(SqliteStoreFaults, ASecondStoreOnTheSameFileIsRefused) {
  sqlite_->open(path());
  put("a", "1");
  const auto second = realmode::SqliteStore::open(sqlite_->lanes(), {path(), {}});
  ASSERT_FALSE(second.is_ok());
  EXPECT_EQ(second.status().code(), Code::kServiceUnavailable);
  EXPECT_NE(second.status().message().find(path()), std::string::npos) << second.status().message();
}

TEST_F(SqliteStoreFaults, TheFilesAreTheOwnersAlone) {
  sqlite_->open(path());
  put("a", "1");
  for (const auto& entry : std::filesystem::directory_iterator(folder_.path())) {
    const auto others = std::filesystem::perms::group_all | std::filesystem::perms::others_all;
    EXPECT_EQ(entry.status().permissions() & others, std::filesystem::perms::none) << entry.path();
  }
}

TEST_F(SqliteStoreFaults, AFileThatIsNoStoreIsRefused) {
  std::ofstream(path()) << std::string(8192, 'x');
  const auto store = realmode::SqliteStore::open(sqlite_->lanes(), {path(), {}});
  ASSERT_FALSE(store.is_ok());
  EXPECT_NE(store.status().message().find(path()), std::string::npos) << store.status().message();
  EXPECT_FALSE(
      realmode::SqliteStore::open(sqlite_->lanes(), {folder_.file("none/state.db"), {}}).is_ok());
}

TEST_F(SqliteStoreFaults, AValueLargerThanEtcdTakesIsRefused) {
  sqlite_->open(path());
  EXPECT_EQ(put("a", std::string(2 << 20, 'v')).status.code(), Code::kRequestTooLarge);
  EXPECT_TRUE(put("a", std::string(1 << 20, 'v')).status.is_ok());
}

// Writes until the file cannot grow; checks that what was refused had no effect.
void SqliteStoreFaults::fill_until_refused() {
  const StoreWatchId watch = watch_all();
  const std::string value(50'000, 'v');
  StoreOutcome last;
  size_t acknowledged = 0;
  while (acknowledged < 1000) {
    last = put(str_cat("key-", acknowledged), value);
    if (!last.status.is_ok()) break;
    ++acknowledged;
  }
  ASSERT_FALSE(last.status.is_ok());
  EXPECT_NE(last.status.message().find("file"), std::string::npos) << last.status.message();
  const StoreOutcome now = get(all());
  EXPECT_TRUE(now.status.is_ok()) << now.status.message();
  EXPECT_EQ(now.range.kvs.size(), acknowledged);
  EXPECT_EQ(now.revision, static_cast<int64_t>(acknowledged) + 1);
  EXPECT_EQ(drain(watch, acknowledged).size(), acknowledged);
}

TEST_F(SqliteStoreFaults, AFullDiskRefusesWritesAndLosesNone) {
  const std::string disk = folder_.file("disk");
  std::filesystem::create_directory(disk);
  if (mount("tmpfs", disk.c_str(), "tmpfs", 0, "size=4m") != 0)
    GTEST_SKIP() << "may not mount a small file system";
  std::ofstream(disk + "/filler") << std::string(2 << 20, 'f');
  sqlite_->open(disk + "/state.db");
  fill_until_refused();
  std::filesystem::remove(disk + "/filler");
  EXPECT_TRUE(put("z-after", std::string(50'000, 'w')).status.is_ok());
  const int64_t count = get(all()).range.count;
  sqlite_->close();
  sqlite_->open(disk + "/state.db");
  EXPECT_EQ(get(all()).range.count, count);
  sqlite_->close();
  EXPECT_EQ(umount(disk.c_str()), 0);
}

TEST_F(SqliteStoreFaults, AFileAtItsSizeLimitRefusesWritesAndLosesNone) {
  sqlite_->open(path());
  signal(SIGXFSZ, SIG_IGN);
  rlimit before{};
  getrlimit(RLIMIT_FSIZE, &before);
  const rlimit small{2 << 20, before.rlim_max};
  setrlimit(RLIMIT_FSIZE, &small);
  fill_until_refused();
  setrlimit(RLIMIT_FSIZE, &before);
  const int64_t count = get(all()).range.count;
  EXPECT_TRUE(put("y-after", "w").status.is_ok());
  reopen();
  EXPECT_EQ(get(all()).range.count, count + 1);
}

/// A child that writes to the store at `path`, killed after `life`; the writes it acknowledged.
std::vector<uint64_t> write_and_kill(const std::string& path, uint64_t first, Duration life) {
  int ends[2];
  CHECK(pipe2(ends, O_CLOEXEC) == 0) << "pipe";
  const std::string number = str_cat(first);
  const pid_t child = fork();
  if (child == 0) {
    dup2(ends[1], STDOUT_FILENO);
    execl(STORE_WRITER, STORE_WRITER, path.c_str(), number.c_str(), nullptr);
    _exit(127);
  }
  ::close(ends[1]);
  FILE* lines = fdopen(ends[0], "r");
  std::vector<uint64_t> acknowledged;
  unsigned long long i = 0;
  // Its life begins with its first write, so that it is killed at work however slow the machine.
  bool begun = std::fscanf(lines, "%llu", &i) == 1;
  usleep(static_cast<useconds_t>(life.ns / 1000));
  kill(child, SIGKILL);
  for (; begun; begun = std::fscanf(lines, "%llu", &i) == 1) acknowledged.push_back(i);
  std::fclose(lines);
  waitpid(child, nullptr, 0);
  return acknowledged;
}

TEST_F(SqliteStoreFaults, AWriterKilledAtAnyMomentLosesNoAcknowledgedWrite) {
  constexpr int kRounds = 40;
  std::mt19937 random(7);
  uint64_t next = 1;
  std::vector<uint64_t> acknowledged;
  for (int round = 0; round < kRounds; ++round) {
    const Duration life = Duration::micros(static_cast<int64_t>(random() % 30'000));
    const auto more = write_and_kill(path(), next, life);
    ASSERT_FALSE(more.empty()) << "the writer did not begin";
    acknowledged.insert(acknowledged.end(), more.begin(), more.end());
    sqlite_->open(path());
    std::map<std::string, uint64_t> found;
    for (const KeyValue& kv : get(all()).range.kvs) {
      const uint64_t value = std::strtoull(kv.value.bytes.c_str(), nullptr, 10);
      found[kv.key.str()] = value;
      next = std::max(next, value + 1);
    }
    sqlite_->close();
    for (const uint64_t i : acknowledged) {
      ASSERT_EQ(found.count(str_cat("log-", i)), 1u) << "round " << round;
      EXPECT_GE(found[str_cat("key-", i % 16)], i);
    }
    for (const auto& [key, value] : found) {
      EXPECT_EQ(found.count(str_cat("log-", value)), 1u) << key << ": half a transaction";
    }
  }
  RecordProperty("acknowledged", std::to_string(acknowledged.size()));
  std::printf("%d kills, %zu acknowledged writes, none lost\n", kRounds, acknowledged.size());
}

}  // namespace
}  // namespace orrery::contract
