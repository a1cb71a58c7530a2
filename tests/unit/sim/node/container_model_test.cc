#include "sim/node/container_model.h"

#include <gtest/gtest.h>

#include "engine/api/gen/corev1.h"

namespace orrery::sim {
namespace {

constexpr Time kStart = Time::from_unix_seconds(1'700'000'000);

corev1::ContainerStateTerminated ended(int64_t from, int64_t to, int code) {
  corev1::ContainerStateTerminated out;
  out.started_at = api::Timestamp(kStart + Duration::seconds(from));
  out.finished_at = api::Timestamp(kStart + Duration::seconds(to));
  out.exit_code = code;
  out.reason = code == 0 ? "Completed" : "Error";
  return out;
}

struct Sample {
  corev1::Pod pod;
  corev1::ContainerStatus status;
  Sample() {
    pod.metadata.mut().name = "p";
    corev1::Container container;
    container.name = "c";
    container.resources.requests.set("cpu", api::Quantity::of("1500m"));
    container.resources.requests.set("memory", api::Quantity::of("1Gi"));
    pod.spec.mut().containers.push_back(container);
    status.name = "c";
    status.image = "i:1";
  }
  api::Object object() {
    pod.status.mut().container_statuses = {status};
    return api::Object::of(pod);
  }
};

TEST(ContainerModel, TellsOfARunWhatItsStatusTells) {
  Sample sample;
  sample.status.state.running.mut().started_at = api::Timestamp(kStart);
  sample.status.last_state.terminated = Ref<corev1::ContainerStateTerminated>::make(ended(-20, -10, 3));
  sample.status.restart_count = 1;
  const ContainerModel model;
  const auto now = model.read(sample.object(), "c", false);
  ASSERT_EQ(now->size(), 1u);
  EXPECT_EQ((*now)[0].text, "2023-11-14T22:13:20Z c started: image i:1, restarts 1");
  const auto before = model.read(sample.object(), "c", true);
  ASSERT_EQ(before->size(), 2u);
  EXPECT_EQ((*before)[1].time, kStart - Duration::seconds(10));
  EXPECT_EQ((*before)[1].text, "2023-11-14T22:13:10Z c ended: exit code 3, Error");
}

TEST(ContainerModel, RefusesInAKubeletsWords) {
  Sample sample;
  const ContainerModel model;
  const auto why = [&](bool previous) { return model.read(sample.object(), "c", previous).status().message(); };
  EXPECT_EQ(why(false), "container \"c\" in pod \"p\" is not available");
  EXPECT_EQ(why(true), "previous terminated container \"c\" in pod \"p\" not found");
  sample.status.state.waiting.mut().reason = "ContainerCreating";
  EXPECT_EQ(why(false), "container \"c\" in pod \"p\" is waiting to start: ContainerCreating");
  sample.status.state.waiting.mut().reason = "ImagePullBackOff";
  EXPECT_EQ(why(false), "container \"c\" in pod \"p\" is waiting to start: trying and failing to pull image");
}

TEST(ContainerModel, RunningContainersUseWhatTheyRequest) {
  Sample sample;
  EXPECT_TRUE(ContainerModel().usage(sample.object()).empty());
  sample.status.state.running.mut().started_at = api::Timestamp(kStart);
  const auto used = ContainerModel().usage(sample.object());
  ASSERT_EQ(used.size(), 1u);
  EXPECT_EQ(used[0].cpu_nanos, 1'500'000'000);
  EXPECT_EQ(used[0].memory_bytes, int64_t{1} << 30);
}

}  // namespace
}  // namespace orrery::sim
