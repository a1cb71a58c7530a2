#include "engine/control/resource_quota/resource_quota_controller.h"

#include <gtest/gtest.h>

#include "engine/server/admission/resource_quota.h"
#include "tests/unit/engine/control/server_world.h"

namespace orrery::control {
namespace {

using corev1::ConfigMap;
using corev1::ResourceQuota;

server::Server::Options with_clients() {
  server::Server::Options options;
  options.serves_clients = true;
  return options;
}

class ResourceQuotaTest : public ServerWorld, public testing::Test {
 protected:
  ResourceQuotaTest() : ServerWorld(with_clients()) {
    admission_.add(server::resource_quota());
    server_.set_admission(&admission_, nullptr, nullptr);
    run_for(1);
    corev1::Namespace team;
    team.metadata.mut().name = "team";
    create(team);
    start<ResourceQuotaController>(ResourceQuotaOptions());
  }

  api::Object map(const char* name) {
    ConfigMap out;
    out.metadata.mut().name = name;
    out.metadata.mut().namespace_ = "team";
    return api::Object::of(out);
  }
  static api::Object pod(const char* name, const char* cpu) {
    corev1::Pod out;
    out.metadata.mut().name = name;
    out.metadata.mut().namespace_ = "team";
    corev1::Container container;
    container.name = "c";
    container.image = "image";
    container.resources.requests.set("cpu", *api::Quantity::parse(cpu));
    out.spec.mut().containers.push_back(container);
    return api::Object::of(out);
  }
  void limit(std::initializer_list<std::pair<const char*, const char*>> hard) {
    ResourceQuota quota;
    quota.metadata.mut().name = "q";
    quota.metadata.mut().namespace_ = "team";
    for (const auto& [name, amount] : hard) quota.spec.mut().hard.set(name, *api::Quantity::parse(amount));
    create(quota);
    run_for(1);
  }
  ResourceQuota quota() { return server_.find(kind_of<ResourceQuota>(), "team", "q").get<ResourceQuota>(); }
  std::string used(const char* name) {
    const api::Quantity* amount = quota().status->used.find(name);
    return amount ? amount->to_string() : "unknown";
  }
  bool remove(const api::Object& object) {
    const bool gone = call(delete_request(*object.kind(), "team", object.meta().name)).status.is_ok();
    run_for(1);
    return gone;
  }

  server::AdmissionChain admission_;
};

TEST_F(ResourceQuotaTest, WhatWasThereBeforeTheQuotaCounts) {
  ASSERT_TRUE(call(create_request(map("a"))).status.is_ok());
  ASSERT_TRUE(call(create_request(pod("p", "500m"))).status.is_ok());
  limit({{"configmaps", "5"}, {"requests.cpu", "2"}, {"count/deployments.apps", "3"}, {"example.com/none", "1"}});
  EXPECT_EQ(used("configmaps"), "1");
  EXPECT_EQ(used("requests.cpu"), "500m");
  EXPECT_EQ(used("count/deployments.apps"), "0");
  EXPECT_EQ(used("example.com/none"), "unknown") << "no kind counts for it";
  EXPECT_EQ(quota().status->hard.size(), 4u);
}

TEST_F(ResourceQuotaTest, WhatGoesIsGivenBack) {
  limit({{"configmaps", "1"}});
  ASSERT_TRUE(call(create_request(map("a"))).status.is_ok());
  EXPECT_EQ(used("configmaps"), "1") << "charged by admission";
  EXPECT_EQ(call(create_request(map("b"))).status.code(), Code::kForbidden);
  ASSERT_TRUE(remove(map("a")));
  EXPECT_EQ(used("configmaps"), "0");
  const ApiResponse next = call(create_request(map("b")));
  EXPECT_TRUE(next.status.is_ok()) << next.status.message();
}

TEST_F(ResourceQuotaTest, APodThatHasEndedCountsNoMore) {
  limit({{"pods", "1"}, {"cpu", "1"}});
  const ApiResponse made = call(create_request(pod("p", "1")));
  ASSERT_TRUE(made.status.is_ok()) << made.status.message();
  EXPECT_EQ(used("cpu"), "1");
  api::Object ended = made.object;
  ended.mut<corev1::Pod>().status.mut().phase = "Succeeded";
  ASSERT_TRUE(call(update_request(ended, "status")).status.is_ok());
  run_for(1);
  EXPECT_EQ(used("pods"), "0");
  EXPECT_EQ(used("cpu"), "0");
}

TEST_F(ResourceQuotaTest, AStatusThatSomebodyElseWritesIsMendedWithinFiveMinutes) {
  limit({{"configmaps", "1"}});
  api::Object other = api::Object::of(quota());
  other.mut<ResourceQuota>().status.mut().hard.set("configmaps", *api::Quantity::parse("7"));
  ASSERT_TRUE(call(update_request(other, "status")).status.is_ok());
  run_for(1);
  EXPECT_EQ(quota().status->hard.find("configmaps")->to_string(), "7");
  run_for(300);
  EXPECT_EQ(quota().status->hard.find("configmaps")->to_string(), "1");
}

TEST_F(ResourceQuotaTest, ANewLimitHoldsOnceTheStatusHasIt) {
  limit({{"configmaps", "1"}});
  ASSERT_TRUE(call(create_request(map("a"))).status.is_ok());
  api::Object wider = api::Object::of(quota());
  wider.mut<ResourceQuota>().spec.mut().hard.set("configmaps", *api::Quantity::parse("2"));
  ASSERT_TRUE(call(update_request(wider)).status.is_ok());
  run_for(1);
  EXPECT_EQ(quota().status->hard.find("configmaps")->to_string(), "2");
  EXPECT_TRUE(call(create_request(map("b"))).status.is_ok());
}

}  // namespace
}  // namespace orrery::control
