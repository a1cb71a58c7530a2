#include "tests/contract/store_contract.h"

#include "engine/api/codec_json.h"
#include "engine/api/storage.h"

namespace orrery::contract {

TEST_P(StoreContract, TheFirstWriteHasRevisionTwoAndEachFurtherOneTheNext) {
  EXPECT_EQ(put("a", "1").revision, 2);
  EXPECT_EQ(put("b", "1").revision, 3);
  EXPECT_EQ(put("a", "2").revision, 4);
  const auto kvs = get(all()).range.kvs;
  ASSERT_EQ(kvs.size(), 2u);
  EXPECT_EQ(kvs[0].key, "a");
  EXPECT_EQ(kvs[0].value.bytes, "2");
  EXPECT_EQ(kvs[0].create_revision, 2);
  EXPECT_EQ(kvs[0].mod_revision, 4);
  EXPECT_EQ(kvs[0].version, 2);
}

TEST_P(StoreContract, ReadsDoNotRaiseTheRevision) {
  put("a", "1");
  get(all());
  EXPECT_EQ(erase("missing").revision, 2);
  EXPECT_EQ(put("b", "1").revision, 3);
}

TEST_P(StoreContract, ATransactionRunsOneBranchByItsCompares) {
  put("a", "1");
  StoreOp write;
  write.range.key = "b";
  write.value.bytes = "yes";
  StoreOp otherwise = write;
  otherwise.value.bytes = "no";
  const StoreCompare absent{"a", StoreCompare::Target::kModRevision, StoreCompare::Op::kEqual, 0};
  EXPECT_FALSE(txn({{absent}, {write}, {otherwise}}).txn.succeeded);
  EXPECT_EQ(get(all()).range.kvs[1].value.bytes, "no");
  const StoreCompare version{"a", StoreCompare::Target::kVersion, StoreCompare::Op::kGreater, 0};
  EXPECT_TRUE(txn({{version}, {write}, {}}).txn.succeeded);
  EXPECT_EQ(get(all()).range.kvs[1].value.bytes, "yes");
}

TEST_P(StoreContract, AllWritesOfATransactionShareOneRevision) {
  StoreOp a, b;
  a.range.key = "a";
  b.range.key = "b";
  EXPECT_EQ(txn({{}, {a, b}, {}}).revision, 2);
  for (const auto& kv : get(all()).range.kvs) EXPECT_EQ(kv.mod_revision, 2);
  EXPECT_EQ(txn({{}, {a, a}, {}}).status.code(), Code::kBadRequest) << "one key written twice";
}

TEST_P(StoreContract, RangesPageCountAndStopAtTheirEnd) {
  for (const char* key : {"a", "b", "c", "d"}) put(key, "v");
  RangeRequest request = all();
  request.range_end = "d";
  request.limit = 2;
  const auto page = get(request).range;
  EXPECT_EQ(page.kvs.size(), 2u);
  EXPECT_TRUE(page.more);
  EXPECT_EQ(page.count, 3);
  request.key = "c";
  EXPECT_FALSE(get(request).range.more);
  request.count_only = true;
  EXPECT_TRUE(get(request).range.kvs.empty());
  RangeRequest open;
  open.key = "b";
  open.range_end = Str(std::string_view("\0", 1));
  EXPECT_EQ(get(open).range.count, 3);
}

TEST_P(StoreContract, RangesReadThePastAndRefuseTheFutureAndTheCompacted) {
  put("a", "1");
  put("a", "2");
  erase("a");
  put("b", "1");
  RangeRequest request = all();
  request.revision = 3;
  EXPECT_EQ(get(request).range.kvs[0].value.bytes, "2");
  request.revision = 4;
  EXPECT_EQ(get(request).range.count, 0);
  request.revision = 6;
  EXPECT_EQ(get(request).status.code(), Code::kBadRequest);
  EXPECT_TRUE(compact(4).status.is_ok());
  request.revision = 3;
  EXPECT_EQ(get(request).status.code(), Code::kExpired);
  request.revision = 4;
  EXPECT_TRUE(get(request).status.is_ok());
  EXPECT_EQ(compact(4).status.code(), Code::kExpired);
}

TEST_P(StoreContract, CompactionKeepsTheNewestOfEachKeyAndDisturbsNoWatch) {
  const StoreWatchId watch = watch_all();
  put("a", "1");
  EXPECT_EQ(drain(watch, 1).size(), 1u);
  put("a", "2");
  put("b", "1");
  erase("b");
  EXPECT_EQ(compact(6).status.code(), Code::kBadRequest) << "of the future";
  EXPECT_TRUE(compact(5).status.is_ok());
  const auto kvs = get(all()).range.kvs;
  ASSERT_EQ(kvs.size(), 1u);
  EXPECT_EQ(kvs[0].value.bytes, "2");
  EXPECT_EQ(kvs[0].version, 2);
  EXPECT_EQ(kvs[0].create_revision, 2);
  EXPECT_EQ(get(all()).revision, 5) << "it is no write";
  EXPECT_EQ(put("b", "2").revision, 6);
  EXPECT_EQ(drain(watch, 4).size(), 4u);
  TxnRequest past;
  StoreOp read;
  read.kind = StoreOp::Kind::kRange;
  read.range = all();
  read.range.revision = 4;
  past.success.push_back(read);
  EXPECT_EQ(txn(past).status.code(), Code::kExpired);
}

TEST_P(StoreContract, AWatchSeesEveryRevisionOnceInOrder) {
  StoreWatchRequest request;
  request.key = "a";
  request.range_end = "c";
  request.prev_kv = true;
  const StoreWatchId watch = store().watch(fixture_->lane(), request);
  put("a", "1");
  put("c", "outside");
  put("a", "2");
  erase("a");
  const auto events = drain(watch, 3);
  ASSERT_EQ(events.size(), 3u);
  EXPECT_EQ(events[0].revision, 2);
  EXPECT_EQ(events[1].revision, 4);
  EXPECT_EQ(events[1].prev->value.bytes, "1");
  EXPECT_EQ(events[2].kind, StoreWatchEvent::Kind::kDelete);
  EXPECT_EQ(events[2].kv.key, "a");
  EXPECT_EQ(events[2].kv.mod_revision, 5);
  EXPECT_EQ(events[2].prev->value.bytes, "2");
  EXPECT_TRUE(drain(watch, 0).empty());
}

TEST_P(StoreContract, AWatchFromARevisionReplaysHistoryThenGoesOn) {
  put("a", "1");
  put("a", "2");
  put("a", "3");
  StoreWatchRequest request;
  request.key = "a";
  request.start_revision = 3;
  const StoreWatchId watch = store().watch(fixture_->lane(), request);
  put("a", "4");
  const auto events = drain(watch, 3);
  ASSERT_EQ(events.size(), 3u);
  for (size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(events[i].revision, static_cast<int64_t>(i) + 3);
    EXPECT_EQ(events[i].kv.value.bytes, Str(str_cat(static_cast<int>(i) + 2)));
  }
}

TEST_P(StoreContract, AWatchFromTheCompactedPastEndsWithExpired) {
  put("a", "1");
  put("a", "2");
  put("a", "3");
  compact(3);
  StoreWatchRequest request;
  request.key = "a";
  request.start_revision = 2;
  const auto events = drain(store().watch(fixture_->lane(), request), 1);
  ASSERT_EQ(events.size(), 1u);
  EXPECT_EQ(events[0].kind, StoreWatchEvent::Kind::kError);
  EXPECT_EQ(events[0].error.code(), Code::kExpired);
}

TEST_P(StoreContract, AnUnwatchedWatchIsSilent) {
  StoreWatchRequest request;
  request.key = "a";
  const StoreWatchId watch = store().watch(fixture_->lane(), request);
  store().unwatch(watch);
  put("a", "1");
  EXPECT_TRUE(drain(watch, 0).empty());
}

TEST_P(StoreContract, ALeaseTakesItsKeysAlongUnlessItIsRenewed) {
  const int64_t lease = grant_lease();
  const Duration step = fixture_->lease_ttl() * 6 / 10;
  put("a", "leased", lease);
  put("b", "free");
  fixture_->pass(step);
  store().lease_keep_alive({fixture_->lane(), 5}, lease);
  EXPECT_TRUE(finish().status.is_ok());
  fixture_->pass(step);
  EXPECT_EQ(get(all()).range.count, 2);
  fixture_->pass(step + fixture_->lease_slack());
  EXPECT_EQ(get(all()).range.count, 1);
  store().lease_keep_alive({fixture_->lane(), 5}, lease);
  EXPECT_EQ(finish().status.code(), Code::kNotFound);
  EXPECT_EQ(put("c", "x", lease).status.code(), Code::kNotFound);
}

TEST_P(StoreContract, ARevokedLeaseDeletesItsKeysAtOnce) {
  const int64_t lease = grant_lease();
  put("a", "leased", lease);
  put("b", "leased once", lease);
  put("b", "now free");
  store().lease_revoke({fixture_->lane(), 6}, lease);
  EXPECT_TRUE(finish().status.is_ok());
  const auto kvs = get(all()).range.kvs;
  ASSERT_EQ(kvs.size(), 1u);
  EXPECT_EQ(kvs[0].key, "b");
}

TEST_P(StoreContract, ALeaseThatEndsTellsItsDeletionsToWatchers) {
  const int64_t lease = grant_lease();
  const StoreWatchId watch = watch_all();
  put("a", "1", lease);
  put("b", "1", lease);
  store().lease_revoke({fixture_->lane(), 6}, lease);
  const int64_t revision = finish().revision;
  const auto events = drain(watch, 4);
  ASSERT_EQ(events.size(), 4u);
  EXPECT_EQ(events[0].kv.lease, lease);
  EXPECT_EQ(events[2].kind, StoreWatchEvent::Kind::kDelete);
  EXPECT_EQ(events[2].kv.key, "a");
  EXPECT_EQ(events[3].kv.key, "b");
  EXPECT_LE(events[3].revision, revision);
}

TEST_P(StoreContract, ARangeIsDeletedInOneRevisionAndAKeyBeginsAnew) {
  for (const char* key : {"a", "b", "c"}) put(key, "v");
  StoreOp op;
  op.kind = StoreOp::Kind::kDelete;
  op.range.key = "a";
  op.range.range_end = "c";
  const StoreOutcome gone = txn({{}, {op}, {}});
  EXPECT_EQ(gone.txn.results.at(0).deleted, 2);
  EXPECT_EQ(gone.revision, 5);
  put("a", "again");
  const auto kvs = get(all()).range.kvs;
  ASSERT_EQ(kvs.size(), 2u);
  EXPECT_EQ(kvs[0].create_revision, 6);
  EXPECT_EQ(kvs[0].version, 1);
}

TEST_P(StoreContract, ATransactionReadsWhatItHasWritten) {
  put("a", "old");
  StoreOp write, read;
  write.range.key = "a";
  write.value.bytes = "new";
  read.kind = StoreOp::Kind::kRange;
  read.range = all();
  const StoreOutcome outcome = txn({{}, {read, write, read}, {}});
  ASSERT_EQ(outcome.txn.results.size(), 3u);
  EXPECT_EQ(outcome.txn.results[0].range.kvs.at(0).value.bytes, "old");
  EXPECT_EQ(outcome.txn.results[2].range.kvs.at(0).value.bytes, "new");
  EXPECT_EQ(outcome.txn.results[2].range.kvs.at(0).mod_revision, outcome.revision);
}

TEST_P(StoreContract, ValuesAreBytesOfAnyKindAndKeysMayBeLeftBare) {
  const std::string bytes("k8s\0\xff\n\0", 7);
  StoreOp op;
  op.range.key = "a";
  op.value.bytes = Str(bytes);
  txn({{}, {op}, {}});
  RangeRequest request = all();
  EXPECT_EQ(get(request).range.kvs.at(0).value.bytes, std::string_view(bytes));
  request.keys_only = true;
  EXPECT_TRUE(get(request).range.kvs.at(0).value.empty());
}

TEST_P(StoreContract, AnObjectComesBackAsItselfOrAsItsBytes) {
  const api::Object config =
      api::decode_json(
          R"({"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"c"},"data":{"k":"v"}})")
          .value();
  const auto same = [&](const StoreValue& value) {
    const auto object = value.object ? value.object : api::decode_storage(value.bytes).value();
    return api::encode_storage(object) == api::encode_storage(config);
  };
  const StoreWatchId watch = watch_all();
  StoreOp op;
  op.range.key = "a";
  op.value.object = config;
  const StoreOutcome outcome = txn({{}, {op}, {}});
  ASSERT_TRUE(outcome.status.is_ok());
  const api::Object& stored = outcome.txn.results.at(0).stored;
  EXPECT_EQ(static_cast<bool>(stored), store().keeps_objects());
  if (stored) {
    EXPECT_EQ(stored.meta().resource_version, "2");
  }
  EXPECT_TRUE(config.meta().resource_version.empty()) << "what the writer keeps stays as it is";
  EXPECT_TRUE(same(get(all()).range.kvs.at(0).value));
  EXPECT_TRUE(same(drain(watch, 1).at(0).kv.value));
}

TEST_P(StoreContract, CallsInFlightTogetherTakeEffectOnceEach) {
  constexpr int kWriters = 50;
  const StoreWatchId watch = watch_all();
  for (int i = 0; i < kWriters; ++i) {
    StoreOp op;
    op.range.key = Str(str_cat("k", i % 5));
    op.value.bytes = Str(str_cat(i));
    store().txn({fixture_->lane(), 1}, {{}, {op}, {}});
  }
  std::vector<int64_t> revisions;
  for (int i = 0; i < kWriters; ++i) revisions.push_back(finish().revision);
  const auto events = drain(watch, kWriters);
  ASSERT_EQ(events.size(), static_cast<size_t>(kWriters));
  for (int i = 0; i < kWriters; ++i) EXPECT_EQ(events[static_cast<size_t>(i)].revision, i + 2);
  EXPECT_EQ(get(all()).revision, kWriters + 1);
}

TEST_P(StoreContract, ProgressComesAfterTheEventsItSpeaksOf) {
  if (!fixture_->answers_progress()) GTEST_SKIP() << "this store cannot promise it";
  StoreWatchRequest request;
  request.key = "a";
  const StoreWatchId watch = store().watch(fixture_->lane(), request);
  put("a", "1");
  put("b", "outside");
  store().request_progress(watch);
  const auto events = drain(watch, 2);
  ASSERT_EQ(events.size(), 2u);
  EXPECT_EQ(events[0].kind, StoreWatchEvent::Kind::kPut);
  EXPECT_EQ(events[1].kind, StoreWatchEvent::Kind::kProgress);
  EXPECT_EQ(events[1].revision, 3);
}

}  // namespace orrery::contract
