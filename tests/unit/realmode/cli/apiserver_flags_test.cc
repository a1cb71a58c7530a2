#include "realmode/cli/apiserver_flags.h"

#include <gtest/gtest.h>

namespace orrery::realmode {
namespace {

void expect_refused(const ApiserverFlags& flags, std::string_view flag) {
  const auto options = server_options(flags);
  ASSERT_FALSE(options) << flag;
  EXPECT_NE(options.status().message().find(flag), std::string::npos) << options.status().message();
}

TEST(ApiserverFlags, DefaultsAreSafe) {
  const auto options = server_options(ApiserverFlags());
  ASSERT_TRUE(options) << options.status().message();
  EXPECT_FALSE(options->anonymous_auth);
  EXPECT_FALSE(options->allow_privileged);
  using Mode = server::AuthorizationMode;
  EXPECT_EQ(options->authorization_modes, (std::vector<Mode>{Mode::kNode, Mode::kRbac}));
}

TEST(ApiserverFlags, WrongValuesAreRefusedByName) {
  ApiserverFlags flags;
  for (const char* range : {"10.0.0.0", "10.0.0.1/24", "10.0.0.0/31", "10.0.0.0/8", "fd00::/64",
                            "x/24", "10.0.0.0/24,fd00::/112"}) {
    flags = ApiserverFlags();
    flags.service_cluster_ip_range = range;
    expect_refused(flags, "--service-cluster-ip-range");
  }
  for (const char* range : {"", "5", "0-10", "10-5", "1-70000", "a-b", "1-2-3"}) {
    flags = ApiserverFlags();
    flags.service_node_port_range = range;
    expect_refused(flags, "--service-node-port-range");
  }
  flags = ApiserverFlags();
  flags.authorization_mode = {"RBAC", "rbac"};
  expect_refused(flags, "--authorization-mode");
  flags.authorization_mode = {"RBAC", "RBAC"};
  expect_refused(flags, "given twice");
  flags = ApiserverFlags();
  flags.secure_port = 70000;
  expect_refused(flags, "--secure-port");
  flags = ApiserverFlags();
  flags.bind_address = "localhost";
  expect_refused(flags, "--bind-address");
  flags = ApiserverFlags();
  flags.tls_cert_file = "x";
  expect_refused(flags, "--tls-private-key-file");
  flags = ApiserverFlags();
  flags.service_account_issuer = {"a:b"};
  expect_refused(flags, "--service-account-issuer");
  flags = ApiserverFlags();
  flags.max_requests_inflight = -1;
  expect_refused(flags, "--max-requests-inflight");
  flags.max_requests_inflight = flags.max_mutating_requests_inflight = 0;
  expect_refused(flags, "something positive");
  flags.enable_priority_and_fairness = false;
  EXPECT_TRUE(server_options(flags)) << "any number at once";
  flags.request_timeout = "0s";
  expect_refused(flags, "--request-timeout");
  flags = ApiserverFlags();
  flags.encryption_provider_config_automatic_reload = true;
  expect_refused(flags, "must be set with --encryption-provider-config");
  flags = ApiserverFlags();
  flags.goaway_chance = 0.03;
  expect_refused(flags, "--goaway-chance");
  flags = ApiserverFlags();
  flags.token_auth_file = "/does/not/exist";
  expect_refused(flags, "/does/not/exist");
}

TEST(ApiserverFlags, TheCompactionIntervalIsUpstreamsUnlessGiven) {
  ApiserverFlags flags;
  ApiDaemon::Options options;
  EXPECT_TRUE(read_compaction(flags, options).is_ok());
  EXPECT_EQ(options.compaction_interval, server::Compactor::kInterval);
  flags.etcd_compaction_interval = "0";
  EXPECT_TRUE(read_compaction(flags, options).is_ok());
  EXPECT_EQ(options.compaction_interval, Duration());
  for (const char* bad : {"-1s", "soon", ""}) {
    flags.etcd_compaction_interval = bad;
    const Status status = read_compaction(flags, options);
    ASSERT_FALSE(status.is_ok()) << bad;
    EXPECT_NE(status.message().find("--etcd-compaction-interval"), std::string::npos) << status.message();
  }
}

TEST(ApiserverFlags, AdmissionPluginsMustExist) {
  ApiserverFlags flags;
  flags.enable_admission_plugins = {"NodeRestriction"};
  flags.disable_admission_plugins = {"PodSecurity"};
  EXPECT_TRUE(server_options(flags)) << "a default plugin may be off before it is there";
  flags.enable_admission_plugins = {"Nonsense"};
  expect_refused(flags, "no such plugin");
  flags.enable_admission_plugins = {"EventRateLimit"};
  expect_refused(flags, "needs limits");
  flags.enable_admission_plugins = {"ImagePolicyWebhook"};
  expect_refused(flags, "does not have this plugin yet");
}

}  // namespace
}  // namespace orrery::realmode
