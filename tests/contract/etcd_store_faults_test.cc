#include <gtest/gtest.h>
#include <signal.h>

#include <set>

#include "tests/contract/etcd_fixture.h"
#include "tests/contract/etcd_process.h"
#include "tests/contract/tcp_proxy.h"

namespace orrery::contract {
namespace {

class EtcdStoreFaults : public testing::Test, protected StoreDriver {
 protected:
  void SetUp() override {
    if (!EtcdCluster::program()) GTEST_SKIP() << "etcd is not installed";
  }
  void start(EtcdCluster::Options options) {
    cluster_ = std::make_unique<EtcdCluster>(std::move(options));
  }
  void connect(realmode::EtcdOptions options) {
    auto fixture = std::make_unique<EtcdStoreFixture>();
    etcd_ = fixture.get();
    etcd_->connect(std::move(options));
    fixture_ = std::move(fixture);
  }
  void connect_to(std::vector<std::string> endpoints) {
    realmode::EtcdOptions options;
    options.endpoints = std::move(endpoints);
    connect(options);
  }
  /// Puts until it is acknowledged; the revision. What was refused on the way may have happened.
  int64_t put_surely(const std::string& key, const std::string& value) {
    constexpr int kTriesMax = 20;
    for (int i = 0; i < kTriesMax; ++i) {
      const StoreOutcome outcome = put(key, value);
      if (outcome.status.is_ok()) return outcome.revision;
    }
    ADD_FAILURE() << "no put is acknowledged";
    return 0;
  }
  /// Every revision once, in order, and none missing that the store has.
  void expect_all_revisions(StoreWatchId watch, int64_t first, int64_t last) {
    const auto events = drain(watch, static_cast<size_t>(last - first + 1));
    int64_t revision = first;
    for (const StoreWatchEvent& event : events) {
      ASSERT_NE(event.kind, StoreWatchEvent::Kind::kError) << event.error.message();
      ASSERT_EQ(event.revision, revision++);
    }
    EXPECT_EQ(revision, last + 1);
  }
  int64_t revision() { return get(all()).revision; }
  /// Puts before, while and after `fault`; the watch must not notice.
  void survive(const std::function<void()>& fault, const std::function<void()>& repair);

  std::unique_ptr<EtcdCluster> cluster_;
  EtcdStoreFixture* etcd_ = nullptr;
};

void EtcdStoreFaults::survive(const std::function<void()>& fault,
                              const std::function<void()>& repair) {
  put("a", "before");
  const StoreWatchId watch = watch_all(2);
  for (int i = 0; i < 20; ++i) put_surely("b", str_cat(i));
  fault();
  for (int i = 0; i < 20; ++i) put_surely("c", str_cat(i));
  EXPECT_EQ(get(all()).range.kvs.size(), 3u);
  expect_all_revisions(watch, 2, revision());
  const int64_t seen = revision();
  repair();
  for (int i = 0; i < 20; ++i) put_surely("d", str_cat(i));
  expect_all_revisions(watch, seen + 1, revision());
}

TEST_F(EtcdStoreFaults, AKilledMemberIsLeftForTheOthers) {
  start({.members = 3});
  connect_to(cluster_->endpoints());
  survive([&] { cluster_->kill(0); }, [&] { cluster_->restart(0); });
}

TEST_F(EtcdStoreFaults, AKilledLeaderIsSurvived) {
  start({.members = 3});
  connect_to(cluster_->endpoints());
  int leader = -1;
  survive(
      [&] {
        leader = cluster_->leader();
        ASSERT_GE(leader, 0);
        cluster_->kill(leader);
      },
      [&] { cluster_->restart(leader); });
}

TEST_F(EtcdStoreFaults, AMemberThatHangsIsLeftForTheOthers) {
  start({.members = 3});
  connect_to(cluster_->endpoints());
  survive([&] { cluster_->pause(0); }, [&] { cluster_->resume(0); });
}

TEST_F(EtcdStoreFaults, AClusterWithoutQuorumRefusesWritesUntilItHasOneAgain) {
  start({.members = 3});
  connect_to({cluster_->endpoint(0)});
  put("a", "1");
  cluster_->kill(1);
  cluster_->kill(2);
  const StoreOutcome alone = put("a", "2");
  EXPECT_FALSE(alone.status.is_ok());
  EXPECT_TRUE(alone.status.code() == Code::kTimeout ||
              alone.status.code() == Code::kServiceUnavailable)
      << alone.status.message();
  cluster_->restart(1);
  put_surely("a", "3");
}

TEST_F(EtcdStoreFaults, AConnectionCutInMidWatchLosesAndRepeatsNothing) {
  start({});
  TcpProxy network(cluster_->port(0));
  connect_to({network.endpoint()});
  put("a", "0");
  const StoreWatchId watch = watch_all(2);
  for (int round = 0; round < 20; ++round) {
    for (int i = 0; i < 10; ++i) {
      put_surely("b", str_cat(round, ' ', i));
      if (i == round % 10) network.cut();
    }
  }
  expect_all_revisions(watch, 2, revision());
}

TEST_F(EtcdStoreFaults, WritesOfOthersWhileCutOffAreSeenAfterwards) {
  start({});
  TcpProxy network(cluster_->port(0));
  connect_to({network.endpoint()});
  put("a", "0");
  const StoreWatchId watch = watch_all(2);
  EXPECT_EQ(drain(watch, 1).size(), 1u);
  network.shut();
  for (int i = 0; i < 5; ++i) cluster_->control(str_cat("put b ", i));
  EXPECT_EQ(drain(watch, 0).size(), 0u);
  network.open();
  expect_all_revisions(watch, 3, 7);
}

TEST_F(EtcdStoreFaults, AWatchCutOffUntilItsPlaceIsCompactedEndsWithExpired) {
  start({});
  TcpProxy network(cluster_->port(0));
  connect_to({network.endpoint()});
  put("a", "0");
  const StoreWatchId watch = watch_all(2);
  EXPECT_EQ(drain(watch, 1).size(), 1u);
  network.shut();
  for (int i = 0; i < 5; ++i) cluster_->control(str_cat("put b ", i));
  cluster_->control("compaction 6");
  network.open();
  const auto events = drain(watch, 1);
  ASSERT_EQ(events.size(), 1u);
  EXPECT_EQ(events[0].kind, StoreWatchEvent::Kind::kError);
  EXPECT_EQ(events[0].error.code(), Code::kExpired);
}

TEST_F(EtcdStoreFaults, AWatchFromNowThatIsCompactedBeforeItBeginsEndsWithExpired) {
  start({});
  TcpProxy network(cluster_->port(0));
  connect_to({network.endpoint()});
  put("a", "0");
  network.shut();
  const StoreWatchId watch = watch_all();
  for (int i = 0; i < 5; ++i) cluster_->control(str_cat("put b ", i));
  cluster_->control("compaction 6");
  network.open();
  const auto events = drain(watch, 1);
  ASSERT_EQ(events.size(), 1u);
  EXPECT_EQ(events[0].error.code(), Code::kExpired) << "what it has missed is lost";
}

TEST_F(EtcdStoreFaults, ANetworkThatSwallowsEverythingEndsCallsInTime) {
  start({});
  TcpProxy network(cluster_->port(0));
  realmode::EtcdOptions options;
  options.endpoints = {network.endpoint()};
  options.timeout = Duration::seconds(1);
  connect(options);
  put("a", "0");
  network.stall();
  EXPECT_EQ(put("a", "1").status.code(), Code::kTimeout);
  EXPECT_EQ(get(all()).status.code(), Code::kTimeout);
  network.open();
  put_surely("a", "2");
}

TEST_F(EtcdStoreFaults, AClusterThatIsNotThereIsReportedAndFoundWhenItComes) {
  start({});
  realmode::EtcdOptions options;
  options.endpoints = cluster_->endpoints();
  options.timeout = Duration::seconds(1);
  cluster_->kill(0);
  connect(options);
  const StoreOutcome outcome = put("a", "1");
  EXPECT_EQ(outcome.status.code(), Code::kServiceUnavailable) << outcome.status.message();
  const StoreWatchId watch = watch_all();
  cluster_->restart(0);
  put_surely("a", "1");
  EXPECT_EQ(drain(watch, 1).size(), 1u);
}

TEST_F(EtcdStoreFaults, LargeHistoriesComeInFragmentsAndLargeRangesInPages) {
  start({});
  realmode::EtcdOptions options;
  options.endpoints = cluster_->endpoints();
  options.timeout = Duration::seconds(60);
  connect(options);
  const std::string value(300'000, 'v');
  constexpr int kWrites = 10;
  for (int i = 0; i < kWrites; ++i) ASSERT_TRUE(put(str_cat("key-", i), value).status.is_ok());
  expect_all_revisions(watch_all(2), 2, kWrites + 1);
  const StoreOutcome outcome = get(all());
  EXPECT_TRUE(outcome.status.is_ok()) << outcome.status.message();
  EXPECT_EQ(outcome.range.kvs.size(), static_cast<size_t>(kWrites));
  EXPECT_EQ(put("a", std::string(1'700'000, 'v')).status.code(), Code::kRequestTooLarge);
  EXPECT_EQ(put("a", std::string(5'000'000, 'v')).status.code(), Code::kRequestTooLarge);
}

TEST_F(EtcdStoreFaults, TlsAsksForAClientCertificate) {
  start({.tls = true});
  realmode::EtcdOptions options;
  options.endpoints = cluster_->endpoints();
  options.ca_file = cluster_->file("ca.crt");
  options.timeout = Duration::seconds(2);
  connect(options);
  const StoreOutcome refused = put("a", "1");
  EXPECT_FALSE(refused.status.is_ok());
  options.cert_file = cluster_->file("client.crt");
  options.key_file = cluster_->file("client.key");
  connect(options);
  const StoreWatchId watch = watch_all();
  EXPECT_TRUE(put("a", "1").status.is_ok());
  EXPECT_EQ(drain(watch, 1).size(), 1u);
  options.ca_file = cluster_->file("none.crt");
  EXPECT_EQ(realmode::EtcdStore::open(nullptr, nullptr, options).status().code(),
            Code::kBadRequest);
}

TEST_F(EtcdStoreFaults, ATokenIsRenewedWhenItExpiresOrItsMemberForgetsIt) {
  start({.arguments = {"--auth-token-ttl", "1"}});
  cluster_->control("user add root:secret");
  cluster_->control("user grant-role root root");
  cluster_->control("auth enable");
  realmode::EtcdOptions options;
  options.endpoints = cluster_->endpoints();
  options.username = "root";
  options.password = "wrong";
  connect(options);
  EXPECT_EQ(put("a", "1").status.code(), Code::kUnauthorized);
  options.password = "secret";
  connect(options);
  const StoreWatchId watch = watch_all();
  EXPECT_TRUE(put("a", "1").status.is_ok());
  fixture_->pass(Duration::seconds(3));
  EXPECT_TRUE(put("a", "2").status.is_ok()) << "the token has expired";
  cluster_->kill(0);
  cluster_->restart(0);
  const StoreWatchId second = watch_all();
  put_surely("a", "3");
  const auto events = drain(watch, 3);
  EXPECT_EQ(events.size(), 3u);
  EXPECT_EQ(drain(second, 1).size(), 1u);
}

TEST_F(EtcdStoreFaults, AForbiddenWatchEndsAndTheOthersGoOn) {
  start({});
  for (const char* command :
       {"user add root:secret", "user grant-role root root", "user add part:secret", "role add part",
        "role grant-permission part readwrite a b", "user grant-role part part", "auth enable"})
    cluster_->control(command);
  realmode::EtcdOptions options;
  options.endpoints = cluster_->endpoints();
  options.username = "part";
  options.password = "secret";
  connect(options);
  StoreWatchRequest request;
  request.key = "x";
  const StoreWatchId forbidden = store().watch(fixture_->lane(), request);
  request.key = "a";
  const StoreWatchId allowed = store().watch(fixture_->lane(), request);
  EXPECT_TRUE(put("a", "1").status.is_ok());
  const auto end = drain(forbidden, 1);
  ASSERT_EQ(end.size(), 1u);
  EXPECT_EQ(end[0].error.code(), Code::kForbidden);
  EXPECT_EQ(drain(allowed, 1).size(), 1u);
}

TEST(EtcdOptions, EndpointsAreUrls) {
  realmode::EtcdOptions options;
  EXPECT_EQ(realmode::EtcdStore::open(nullptr, nullptr, options).status().code(),
            Code::kBadRequest);
  options.endpoints = {"127.0.0.1:2379"};
  const auto store = realmode::EtcdStore::open(nullptr, nullptr, options);
  ASSERT_FALSE(store.is_ok());
  EXPECT_NE(store.status().message().find("'127.0.0.1:2379'"), std::string::npos)
      << store.status().message();
}

}  // namespace
}  // namespace orrery::contract
