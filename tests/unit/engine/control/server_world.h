#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <utility>
#include <vector>

#include "engine/api/gen/corev1.h"
#include "engine/runtime/api_requests.h"
#include "engine/server/server.h"
#include "sim/kernel/kernel.h"
#include "sim/store/sim_store.h"

namespace orrery::control {

/// A real server in virtual time, controllers beside it, and a client whose calls wait.
class ServerWorld : public LaneHandler {
 protected:
  explicit ServerWorld(server::Server::Options options = {})
      : kernel_(Time::from_unix_seconds(1'700'000'000)),
        store_(&kernel_, &kernel_),
        server_(env(nullptr), &store_, std::move(options)),
        lane_(kernel_.open("client", this)) {}

  Env env(Api* api) { return {&kernel_, &kernel_, api, Rng(1)}; }
  void handle(const Ctx&, const Event& event) override {
    if (event.kind == EventKind::kDone) answer_ = server_.take(event.b);
  }
  void run_for(int64_t seconds) { kernel_.run_until(kernel_.now() + Duration::seconds(seconds)); }
  template <typename T, typename Options>
  T& start(const Options& options) {
    auto controller = std::make_unique<T>(env(&server_), options);
    T& started = *controller;
    if (!options.lazy_watches) kernel_.post(started.lane(), {EventKind::kStart, 0, 0, 0});
    controllers_.push_back(std::move(controller));
    run_for(1);
    return started;
  }

  ApiResponse call(ApiRequest request) {
    answer_ = ApiResponse();
    server_.call({lane_, 1}, std::move(request));
    kernel_.run_until(kernel_.now());
    return answer_;
  }
  template <typename T>
  T create(T object) {
    const ApiResponse made = call(create_request(api::Object::of(std::move(object))));
    CHECK(made.status.is_ok()) << made.status.message();
    return made.object.template get<T>();
  }

  /// A pod of one container that is on the node and uses the claim "data".
  static corev1::Pod pod_with_claim(const char* name, const char* node) {
    corev1::Pod pod;
    pod.metadata.mut().namespace_ = "default";
    pod.metadata.mut().name = name;
    pod.spec.mut().node_name = node;
    corev1::Container container;
    container.name = "c";
    container.image = "app:1";
    pod.spec.mut().containers.push_back(container);
    corev1::Volume mount;
    mount.name = "data";
    mount.persistent_volume_claim.mut().claim_name = "data";
    pod.spec.mut().volumes.push_back(mount);
    return pod;
  }

  sim::Kernel kernel_;
  sim::SimStore store_;
  server::Server server_;
  LaneId lane_;
  std::vector<std::unique_ptr<Component>> controllers_;
  ApiResponse answer_;
};

}  // namespace orrery::control
