#include <gtest/gtest.h>

#include "engine/api/base64.h"
#include "engine/api/gen/corev1.h"
#include "engine/server/admission/certificates.h"
#include "engine/server/admission/csr_subject.h"
#include "engine/server/admission/node_restriction.h"
#include "engine/server/admission/plugins.h"
#include "engine/server/admission/service_account.h"
#include "tests/support/object_table.h"

namespace orrery::server {
namespace {

using Operation = AdmissionRequest::Operation;
using test::object_of;

// openssl req -new -subj "/O=dev/O=system:masters/CN=eve"
constexpr std::string_view kMastersRequest = R"(-----BEGIN CERTIFICATE REQUEST-----
MIIBdDCB3gIBADA1MQwwCgYDVQQKDANkZXYxFzAVBgNVBAoMDnN5c3RlbTptYXN0
ZXJzMQwwCgYDVQQDDANldmUwgZ8wDQYJKoZIhvcNAQEBBQADgY0AMIGJAoGBANja
4hArSw2KTgD/5Ah5LziIbjPN4DoU/QtJJwXB+GoR0D9EGWMEnkpj+sTQwweRiQ55
kfFoxnr9HBirU3TsGX+MOXLsk6W+dL5SzTN2xrDbr0TOzurLQ0Fyln9gV+mPGyuR
at/vwaJwUvBpqJ3zldMgDtEdvZm92+CHZKP2UvnnAgMBAAGgADANBgkqhkiG9w0B
AQsFAAOBgQAh+wPjY7OKNkXLjrUuT4B0IjIZfLMGO6dPeKYWsHzXp3I0IWI7uHD+
7ql3o87WOtyy9uoc54orl6bBCklHhoRJ1lmmQQVLW4uVQl/GQr4tlrUZUEDHm+la
lJal6ICqGlGLFFNYSRtxUfBd0Zc6Ww+ngNgKg56XZKwxvv1zwfRjAA==
-----END CERTIFICATE REQUEST-----
)";

api::Object pod(std::string_view spec, std::string_view metadata = "") {
  return object_of(
      str_cat(R"({"apiVersion":"v1","kind":"Pod","metadata":{"name":"p","namespace":"ns")",
              metadata, R"(},"spec":{"containers":[{"name":"c","resources":{}}])", spec, "}}"));
}

/// Admits one write after the other.
class AdmissionTest : public testing::Test {
 protected:
  AdmissionTest() : authorizer_({AuthorizationMode::kRbac}), names_(1, "names") {
    objects_.put(
        R"({"apiVersion":"v1","kind":"ServiceAccount","metadata":{"name":"default","namespace":"ns"}})");
    objects_.put(R"({"apiVersion":"v1","kind":"Node","metadata":{"name":"n1","uid":"u-n1"}})");
  }

  std::string admit(const AdmissionPlugin& plugin, AdmissionRequest& request) {
    std::vector<Str> warnings;
    std::vector<StoreOp> writes;
    std::vector<StoreCompare> compares;
    std::vector<HttpCallOutcome> answers;
    std::vector<Str> call_uids;
    const ApiRequest source;
    AdmissionContext context{objects_, &authorizer_, {},      names_,    source, false, warnings,
                             writes,   compares,     answers, call_uids, 0,      {},    nullptr};
    Refusal refusal = plugin.mutate(request, context);
    if (refusal.is_ok()) refusal = plugin.validate(request, context);
    return refusal.is_ok() ? "" : refusal.status.message();
  }
  static AdmissionRequest write(Operation operation, const api::Object& object,
                                const api::Object& old = {}) {
    AdmissionRequest request;
    request.operation = operation;
    request.user = {"alice", "", {}, {}};
    const api::Object& any = object ? object : old;
    request.kind = any.kind();
    request.ns = any.meta().namespace_;
    if (operation != Operation::kCreate) request.name = any.meta().name;
    request.object = object;
    request.old = old;
    return request;
  }
  std::string create_pod(const api::Object& object, api::Object* admitted = nullptr) {
    AdmissionRequest request = write(Operation::kCreate, object);
    std::string why = admit(*service_account(), request);
    if (admitted) *admitted = request.object;
    return why;
  }
  std::string by_node(AdmissionRequest request, std::string_view subresource = "") {
    request.user = {"system:node:n1", "", {"system:nodes"}, {}};
    request.subresource = subresource;
    return admit(*node_restriction(), request);
  }

  test::ObjectTable objects_;
  Authorizer authorizer_;
  RngStream names_;
};

TEST_F(AdmissionTest, NewPodsGetTheDefaultAccountAndItsToken) {
  api::Object admitted;
  ASSERT_EQ(create_pod(pod(""), &admitted), "");
  const corev1::PodSpec& spec = *admitted.get<corev1::Pod>().spec;
  EXPECT_EQ(spec.service_account_name, "default");
  ASSERT_EQ(spec.volumes.size(), 1u);
  EXPECT_EQ(spec.volumes[0].name.size(), std::string_view("kube-api-access-xxxxx").size());
  ASSERT_EQ(spec.containers[0].volume_mounts.size(), 1u);
  EXPECT_EQ(spec.containers[0].volume_mounts[0].name, spec.volumes[0].name);
  EXPECT_EQ(
      api::encode_json_struct(*spec.volumes[0].projected),
      R"({"sources":[{"serviceAccountToken":{"expirationSeconds":3607,"path":"token"}},)"
      R"({"configMap":{"name":"kube-root-ca.crt","items":[{"key":"ca.crt","path":"ca.crt"}]}},)"
      R"({"downwardAPI":{"items":[{"path":"namespace","fieldRef":{"apiVersion":"v1",)"
      R"("fieldPath":"metadata.namespace"}}]}}],"defaultMode":420})");
}

TEST_F(AdmissionTest, TokensAreNotMountedTwiceNorWhereNotWanted) {
  api::Object once, twice, without;
  ASSERT_EQ(create_pod(pod(""), &once), "");
  ASSERT_EQ(create_pod(once, &twice), "");
  EXPECT_EQ(api::encode_json(once), api::encode_json(twice));
  ASSERT_EQ(create_pod(pod(R"(,"automountServiceAccountToken":false)"), &without), "");
  EXPECT_TRUE(without.get<corev1::Pod>().spec->volumes.empty());
}

TEST_F(AdmissionTest, AccountsMustExist) {
  EXPECT_EQ(create_pod(pod(R"(,"serviceAccountName":"ghost")")),
            "pods \"p\" is forbidden: error looking up service account ns/ghost: serviceaccount "
            "\"ghost\" not found");
}

TEST_F(AdmissionTest, AccountsGivePullSecretsToPodsWithoutTheirOwn) {
  objects_.put(
      R"({"apiVersion":"v1","kind":"ServiceAccount","metadata":{"name":"default","namespace":"ns"},
                   "imagePullSecrets":[{"name":"reg"}]})");
  api::Object given, own;
  ASSERT_EQ(create_pod(pod(""), &given), "");
  EXPECT_EQ(given.get<corev1::Pod>().spec->image_pull_secrets[0].name, "reg");
  ASSERT_EQ(create_pod(pod(R"(,"imagePullSecrets":[{"name":"own"}])"), &own), "");
  EXPECT_EQ(own.get<corev1::Pod>().spec->image_pull_secrets[0].name, "own");
}

TEST_F(AdmissionTest, StrictAccountsLetPodsReferToTheirSecretsOnly) {
  objects_.put(
      R"({"apiVersion":"v1","kind":"ServiceAccount","metadata":{"name":"default","namespace":"ns",
      "annotations":{"kubernetes.io/enforce-mountable-secrets":"true"}},"secrets":[{"name":"ok"}]})");
  EXPECT_EQ(create_pod(pod(R"(,"volumes":[{"name":"v","secret":{"secretName":"ok"}}])")), "");
  EXPECT_EQ(create_pod(pod(R"(,"volumes":[{"name":"v","secret":{"secretName":"other"}}])")),
            "pods \"p\" is forbidden: volume with secret.secretName=\"other\" is not allowed "
            "because service account "
            "default does not reference that secret");
  EXPECT_EQ(
      create_pod(pod(
          R"(,"initContainers":[{"name":"i","envFrom":[{"secretRef":{"name":"x"}}],"resources":{}}])")),
      "pods \"p\" is forbidden: init container i with envFrom referencing secret.secretName=\"x\" "
      "is not allowed "
      "because service account default does not reference that secret");
  EXPECT_EQ(create_pod(pod(R"(,"imagePullSecrets":[{"name":"y"}])")),
            "pods \"p\" is forbidden: imagePullSecrets[0].name=\"y\" is not allowed because "
            "service account default "
            "does not reference that imagePullSecret");
}

TEST_F(AdmissionTest, MirrorPodsReferToNothing) {
  const std::string_view mirror = R"(,"annotations":{"kubernetes.io/config.mirror":"x"})";
  EXPECT_EQ(create_pod(pod("", mirror)), "");
  EXPECT_EQ(create_pod(pod(R"(,"serviceAccountName":"default")", mirror)),
            "pods \"p\" is forbidden: a mirror pod may not reference service accounts");
  EXPECT_EQ(create_pod(pod(R"(,"volumes":[{"name":"v","secret":{"secretName":"s"}}])", mirror)),
            "pods \"p\" is forbidden: a mirror pod may not reference secrets");
}

TEST_F(AdmissionTest, NodesWriteOnlyTheirOwnNode) {
  const auto node = [](std::string_view name, std::string_view labels, std::string_view spec = "") {
    return object_of(str_cat(R"({"apiVersion":"v1","kind":"Node","metadata":{"name":")", name,
                             R"(","labels":{)", labels, R"(}},"spec":{)", spec, "}}"));
  };
  const api::Object plain = node("n1", "");
  EXPECT_EQ(
      by_node(write(Operation::kCreate, node("n1", R"("kubernetes.io/hostname":"n1","x":"y")"))),
      "");
  EXPECT_EQ(by_node(write(Operation::kCreate, node("n2", ""))),
            "nodes \"n2\" is forbidden: node \"n1\" is not allowed to modify node \"n2\"");
  EXPECT_EQ(
      by_node(write(Operation::kCreate,
                    node("n1", R"("node-restriction.kubernetes.io/a":"","foo.k8s.io/b":"")"))),
      "nodes \"n1\" is forbidden: node \"n1\" is not allowed to set the following labels: "
      "foo.k8s.io/b, "
      "node-restriction.kubernetes.io/a");
  EXPECT_EQ(
      by_node(write(Operation::kUpdate, node("n1", R"("kubelet.kubernetes.io/a":"")"), plain)), "");
  EXPECT_EQ(
      by_node(write(Operation::kUpdate, node("n1", R"("node-role.kubernetes.io/x":"")"), plain)),
      "nodes \"n1\" is forbidden: is not allowed to modify labels: node-role.kubernetes.io/x");
  EXPECT_EQ(
      by_node(write(Operation::kUpdate,
                    node("n1", "", R"("taints":[{"key":"k","effect":"NoSchedule"}])"), plain)),
      "nodes \"n1\" is forbidden: node \"n1\" is not allowed to modify taints");
}

TEST_F(AdmissionTest, NodesTouchPodsBoundToThem) {
  const api::Object here = pod(R"(,"nodeName":"n1")"), there = pod(R"(,"nodeName":"n2")");
  objects_.put(there);
  EXPECT_EQ(
      by_node(write(Operation::kDelete, {}, there)),
      "pods \"p\" is forbidden: node \"n1\" can only delete pods with spec.nodeName set to itself");
  EXPECT_EQ(by_node(write(Operation::kUpdate, there, there), "status"),
            "pods \"p\" is forbidden: node \"n1\" can only update pod status for pods with "
            "spec.nodeName set to itself");
  EXPECT_EQ(by_node(write(Operation::kCreate, here)),
            "pods \"p\" is forbidden: pod does not have \"kubernetes.io/config.mirror\" "
            "annotation, node \"n1\" can only "
            "create mirror pods");
  objects_.put(here);
  EXPECT_EQ(by_node(write(Operation::kDelete, {}, here)), "");
  EXPECT_EQ(by_node(write(Operation::kUpdate, here, here), "status"), "");
}

TEST_F(AdmissionTest, MirrorPodsAreOwnedByTheirNode) {
  const auto mirror = [](std::string_view owner) {
    return pod(R"(,"nodeName":"n1")",
               str_cat(R"(,"annotations":{"kubernetes.io/config.mirror":"x"},"ownerReferences":[)",
                       owner, "]"));
  };
  const auto owner = [](std::string_view uid) {
    return str_cat(R"({"apiVersion":"v1","kind":"Node","name":"n1","uid":")", uid,
                   R"(","controller":true})");
  };
  EXPECT_EQ(by_node(write(Operation::kCreate, mirror(owner("u-n1")))), "");
  EXPECT_EQ(by_node(write(Operation::kCreate, mirror(owner("u-2")))),
            "pods \"p\" is forbidden: node n1 UID mismatch: expected u-2 got u-n1");
  EXPECT_EQ(by_node(write(Operation::kCreate, mirror(""))),
            "pods \"p\" is forbidden: node \"n1\" can only create pods with an owner reference set "
            "to itself");
}

TEST_F(AdmissionTest, OthersAreNotRestrictedAsNodes) {
  AdmissionRequest request = write(Operation::kCreate, pod(R"(,"nodeName":"n2")"));
  EXPECT_EQ(admit(*node_restriction(), request), "");
}

api::Object csr(std::string_view signer, std::string_view status = "", std::string_view pem = "") {
  return object_of(str_cat(
      R"({"apiVersion":"certificates.k8s.io/v1","kind":"CertificateSigningRequest",
      "metadata":{"name":"c"},"spec":{"signerName":")",
      signer, R"(","request":")", api::base64_encode(pem), R"("},"status":{)", status, "}}"));
}

TEST_F(AdmissionTest, ApprovingAndSigningNeedTheSigner) {
  const api::Object old = csr("example.com/s"),
                    signed_one = csr("example.com/s", R"("certificate":"eA==")");
  AdmissionRequest approve = write(Operation::kUpdate, old, old);
  approve.subresource = "approval";
  EXPECT_EQ(admit(*certificate_approval(), approve),
            "certificatesigningrequests.certificates.k8s.io \"c\" is forbidden: user not permitted "
            "to approve requests "
            "with signerName \"example.com/s\"");
  AdmissionRequest sign = write(Operation::kUpdate, signed_one, old);
  sign.subresource = "status";
  EXPECT_EQ(admit(*certificate_signing(), sign),
            "certificatesigningrequests.certificates.k8s.io \"c\" is forbidden: user not permitted "
            "to sign requests "
            "with signerName \"example.com/s\"");
  sign.user.groups = approve.user.groups = {"system:masters"};
  EXPECT_EQ(admit(*certificate_approval(), approve), "");
  EXPECT_EQ(admit(*certificate_signing(), sign), "");
}

TEST_F(AdmissionTest, NobodyAsksForMasters) {
  AdmissionRequest request =
      write(Operation::kCreate, csr("kubernetes.io/kube-apiserver-client", "", kMastersRequest));
  EXPECT_EQ(admit(*certificate_subject_restriction(), request),
            "certificatesigningrequests.certificates.k8s.io \"c\" is forbidden: use of "
            "kubernetes.io/kube-apiserver-client signer with system:masters group is not allowed");
  request.object = csr("example.com/s", "", kMastersRequest);
  EXPECT_EQ(admit(*certificate_subject_restriction(), request), "");
  request.object = csr("kubernetes.io/kube-apiserver-client", "", "no request");
  EXPECT_NE(admit(*certificate_subject_restriction(), request), "");
}

TEST(CsrSubject, OrganizationsAreReadAndCutTextsRefused) {
  const auto organizations = csr_organizations(kMastersRequest);
  ASSERT_TRUE(organizations.is_ok()) << organizations.status().message();
  EXPECT_EQ(*organizations, (std::vector<std::string>{"dev", "system:masters"}));
  EXPECT_FALSE(csr_organizations("").is_ok());
  EXPECT_FALSE(csr_organizations(
                   "-----BEGIN CERTIFICATE REQUEST-----\nMIIB\n-----END CERTIFICATE REQUEST-----")
                   .is_ok());
}

}  // namespace
}  // namespace orrery::server
