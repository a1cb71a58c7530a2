#include "engine/server/audit/audit_log.h"

#include <gtest/gtest.h>

#include "engine/api/gen/corev1.h"
#include "engine/api/json_value.h"

namespace orrery::server {
namespace {

constexpr Time kReceived = Time::from_unix_seconds(1'735'689'600);

class Lines : public AuditSink {
 public:
  void write(std::string_view line) override { text += line; }
  std::string text;
};

AuditEntry entry_of(std::string_view resource) {
  HttpRequest http;
  http.method = "POST";
  http.path = "/api/v1/namespaces/ns/x";
  http.query = "dryRun=All";
  http.remote_address = "[::1]:40000";
  http.headers = {
      {"user-agent", "kubectl/1"}, {"x-forwarded-for", "10.0.0.1, 10.0.0.2"}, {"audit-id", "id-1"}};
  AuditEntry entry = audit_entry(http, kReceived);
  entry.id = "id-1";
  entry.request.user = {"alice", "u", {"dev"}, {}};
  entry.request.verb = "create";
  entry.request.is_resource = true;
  entry.request.version = "v1";
  entry.request.resource = resource;
  entry.request.ns = "ns";
  corev1::Pod pod;
  pod.metadata.mut().name = "p";
  entry.request_object = api::Object::of(std::move(pod));
  entry.request_body = entry.response_body =
      R"({"metadata":{"name":"p","managedFields":[{"manager":"m"}]},"spec":{}})";
  entry.response.code = 201;
  entry.decision = Decision{true, "because", {}};
  return entry;
}

api::Json event(AuditEntry entry, AuditLevel level,
                AuditStage stage = AuditStage::kResponseComplete,
                bool omit_managed_fields = false) {
  entry.wanted = {level, 0, omit_managed_fields};
  return *api::Json::parse(audit_event_json(entry, stage, kReceived + Duration::millis(5)));
}

TEST(AuditLog, MetadataSaysWhoDidWhatToWhichObject) {
  const api::Json json = event(entry_of("pods"), AuditLevel::kMetadata);
  EXPECT_EQ(json["kind"].as_string(), "Event");
  EXPECT_EQ(json["apiVersion"].as_string(), "audit.k8s.io/v1");
  EXPECT_EQ(json["auditID"].as_string(), "id-1");
  EXPECT_EQ(json["stage"].as_string(), "ResponseComplete");
  EXPECT_EQ(json["requestURI"].as_string(), "/api/v1/namespaces/ns/x?dryRun=All");
  EXPECT_EQ(json["user"]["username"].as_string(), "alice");
  EXPECT_EQ(json["sourceIPs"].dump(), R"(["10.0.0.1","10.0.0.2","::1"])");
  EXPECT_EQ(json["objectRef"].dump(),
            R"({"resource":"pods","namespace":"ns","name":"p","apiVersion":"v1"})");
  EXPECT_EQ(json["responseStatus"]["code"].as_int(), 201);
  EXPECT_EQ(json["requestReceivedTimestamp"].as_string(), "2025-01-01T00:00:00.000000Z");
  EXPECT_EQ(json["stageTimestamp"].as_string(), "2025-01-01T00:00:00.005000Z");
  EXPECT_EQ(json["annotations"]["authorization.k8s.io/decision"].as_string(), "allow");
  EXPECT_EQ(json.find("requestObject"), nullptr);
}

TEST(AuditLog, BodiesAreWrittenAtTheirLevels) {
  const AuditEntry entry = entry_of("pods");
  EXPECT_EQ(event(entry, AuditLevel::kRequest)["requestObject"]["metadata"]["name"].as_string(),
            "p");
  EXPECT_EQ(event(entry, AuditLevel::kRequest).find("responseObject"), nullptr);
  EXPECT_NE(event(entry, AuditLevel::kRequestResponse).find("responseObject"), nullptr);
}

TEST(AuditLog, ManagedFieldsCanBeLeftOut) {
  const AuditEntry entry = entry_of("pods");
  const auto body = [&](bool omit) {
    return event(entry, AuditLevel::kRequest, AuditStage::kResponseComplete, omit)["requestObject"]
        .dump();
  };
  EXPECT_NE(body(false).find("managedFields"), std::string::npos);
  EXPECT_EQ(body(true), R"({"metadata":{"name":"p"},"spec":{}})");
}

TEST(AuditLog, EachEventIsOneLine) {
  Lines lines;
  AuditEntry entry = entry_of("pods");
  entry.user_agent = "two\nlines";
  const AuditLog log(AuditPolicy(AuditLevel::kMetadata), &lines);
  log.write(entry, AuditStage::kRequestReceived, kReceived);
  entry.wanted.omitted = 1 << static_cast<int>(AuditStage::kResponseComplete);
  log.write(entry, AuditStage::kResponseComplete, kReceived);
  entry.wanted = {AuditLevel::kNone, 0, false};
  log.write(entry, AuditStage::kResponseStarted, kReceived);
  EXPECT_EQ(std::count(lines.text.begin(), lines.text.end(), '\n'), 1);
  EXPECT_TRUE(lines.text.ends_with("}\n"));
}

}  // namespace
}  // namespace orrery::server
