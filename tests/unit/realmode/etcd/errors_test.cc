#include "realmode/etcd/errors.h"

#include <gtest/gtest.h>

namespace orrery::realmode {
namespace {

TEST(EtcdFailure, OnlyWhatWasSurelyNotAppliedMayBeTriedAgainForAWrite) {
  const auto refused =
      etcd_failure(14, "failed to connect to all addresses; last error: UNKNOWN: refused");
  EXPECT_TRUE(refused.not_applied && refused.transient);
  const auto leaderless = etcd_failure(14, "etcdserver: no leader");
  EXPECT_TRUE(leaderless.not_applied && leaderless.transient);
  for (const char* message :
       {"Socket closed", "etcdserver: leader changed", "etcdserver: request timed out"}) {
    const auto unknown = etcd_failure(14, message);
    EXPECT_TRUE(unknown.transient && !unknown.not_applied) << message;
  }
}

TEST(EtcdFailure, CodesFollowTheMeaning) {
  EXPECT_EQ(
      etcd_failure(11, "etcdserver: mvcc: required revision has been compacted").status.code(),
      Code::kExpired);
  EXPECT_EQ(
      etcd_failure(11, "etcdserver: mvcc: required revision is a future revision").status.code(),
      Code::kBadRequest);
  EXPECT_EQ(etcd_failure(5, "etcdserver: requested lease not found").status.code(),
            Code::kNotFound);
  EXPECT_EQ(etcd_failure(3, "etcdserver: request is too large").status.code(),
            Code::kRequestTooLarge);
  EXPECT_EQ(etcd_failure(8, "grpc: received message larger than max (5 vs. 2)").status.code(),
            Code::kRequestTooLarge);
  EXPECT_EQ(etcd_failure(8, "etcdserver: mvcc: database space exceeded").status.code(),
            Code::kServiceUnavailable);
  EXPECT_EQ(etcd_failure(7, "etcdserver: permission denied").status.code(), Code::kForbidden);
  EXPECT_EQ(etcd_failure(14, "etcdserver: request timed out").status.code(), Code::kTimeout);
  EXPECT_TRUE(etcd_failure(16, "etcdserver: invalid auth token").bad_token);
  EXPECT_TRUE(etcd_failure(0, "").status.is_ok());
}

TEST(EtcdFailure, ProgressIsBelievedFromTheVersionsThatKeepItInOrder) {
  for (const char* version : {"3.4.31", "3.4.40", "3.5.13", "3.6.0", "4.0.0"})
    EXPECT_TRUE(version_keeps_progress_in_order(version)) << version;
  for (const char* version : {"3.4.23", "3.5.12", "3.3.99", "", "new"})
    EXPECT_FALSE(version_keeps_progress_in_order(version)) << version;
}

}  // namespace
}  // namespace orrery::realmode
