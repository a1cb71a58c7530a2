// Volumes and claims: the binder and the controllers of their protection beside a real server.
#include <gtest/gtest.h>

#include <set>

#include "engine/control/ephemeral_volume/ephemeral_volume_controller.h"
#include "engine/control/persistent_volume_binder/persistent_volume_binder.h"
#include "engine/control/pv_protection/pv_protection_controller.h"
#include "engine/control/pvc_protection/pvc_protection_controller.h"
#include "engine/control/volume_expand/volume_expand_controller.h"
#include "tests/unit/engine/control/server_world.h"

namespace orrery::control {
namespace {

using corev1::PersistentVolume;
using corev1::PersistentVolumeClaim;

server::Server::Options slow() {
  server::Server::Options options;
  options.latency = Duration::millis(3);
  return options;
}

class VolumesTest : public testing::Test, public ServerWorld {
 protected:
  VolumesTest() : ServerWorld(slow()) {}

  PersistentVolumeBinder& start_binder(bool idle_resyncs = false) {
    PersistentVolumeBinderOptions options;
    options.idle_resyncs = idle_resyncs;
    return start<PersistentVolumeBinder>(options);
  }
  void put(api::Object object) {
    call(create_request(std::move(object)));
    kernel_.run_until(kernel_.now() + Duration::millis(10));
    ASSERT_TRUE(answer_.status) << answer_.status.message();
  }
  /// Without waiting for the answer.
  void send(api::Object object) { server_.call({lane_, 1}, create_request(std::move(object))); }
  template <typename T>
  T get(const char* name) {
    const Str ns = kind_of<T>().namespaced ? "default" : "";
    call(get_request(kind_of<T>(), ns, name));
    kernel_.run_until(kernel_.now() + Duration::millis(10));
    CHECK(answer_.status.is_ok()) << answer_.status.message();
    return answer_.object.get<T>();
  }
  void remove(const api::KindDesc& kind, const char* name) {
    call(delete_request(kind, kind.namespaced ? "default" : "", name));
    run_for(1);
    ASSERT_TRUE(answer_.status) << answer_.status.message();
  }

  static api::Object volume(const char* name, const char* size, const char* policy = "Retain") {
    PersistentVolume out;
    out.metadata.mut().name = name;
    auto& spec = out.spec.mut();
    spec.capacity.set("storage", api::Quantity::of(size));
    spec.access_modes.push_back("ReadWriteOnce");
    spec.persistent_volume_reclaim_policy = policy;
    spec.host_path.mut().path = "/data";
    return api::Object::of(std::move(out));
  }
  static api::Object claim(const char* name, const char* size) {
    PersistentVolumeClaim out;
    out.metadata.mut().namespace_ = "default";
    out.metadata.mut().name = name;
    auto& spec = out.spec.mut();
    spec.access_modes.push_back("ReadWriteOnce");
    spec.storage_class_name = Opt<Str>(Str());
    spec.resources.requests.set("storage", api::Quantity::of(size));
    return api::Object::of(std::move(out));
  }
};

TEST_F(VolumesTest, AClaimGetsTheSmallestVolumeThatIsLargeEnough) {
  start_binder();
  for (const auto& [name, size] : {std::pair("large", "9Gi"), {"fits", "3Gi"}, {"small", "1Gi"}})
    put(volume(name, size));
  run_for(1);
  put(claim("data", "2Gi"));
  run_for(1);
  const auto bound = get<PersistentVolumeClaim>("data");
  EXPECT_EQ(bound.spec->volume_name, "fits");
  EXPECT_EQ(bound.status->phase, "Bound");
  EXPECT_EQ(bound.status->capacity.get("storage"), api::Quantity::of("3Gi"));
  const auto taken = get<PersistentVolume>("fits");
  EXPECT_EQ(taken.status->phase, "Bound");
  EXPECT_EQ(taken.spec->claim_ref->uid, bound.metadata->uid);
  EXPECT_EQ(get<PersistentVolume>("large").status->phase, "Available");
}

TEST_F(VolumesTest, ClaimsOfOneMomentGetDifferentVolumesWithoutWaiting) {
  start_binder();
  for (const char* name : {"v1", "v2", "v3"}) put(volume(name, "1Gi"));
  run_for(1);
  for (const char* name : {"c1", "c2", "c3"}) send(claim(name, "1Gi"));
  run_for(1);
  for (const char* name : {"c1", "c2", "c3"})
    EXPECT_EQ(get<PersistentVolumeClaim>(name).status->phase, "Bound") << name;
}

TEST_F(VolumesTest, AVolumeThatComesLaterIsFoundInTheNextPeriod) {
  start_binder();
  put(claim("data", "1Gi"));
  run_for(3);
  put(volume("late", "1Gi"));
  run_for(5);
  EXPECT_EQ(get<PersistentVolumeClaim>("data").status->phase, "Pending");
  EXPECT_EQ(get<PersistentVolume>("late").status->phase, "Available");
  run_for(10);
  EXPECT_EQ(get<PersistentVolumeClaim>("data").status->phase, "Bound");
}

TEST_F(VolumesTest, WhatIsLeftOfAClaimIsWhatThePolicySays) {
  start_binder();
  put(volume("kept", "1Gi"));
  put(volume("deleted", "2Gi", "Delete"));
  put(claim("c1", "1Gi"));
  put(claim("c2", "2Gi"));
  run_for(1);
  for (const char* name : {"c1", "c2"}) remove(kind_of<PersistentVolumeClaim>(), name);
  EXPECT_EQ(get<PersistentVolume>("kept").status->phase, "Released");
  const auto failed = get<PersistentVolume>("deleted");
  EXPECT_EQ(failed.status->phase, "Failed") << "no plugin deletes it";
  EXPECT_EQ(failed.status->message,
            "error getting deleter volume plugin for volume \"deleted\": no volume plugin matched");
}

TEST_F(VolumesTest, AnIdleWorldComesToRestUnlessEventsAreToBeRepeated) {
  start_binder();
  put(claim("data", "1Gi"));
  put(volume("small", "1Mi"));
  run_for(40);
  EXPECT_EQ(kernel_.pending(), 0u);
  start_binder(true);
  run_for(40);
  EXPECT_GT(kernel_.pending(), 0u);
}

TEST_F(VolumesTest, BoundVolumesAndClaimsInUseStayUntilTheyAreFree) {
  start_binder();
  start<PvcProtectionController>(PvcProtectionOptions());
  start<PvProtectionController>(PvProtectionOptions());
  put(volume("v", "1Gi"));
  put(claim("data", "1Gi"));
  put(api::Object::of(pod_with_claim("db", "n1")));
  remove(kind_of<PersistentVolume>(), "v");
  remove(kind_of<PersistentVolumeClaim>(), "data");
  EXPECT_TRUE(get<PersistentVolume>("v").metadata->deletion_timestamp);
  EXPECT_TRUE(get<PersistentVolumeClaim>("data").metadata->deletion_timestamp);
  ApiDeleteOptions now;
  now.grace_seconds = 0;
  call(delete_request(kind_of<corev1::Pod>(), "default", "db", now));
  run_for(1);
  for (const auto& [kind, name] : {std::pair(&kind_of<PersistentVolume>(), "v"),
                                   {&kind_of<PersistentVolumeClaim>(), "data"}}) {
    call(get_request(*kind, kind->namespaced ? "default" : "", name));
    run_for(1);
    EXPECT_EQ(answer_.status.code(), Code::kNotFound) << name;
  }
}

TEST_F(VolumesTest, EphemeralVolumesHaveClaimsThatTheirPodsOwn) {
  start<EphemeralVolumeController>(EphemeralVolumeOptions());
  put(claim("other-scratch", "1Gi"));
  for (const char* name : {"db", "other"}) {
    corev1::Pod pod;
    pod.metadata.mut().namespace_ = "default";
    pod.metadata.mut().name = name;
    corev1::Container container;
    container.name = "c";
    container.image = "app:1";
    pod.spec.mut().containers.push_back(container);
    corev1::Volume volume;
    volume.name = "scratch";
    auto& claim_template = volume.ephemeral.mut().volume_claim_template.mut();
    claim_template.metadata.mut().labels.set("app", "db");
    claim_template.spec = claim("", "2Gi").get<PersistentVolumeClaim>().spec;
    pod.spec.mut().volumes.push_back(volume);
    put(api::Object::of(std::move(pod)));
  }
  run_for(1);
  const auto made = get<PersistentVolumeClaim>("db-scratch");
  EXPECT_EQ(made.metadata->labels.get("app"), "db");
  EXPECT_EQ(made.spec->resources.requests.get("storage"), api::Quantity::of("2Gi"));
  ASSERT_EQ(made.metadata->owner_references.size(), 1u);
  EXPECT_EQ(made.metadata->owner_references[0].name, "db");
  remove(kind_of<PersistentVolumeClaim>(), "db-scratch");
  EXPECT_NE(get<PersistentVolumeClaim>("db-scratch").metadata->uid, made.metadata->uid);
  std::string told;
  call(list_request(kind_of<corev1::Event>(), "default"));
  run_for(1);
  for (const api::Object& one : answer_.items) told = one.get<corev1::Event>().message.str();
  EXPECT_EQ(told,
            "ephemeral volume scratch: PVC default/other-scratch was not created for pod "
            "default/other (pod is not owner)");
}

TEST_F(VolumesTest, AClaimThatGrowsIsToldWhoHasToExpandIt) {
  start_binder();
  start<VolumeExpandController>(VolumeExpandOptions());
  api::Object large = volume("large", "2Gi"), disk = volume("disk", "1Gi");
  large.mut<PersistentVolume>().spec.mut().host_path.reset();
  large.mut<PersistentVolume>().spec.mut().csi.mut().driver = "csi.example.com";
  large.mut<PersistentVolume>().spec.mut().csi.mut().volume_handle = "h";
  disk.mut<PersistentVolume>().spec.mut().host_path.reset();
  disk.mut<PersistentVolume>().spec.mut().gce_persistent_disk.mut().pd_name = "d";
  put(large);
  put(disk);
  run_for(1);
  put(claim("two", "2Gi"));
  put(claim("one", "1Gi"));
  run_for(1);
  for (const char* name : {"two", "one"}) {
    auto grown = get<PersistentVolumeClaim>(name);
    grown.spec.mut().resources.requests.set("storage", api::Quantity::of("3Gi"));
    call(update_request(api::Object::of(std::move(grown))));
    run_for(1);
  }
  std::set<std::string> told;
  call(list_request(kind_of<corev1::Event>(), "default"));
  run_for(1);
  for (const api::Object& one : answer_.items) {
    const auto& event = one.get<corev1::Event>();
    told.insert(str_cat(event.involved_object.name, " ", event.type, " ", event.reason, " ",
                        event.message));
  }
  const std::string external =
      "two Normal ExternalExpanding waiting for an external controller to expand this PVC";
  EXPECT_TRUE(told.contains(external));
  EXPECT_TRUE(
      told.contains("one Normal ExternalExpanding CSI migration enabled for kubernetes.io/gce-pd; "
                    "waiting for external resizer to expand the pvc"));
  EXPECT_EQ(get<PersistentVolumeClaim>("one").metadata->annotations.get(
                "volume.kubernetes.io/storage-resizer"),
            "pd.csi.storage.gke.io");
}

}  // namespace
}  // namespace orrery::control
