// The attach/detach controller beside a real server; the test says what nodes and the driver's
// external attacher would.
#include <gtest/gtest.h>

#include "engine/control/attach_detach/attach_detach_controller.h"
#include "tests/unit/engine/control/server_world.h"

namespace orrery::control {
namespace {

using storagev1::VolumeAttachment;

class AttachDetachTest : public testing::Test, public ServerWorld {
 protected:
  AttachDetachTest() {
    for (const char* name : {"n1", "n2"}) create(node(name));
    corev1::PersistentVolume volume;
    volume.metadata.mut().name = "disk";
    auto& spec = volume.spec.mut();
    spec.capacity.set("storage", api::Quantity::of("1Gi"));
    spec.access_modes.push_back("ReadWriteOnce");
    spec.csi.mut().driver = "csi.example.com";
    spec.csi.mut().volume_handle = "h";
    corev1::PersistentVolumeClaim claim;
    claim.metadata.mut().namespace_ = "default";
    claim.metadata.mut().name = "data";
    claim.spec.mut().access_modes = spec.access_modes;
    claim.spec.mut().resources.requests = spec.capacity;
    claim.spec.mut().volume_name = "disk";
    claim = create(std::move(claim));
    spec.claim_ref.mut().namespace_ = "default";
    spec.claim_ref.mut().name = "data";
    spec.claim_ref.mut().uid = claim.metadata->uid;
    create(std::move(volume));
    claim.status.mut().phase = "Bound";
    call(update_request(api::Object::of(std::move(claim)), "status"));
  }
  void begin() {
    AttachDetachOptions options;
    options.sha256 = [](std::string_view text) { return std::string(text); };
    start<AttachDetachController>(options);
  }

  static corev1::Node node(const char* name) {
    corev1::Node node;
    node.metadata.mut().name = name;
    node.metadata.mut().annotations.set("volumes.kubernetes.io/controller-managed-attach-detach",
                                        "true");
    corev1::NodeCondition ready;
    ready.type = "Ready";
    ready.status = "True";
    node.status.mut().conditions.push_back(ready);
    return node;
  }
  void run_pod(const char* name, const char* node) {
    create(pod_with_claim(name, node));
    run_for(1);
  }
  void end_pod(const char* name) {
    ApiDeleteOptions now;
    now.grace_seconds = 0;
    call(delete_request(kind_of<corev1::Pod>(), "default", name, now));
    run_for(1);
  }
  /// The names of all attachments, in one text.
  std::string attachments() {
    std::string names;
    for (const api::Object& one : call(list_request(kind_of<VolumeAttachment>(), "")).items)
      names += str_cat(names.empty() ? "" : " ", one.meta().name);
    return names;
  }
  void driver_says(const char* attachment, bool attached, const char* error = "") {
    auto object = call(get_request(kind_of<VolumeAttachment>(), "", attachment)).object;
    auto& status = object.mut<VolumeAttachment>().status.mut();
    status.attached = attached;
    status.attach_error.reset();
    if (*error) status.attach_error.mut().message = error;
    call(update_request(std::move(object), "status"));
    run_for(1);
  }
  template <typename Change>
  void change_node(const char* name, Change change) {
    auto object = call(get_request(kind_of<corev1::Node>(), "", name)).object;
    change(object.mut<corev1::Node>().status.mut());
    call(update_request(std::move(object), "status"));
    run_for(1);
  }
  void node_uses(const char* name, List<Str> volumes) {
    change_node(name, [&](corev1::NodeStatus& status) { status.volumes_in_use = volumes; });
  }
  size_t reported(const char* node) {
    return call(get_request(kind_of<corev1::Node>(), "", node))
        .object.get<corev1::Node>()
        .status->volumes_attached.size();
  }
  /// Reasons and messages of events about a pod.
  std::string events_of(const char* pod) {
    std::string texts;
    for (const api::Object& one : call(list_request(kind_of<corev1::Event>(), "default")).items) {
      const auto& event = one.get<corev1::Event>();
      if (event.involved_object.name == pod)
        texts += str_cat(event.reason, ": ", event.message, "\n");
    }
    return texts;
  }

  static constexpr const char* kOnN1 = "csi-hcsi.example.comn1";
  static constexpr const char* kOnN2 = "csi-hcsi.example.comn2";
  static constexpr const char* kDisk = "kubernetes.io/csi/csi.example.com^h";
};

TEST_F(AttachDetachTest, AVolumeFollowsItsPodOnceTheOldNodeHasLetItGo) {
  begin();
  run_pod("a", "n1");
  EXPECT_EQ(attachments(), kOnN1);
  EXPECT_EQ(reported("n1"), 0u) << "the driver has not said that it is attached";
  driver_says(kOnN1, true);
  EXPECT_EQ(reported("n1"), 1u);
  EXPECT_EQ(events_of("a"),
            "SuccessfulAttachVolume: AttachVolume.Attach succeeded for volume \"disk\" \n");
  node_uses("n1", {kDisk});
  run_pod("b", "n2");
  EXPECT_EQ(events_of("b"),
            "FailedAttachVolume: Multi-Attach error for volume \"disk\" Volume is already used by "
            "pod(s) a\n");
  end_pod("a");
  EXPECT_EQ(attachments(), kOnN1) << "the node uses it still";
  node_uses("n1", {});
  EXPECT_EQ(reported("n1"), 0u);
  EXPECT_EQ(attachments(), kOnN2);
}

TEST_F(AttachDetachTest, ANodeThatIsLostKeepsAVolumeForSixMinutes) {
  begin();
  run_pod("a", "n1");
  driver_says(kOnN1, true);
  node_uses("n1", {kDisk});
  change_node("n1", [](auto& status) { status.conditions.mut(0).status = "Unknown"; });
  end_pod("a");
  run_for(355);
  EXPECT_EQ(attachments(), kOnN1);
  run_for(10);
  EXPECT_EQ(attachments(), "");
}

TEST_F(AttachDetachTest, WhatTheDriverCannotDoIsTriedAgainAndTold) {
  begin();
  run_pod("a", "n1");
  driver_says(kOnN1, false, "no room");
  EXPECT_EQ(events_of("a").substr(0, 80),
            "FailedAttachVolume: AttachVolume.Attach failed for volume \"disk\" : no room\n");
  driver_says(kOnN1, true);
  run_for(5);
  EXPECT_EQ(reported("n1"), 1u);
}

TEST_F(AttachDetachTest, AttachmentsOfAnEarlierLifeAreKnown) {
  begin();
  run_pod("a", "n1");
  driver_says(kOnN1, true);
  kernel_.close(controllers_.back()->lane());
  controllers_.clear();
  call(delete_request(kind_of<corev1::Pod>(), "default", "a"));
  run_for(40);
  EXPECT_EQ(attachments(), kOnN1);
  begin();
  run_for(1);
  EXPECT_EQ(attachments(), "");
  EXPECT_EQ(reported("n1"), 0u);
}

}  // namespace
}  // namespace orrery::control
