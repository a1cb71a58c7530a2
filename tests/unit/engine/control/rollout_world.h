#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "engine/api/gen/appsv1.h"
#include "engine/api/pod_util.h"
#include "engine/control/cronjob/cronjob_controller.h"
#include "engine/control/daemonset/daemonset_controller.h"
#include "engine/control/deployment/deployment_controller.h"
#include "engine/control/replicaset/replicaset_controller.h"
#include "engine/control/statefulset/statefulset_controller.h"
#include "engine/server/server.h"
#include "sim/kernel/kernel.h"
#include "sim/store/sim_store.h"
#include "tests/support/instant_kubelets.h"

namespace orrery::test {

inline constexpr Time kStart = Time::from_unix_seconds(1'700'000'000);

/// Sends requests and keeps the last answer; sees every change of pods.
struct Client final : LaneHandler {
  void handle(const Ctx&, const Event& event) override {
    if (event.kind == EventKind::kDone) answer = api->take(event.b);
    if (event.kind != EventKind::kWatch) return;
    std::vector<WatchEvent> events;
    api->drain(watch, events);
    for (const WatchEvent& e : events) {
      if (e.type == WatchEventType::kSynced) continue;
      const std::string name = e.object.meta().name.str();
      if (e.type == WatchEventType::kDeleted) {
        pods.erase(name);
      } else {
        pods[name] = e.object;
      }
      if (on_pods) on_pods(*this);
    }
  }
  int ready() const {
    int count = 0;
    for (const auto& [name, pod] : pods) count += api::is_pod_ready(pod.get<corev1::Pod>());
    return count;
  }
  Api* api = nullptr;
  WatchId watch;
  ApiResponse answer;
  std::map<std::string, api::Object> pods;
  std::function<void(const Client&)> on_pods;
};

inline server::Server::Options with_latency(Duration latency) {
  server::Server::Options options;
  options.latency = latency;
  return options;
}

/// Pods of one container, app:v1, labelled app=web.
template <typename Workload>
Workload web_workload() {
  Workload out;
  out.metadata.mut().namespace_ = "default";
  out.metadata.mut().name = "web";
  auto& spec = out.spec.mut();
  spec.selector.mut().match_labels.set("app", "web");
  spec.template_.mut().metadata.mut().labels.set("app", "web");
  corev1::Container container;
  container.name = "main";
  container.image = "app:v1";
  spec.template_.mut().spec.mut().containers.push_back(container);
  return out;
}

template <typename Spec>
void set_image(Spec& spec, const char* image) {
  spec.template_.mut().spec.mut().containers.mut(0).image = image;
}

/// A server, the controllers of rollouts and of CronJobs, and nodes that start what is there.
struct World {
  explicit World(Duration latency = Duration::millis(2))
      : kernel(kStart),
        store(std::make_unique<sim::SimStore>(&kernel, &kernel)),
        server(std::make_unique<server::Server>(env(nullptr), store.get(), with_latency(latency))) {
    const Env with_api = env(server.get());
    replicasets =
        std::make_unique<control::ReplicaSetController>(with_api, control::ReplicaSetOptions());
    deployments =
        std::make_unique<control::DeploymentController>(with_api, control::DeploymentOptions());
    statefulsets =
        std::make_unique<control::StatefulSetController>(with_api, control::StatefulSetOptions());
    daemonsets =
        std::make_unique<control::DaemonSetController>(with_api, control::DaemonSetOptions());
    cronjobs = std::make_unique<control::CronJobController>(with_api, control::CronJobOptions());
    kubelets = std::make_unique<InstantKubelets>(kernel, *server, Duration::seconds(2),
                                                 Duration::seconds(3));
    client.api = server.get();
    client_lane = kernel.open("client", &client);
    for (const LaneId lane : {server->lane(), replicasets->lane(), deployments->lane(),
                              statefulsets->lane(), daemonsets->lane(), cronjobs->lane()})
      kernel.post(lane, {EventKind::kStart, 0, 0, 0});
    client.watch = server->watch(client_lane, {&kind_of<corev1::Pod>(), {}, {}, {}});
    run_for(1);
  }
  Env env(Api* api) { return {&kernel, &kernel, api, Rng(1)}; }
  void run_for(int64_t seconds) { kernel.run_until(kernel.now() + Duration::seconds(seconds)); }
  ApiResponse call(ApiRequest request) {
    server->call({client_lane, 1}, std::move(request));
    run_for(1);
    CHECK(client.answer.status.is_ok()) << client.answer.status.message();
    return client.answer;
  }
  /// The Deployment (StatefulSet, ...) default/web, or another name.
  template <typename T>
  T get(const char* name = "web") {
    return call(get_request(kind_of<T>(), "default", name)).object.template get<T>();
  }
  appsv1::Deployment deployment() { return get<appsv1::Deployment>(); }
  template <typename T = appsv1::Deployment, typename Edit>
  void change(Edit edit) {
    T object = get<T>();
    edit(object.spec.mut());
    call(update_request(api::Object::of(std::move(object))));
  }

  sim::Kernel kernel;
  std::unique_ptr<sim::SimStore> store;
  std::unique_ptr<server::Server> server;
  std::unique_ptr<Component> replicasets;
  std::unique_ptr<Component> deployments;
  std::unique_ptr<Component> statefulsets;
  std::unique_ptr<Component> daemonsets;
  std::unique_ptr<Component> cronjobs;
  std::unique_ptr<InstantKubelets> kubelets;
  Client client;
  LaneId client_lane;
};

}  // namespace orrery::test
