#include "engine/server/server.h"

#include <gtest/gtest.h>

#include "engine/api/gen/appsv1.h"
#include "engine/api/gen/batchv1.h"
#include "engine/api/gen/corev1.h"
#include "sim/kernel/kernel.h"
#include "sim/store/sim_store.h"

namespace orrery::server {
namespace {

template <typename T>
const api::KindDesc& kind_of() {
  return *T::descriptor().kind;
}

/// A server on a simulated store, and a client that waits for each answer.
class ServerTest : public testing::Test, public LaneHandler {
 protected:
  ServerTest()
      : kernel_(Time::from_unix_seconds(1'700'000'000)),
        store_(&kernel_, &kernel_),
        env_{&kernel_, &kernel_, nullptr, Rng(1)},
        server_(env_, &store_, {}),
        lane_(kernel_.open("client", this)) {}

  void handle(const Ctx&, const Event& event) override {
    // Direct calls to the store use op 9.
    if (event.kind == EventKind::kDone && event.a != 9) answer_ = asked_->take(event.b);
  }
  ApiResponse call(ApiRequest request) {
    answer_ = ApiResponse();
    answer_.status = internal_error("no answer");
    asked_->call({lane_, 1}, std::move(request));
    kernel_.run_until(kernel_.now());
    return answer_;
  }
  template <typename T>
  ApiResponse create(T object) {
    ApiRequest request;
    request.verb = ApiVerb::kCreate;
    request.kind = &kind_of<T>();
    request.ns = object.metadata->namespace_;
    request.object = api::Object::of(std::move(object));
    return call(std::move(request));
  }
  template <typename T>
  ApiRequest on(ApiVerb verb, const char* name, const char* ns = "default") {
    ApiRequest request;
    request.verb = verb;
    request.kind = &kind_of<T>();
    request.ns = request.kind->namespaced ? ns : "";
    request.name = name;
    return request;
  }
  static corev1::Pod pod(const char* name) {
    corev1::Pod p;
    p.metadata.mut().name = name;
    p.metadata.mut().namespace_ = "default";
    corev1::Container c;
    c.name = "main";
    c.image = "app:v1";
    p.spec.mut().containers.push_back(c);
    return p;
  }
  ApiResponse bind(const char* name, const char* node) {
    ApiRequest request = on<corev1::Pod>(ApiVerb::kCreate, name);
    request.subresource = "binding";
    corev1::Binding binding;
    binding.target.name = node;
    request.object = api::Object::of(binding);
    return call(request);
  }
  std::vector<WatchEvent> drain(WatchId watch) {
    kernel_.run_until(kernel_.now());
    std::vector<WatchEvent> out;
    server_.drain(watch, out);
    return out;
  }

  sim::Kernel kernel_;
  sim::SimStore store_;
  Env env_;
  Server server_;
  Server* asked_ = &server_;
  LaneId lane_;
  ApiResponse answer_;
};

TEST_F(ServerTest, CreateFillsInMetadataStatusAndDefaults) {
  const auto created = create(pod("a"));
  ASSERT_TRUE(created.status.is_ok()) << created.status.message();
  const auto& p = created.object.get<corev1::Pod>();
  EXPECT_EQ(p.metadata->uid.size(), 36u);
  EXPECT_EQ(p.metadata->creation_timestamp.seconds, 1'700'000'000);
  EXPECT_FALSE(p.metadata->resource_version.empty());
  EXPECT_EQ(p.status->phase, "Pending");
  EXPECT_EQ(p.status->qos_class, "BestEffort");
  EXPECT_EQ(p.spec->restart_policy, "Always");
  EXPECT_EQ(p.spec->containers[0].image_pull_policy, "IfNotPresent");
  EXPECT_EQ(p.spec->tolerations.size(), 2u);
  EXPECT_EQ(create(pod("a")).status.message(), "pods \"a\" already exists");
}

TEST_F(ServerTest, AHeadlessServiceIsTakenAsAUserWritesIt) {
  corev1::Service service;
  service.metadata.mut().name = "db";
  service.metadata.mut().namespace_ = "default";
  service.spec.mut().cluster_ip = "None";
  service.spec.mut().selector.set("app", "db");
  corev1::ServicePort port;
  port.port = 80;
  service.spec.mut().ports.push_back(port);
  const auto created = create(service);
  ASSERT_TRUE(created.status.is_ok()) << created.status.message();
  const auto& ips = created.object.get<corev1::Service>().spec->cluster_ips;
  ASSERT_EQ(ips.size(), 1u);
  EXPECT_EQ(ips[0], "None");
}

TEST_F(ServerTest, GeneratedNamesEndInFiveSafeCharacters) {
  auto p = pod("");
  p.metadata.mut().generate_name = "web-";
  const auto created = create(p);
  EXPECT_EQ(created.object.meta().name.size(), 9u);
  EXPECT_TRUE(created.object.meta().name.view().starts_with("web-"));
}

TEST_F(ServerTest, InvalidObjectsNameEveryFieldAndStoreNothing) {
  auto p = pod("Bad_Name");
  p.spec.mut().containers.mut(0).image = "";
  p.spec.mut().containers.mut(0).resources.requests.set("cpu", api::Quantity::of("-1"));
  const auto answer = create(p);
  EXPECT_EQ(answer.status.code(), Code::kInvalid);
  ASSERT_EQ(answer.causes.size(), 3u);
  EXPECT_EQ(answer.causes[0].field, "metadata.name");
  EXPECT_EQ(answer.causes[1].field, "spec.containers[0].image");
  EXPECT_EQ(answer.causes[2].field, "spec.containers[0].resources.requests[cpu]");
  EXPECT_EQ(store_.live_keys(), 0u);
}

TEST_F(ServerTest, UpdatesCheckTheResourceVersionAndNoOpsWriteNothing) {
  const auto created = create(pod("a")).object;
  auto request = on<corev1::Pod>(ApiVerb::kUpdate, "a");
  request.object = created;
  request.object.mut_meta().labels.set("x", "1");
  const auto updated = call(request);
  ASSERT_TRUE(updated.status.is_ok());
  EXPECT_NE(updated.object.meta().resource_version, created.meta().resource_version);
  const auto stale = call(request);
  EXPECT_EQ(stale.status.code(), Code::kConflict);
  EXPECT_NE(stale.status.message().find("the object has been modified"), std::string::npos);
  const int64_t revision = store_.revision();
  request.object = updated.object;
  EXPECT_TRUE(call(request).status.is_ok());
  EXPECT_EQ(store_.revision(), revision);
}

TEST_F(ServerTest, StatusAndSpecAreUpdatedApart) {
  appsv1::ReplicaSet rs;
  rs.metadata.mut().name = "r";
  rs.metadata.mut().namespace_ = "default";
  rs.spec.mut().selector.mut().match_labels.set("app", "x");
  rs.spec.mut().template_.mut().metadata.mut().labels.set("app", "x");
  rs.spec.mut().template_.mut().spec = pod("t").spec;
  rs.status.mut().replicas = 7;
  const auto created = create(rs);
  ASSERT_TRUE(created.status.is_ok()) << created.status.message();
  EXPECT_EQ(created.object.get<appsv1::ReplicaSet>().status->replicas, 0);
  EXPECT_EQ(created.object.meta().generation, 1);

  auto status = on<appsv1::ReplicaSet>(ApiVerb::kUpdate, "r");
  status.subresource = "status";
  status.object = created.object;
  status.object.mut<appsv1::ReplicaSet>().status.mut().replicas = 3;
  status.object.mut<appsv1::ReplicaSet>().spec.mut().replicas = 99;
  const auto after = call(status).object.get<appsv1::ReplicaSet>();
  EXPECT_EQ(after.status->replicas, 3);
  EXPECT_EQ(*after.spec->replicas, 1);
  EXPECT_EQ(after.metadata->generation, 1);

  auto spec = on<appsv1::ReplicaSet>(ApiVerb::kUpdate, "r");
  spec.object = api::Object::of(after);
  spec.object.mut<appsv1::ReplicaSet>().spec.mut().replicas = 5;
  spec.object.mut<appsv1::ReplicaSet>().status.mut().replicas = 0;
  const auto scaled = call(spec).object.get<appsv1::ReplicaSet>();
  EXPECT_EQ(scaled.status->replicas, 3);
  EXPECT_EQ(scaled.metadata->generation, 2);
}

TEST_F(ServerTest, ABoundPodIsDeletedGracefullyAnUnboundOneAtOnce) {
  create(pod("a"));
  create(pod("b"));
  EXPECT_TRUE(bind("a", "n1").status.is_ok());
  EXPECT_EQ(bind("a", "n2").status.code(), Code::kConflict);
  EXPECT_TRUE(call(on<corev1::Pod>(ApiVerb::kDelete, "b")).status.is_ok());
  EXPECT_EQ(call(on<corev1::Pod>(ApiVerb::kGet, "b")).status.code(), Code::kNotFound);
  const auto deleting = call(on<corev1::Pod>(ApiVerb::kDelete, "a")).object.meta();
  EXPECT_EQ(deleting.deletion_timestamp->seconds, 1'700'000'030);
  EXPECT_EQ(*deleting.deletion_grace_period_seconds, 30);
  auto now = on<corev1::Pod>(ApiVerb::kDelete, "a");
  now.delete_options.grace_seconds = int64_t{0};
  call(now);
  EXPECT_EQ(call(on<corev1::Pod>(ApiVerb::kGet, "a")).status.code(), Code::kNotFound);
}

TEST_F(ServerTest, FinalizersHoldADeletedObjectUntilTheLastIsGone) {
  auto p = pod("a");
  p.metadata.mut().finalizers.push_back("example.com/wait");
  create(p);
  const auto held = call(on<corev1::Pod>(ApiVerb::kDelete, "a"));
  EXPECT_TRUE(held.object.meta().deletion_timestamp);
  auto release = on<corev1::Pod>(ApiVerb::kUpdate, "a");
  release.object = call(on<corev1::Pod>(ApiVerb::kGet, "a")).object;
  release.object.mut_meta().finalizers.clear();
  EXPECT_TRUE(call(release).status.is_ok());
  EXPECT_EQ(call(on<corev1::Pod>(ApiVerb::kGet, "a")).status.code(), Code::kNotFound);
}

TEST_F(ServerTest, PatchesChangeWhatTheyNameAndStatusPatchesOnlyTheStatus) {
  create(pod("a"));
  auto patch = on<corev1::Pod>(ApiVerb::kPatch, "a");
  patch.patch = R"({"metadata":{"labels":{"x":"1"}}})";
  EXPECT_EQ(call(patch).object.meta().labels.get("x"), "1");
  patch.subresource = "status";
  patch.patch = R"({"status":{"conditions":[{"type":"PodScheduled","status":"False"}]}})";
  const auto after = call(patch).object.get<corev1::Pod>();
  ASSERT_EQ(after.status->conditions.size(), 1u);
  EXPECT_EQ(after.status->phase, "Pending");
}

TEST_F(ServerTest, AJobGetsASelectorOfItsOwn) {
  batchv1::Job job;
  job.metadata.mut().name = "j";
  job.metadata.mut().namespace_ = "default";
  job.spec.mut().template_.mut().spec = pod("t").spec;
  job.spec.mut().template_.mut().spec.mut().restart_policy = "Never";
  const auto created = create(job);
  ASSERT_TRUE(created.status.is_ok()) << created.status.message();
  const auto& made = created.object.get<batchv1::Job>();
  EXPECT_EQ(made.spec->selector->match_labels.get("batch.kubernetes.io/controller-uid"), made.metadata->uid);
  EXPECT_EQ(made.spec->template_->metadata->labels.get("job-name"), "j");
  EXPECT_EQ(*made.spec->backoff_limit, 6);
}

TEST_F(ServerTest, AWatchBeginsWithWhatIsThereAndFollowsEveryChange) {
  create(pod("a"));
  const WatchId watch = server_.watch(lane_, {&kind_of<corev1::Pod>(), "", "", ""});
  create(pod("b"));
  bind("a", "n1");
  auto gone = on<corev1::Pod>(ApiVerb::kDelete, "b");
  call(gone);
  const auto events = drain(watch);
  ASSERT_EQ(events.size(), 5u);
  EXPECT_EQ(events[0].type, WatchEventType::kAdded);
  EXPECT_EQ(events[1].type, WatchEventType::kSynced);
  EXPECT_EQ(events[2].object.meta().name, "b");
  EXPECT_EQ(events[3].type, WatchEventType::kModified);
  EXPECT_EQ(events[4].type, WatchEventType::kDeleted);
}

TEST_F(ServerTest, AWatchByNodeSeesOnlyPodsOfThatNode) {
  const WatchId watch = server_.watch(lane_, {&kind_of<corev1::Pod>(), "", "", "spec.nodeName=n1"});
  create(pod("a"));
  create(pod("b"));
  bind("a", "n1");
  bind("b", "n2");
  const auto events = drain(watch);
  ASSERT_EQ(events.size(), 2u);
  EXPECT_EQ(events[0].type, WatchEventType::kSynced);
  EXPECT_EQ(events[1].type, WatchEventType::kAdded) << "binding brings the pod into the selection";
  EXPECT_EQ(events[1].object.meta().name, "a");
  const WatchId wrong = server_.watch(lane_, {&kind_of<corev1::Pod>(), "", "", "spec.nope=1"});
  ASSERT_EQ(drain(wrong).size(), 1u);
}

TEST_F(ServerTest, AServerStartedOnAFullStoreServesWhatIsThere) {
  create(pod("a"));
  Server second(env_, &store_, {});
  kernel_.run_until(kernel_.now());
  EXPECT_EQ(second.cache(kind_of<corev1::Pod>()).size(), 1u);
}

TEST_F(ServerTest, ADroppedStoreWatchLosesNothing) {
  const WatchId watch = server_.watch(lane_, {&kind_of<corev1::Pod>(), "", "", ""});
  create(pod("a"));
  create(pod("gone"));
  drain(watch);
  store_.drop_watches();
  StoreOp erase;
  erase.kind = StoreOp::Kind::kDelete;
  erase.range.key = "/registry/pods/default/gone";
  store_.txn({lane_, 9}, {{}, {erase}, {}});
  EXPECT_TRUE(create(pod("b")).status.is_ok());
  const auto events = drain(watch);
  ASSERT_EQ(events.size(), 2u);
  EXPECT_EQ(events[0].type, WatchEventType::kDeleted);
  EXPECT_EQ(events[0].object.meta().name, "gone");
  EXPECT_EQ(events[1].object.meta().name, "b");
}

TEST_F(ServerTest, ADroppedStoreWatchEndsTheWatchesOfClientsAndNotThoseOfOwnership) {
  Server::Options options;
  options.serves_clients = true;
  Server serving(env_, &store_, options);
  const WatchId pods = serving.watch(lane_, {&kind_of<corev1::Pod>(), "", "", ""});
  const WatchId ownership = serving.watch(lane_, WatchSpec());
  create(pod("gone"));
  kernel_.run_until(kernel_.now());
  std::vector<WatchEvent> seen, owned;
  serving.drain(pods, seen);
  serving.drain(ownership, owned);
  seen.clear();
  owned.clear();
  store_.drop_watches();
  StoreOp erase;
  erase.kind = StoreOp::Kind::kDelete;
  erase.range.key = "/registry/pods/default/gone";
  store_.txn({lane_, 9}, {{}, {erase}, {}});
  kernel_.run_until(kernel_.now());
  serving.drain(pods, seen);
  serving.drain(ownership, owned);
  ASSERT_EQ(seen.size(), 1u);
  EXPECT_EQ(seen[0].type, WatchEventType::kError);
  ASSERT_EQ(owned.size(), 1u);
  EXPECT_EQ(owned[0].type, WatchEventType::kDeleted);
}

TEST_F(ServerTest, AListOfThePastIsOfThePastForAServerThatBeganLater) {
  create(pod("kept"));
  const Str then = create(pod("gone")).object.meta().resource_version;
  auto remove = on<corev1::Pod>(ApiVerb::kDelete, "gone");
  remove.delete_options.grace_seconds = int64_t{0};
  ASSERT_TRUE(call(remove).status.is_ok());
  Server later(env_, &store_, {});
  kernel_.run_until(kernel_.now());
  asked_ = &later;
  auto list = on<corev1::Pod>(ApiVerb::kList, "");
  list.resource_version = then;
  list.resource_version_match = "Exact";
  EXPECT_EQ(call(list).items.size(), 2u);
}

// A request that lost waits for the revision of the store, whoever made it.
TEST_F(ServerTest, WritesBesideTheRegistryAreFollowedWhereClientsAreServed) {
  Server::Options options;
  options.serves_clients = true;
  Server serving(env_, &store_, options);
  kernel_.run_until(kernel_.now());
  StoreOp put;
  put.range.key = "compact_rev_key";
  put.value.bytes = "1";
  store_.txn({lane_, 9}, {{}, {put}, {}});
  kernel_.run_until(kernel_.now());
  EXPECT_EQ(serving.revision(), store_.revision());
}

}  // namespace
}  // namespace orrery::server
