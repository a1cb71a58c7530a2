#include "engine/server/audit/audit_log.h"

#include <algorithm>

#include "engine/api/codec_json.h"
#include "engine/api/gen/auditv1.h"

namespace orrery::server {
namespace {

using api::Json;

std::string_view level_name(AuditLevel level) {
  switch (level) {
    case AuditLevel::kNone:
      return "None";
    case AuditLevel::kMetadata:
      return "Metadata";
    case AuditLevel::kRequest:
      return "Request";
    case AuditLevel::kRequestResponse:
      return "RequestResponse";
  }
  CHECK(false) << "level " << static_cast<int>(level);
  return {};
}

std::string_view stage_name(AuditStage stage) {
  switch (stage) {
    case AuditStage::kRequestReceived:
      return "RequestReceived";
    case AuditStage::kResponseStarted:
      return "ResponseStarted";
    case AuditStage::kResponseComplete:
      return "ResponseComplete";
    case AuditStage::kPanic:
      return "Panic";
  }
  CHECK(false) << "stage " << static_cast<int>(stage);
  return {};
}

// Adds a body to the event, without what its reader does not want to know.
void add_body(Json& event, std::string_view name, const std::string& text,
              bool omit_managed_fields) {
  if (text.empty()) return;
  auto body = Json::parse(text);
  if (!body.is_ok()) return;
  const auto strip = [](Json& object) {
    if (Json* metadata = object.find("metadata")) metadata->erase("managedFields");
  };
  if (omit_managed_fields) {
    strip(*body);
    if (Json* items = body->find("items"))
      for (Json& item : items->items()) strip(item);
  }
  event.set(name, std::move(*body));
}

authenticationv1::UserInfo user_info(const ApiUser& user) {
  authenticationv1::UserInfo info;
  info.username = user.name;
  info.uid = user.uid;
  info.groups = user.groups;
  info.extra = user.extra;
  return info;
}

auditv1::ObjectReference object_ref(const AuditEntry& entry) {
  auditv1::ObjectReference ref;
  ref.resource = entry.request.resource;
  ref.namespace_ = entry.request.ns;
  ref.name = entry.request.name;
  ref.api_group = entry.request.group;
  ref.api_version = entry.request.version;
  ref.subresource = entry.request.subresource;
  const api::Object& object = entry.request_object;
  if (!object || !object.has_meta()) return ref;
  if (ref.name.empty()) ref.name = object.meta().name;
  ref.uid = object.meta().uid;
  ref.resource_version = object.meta().resource_version;
  return ref;
}

void add_address(List<Str>& addresses, std::string_view address) {
  while (address.starts_with(' ')) address.remove_prefix(1);
  while (address.ends_with(' ')) address.remove_suffix(1);
  if (address.empty() || std::find(addresses.begin(), addresses.end(), address) != addresses.end())
    return;
  addresses.push_back(address);
}

// "[::1]:80" and "127.0.0.1:80" without their ports.
std::string_view host_of(std::string_view address) {
  if (address.starts_with('[')) return address.substr(1, address.find(']') - 1);
  return address.substr(0, address.rfind(':'));
}

}  // namespace

AuditEntry audit_entry(const HttpRequest& http, Time received) {
  AuditEntry entry;
  entry.request_uri = http.query.empty() ? http.path : str_cat(http.path, "?", http.query);
  entry.user_agent = find_header(http.headers, "user-agent");
  entry.received = received;
  std::string_view forwarded = find_header(http.headers, "x-forwarded-for");
  while (!forwarded.empty()) {
    const size_t comma = std::min(forwarded.find(','), forwarded.size());
    add_address(entry.source_ips, forwarded.substr(0, comma));
    forwarded.remove_prefix(std::min(comma + 1, forwarded.size()));
  }
  add_address(entry.source_ips, find_header(http.headers, "x-real-ip"));
  add_address(entry.source_ips, host_of(http.remote_address));
  return entry;
}

std::string audit_event_json(const AuditEntry& entry, AuditStage stage, Time now) {
  const AuditLevel level = entry.wanted.level;
  auditv1::Event event;
  event.kind = "Event";
  event.api_version = "audit.k8s.io/v1";
  event.level = level_name(level);
  event.audit_id = entry.id;
  event.stage = stage_name(stage);
  event.request_uri = entry.request_uri;
  event.verb = entry.request.verb;
  event.user = user_info(entry.request.user);
  if (entry.impersonated) event.impersonated_user.mut() = user_info(*entry.impersonated);
  event.source_ips = entry.source_ips;
  event.user_agent = entry.user_agent;
  if (entry.request.is_resource) event.object_ref.mut() = object_ref(entry);
  if (stage != AuditStage::kRequestReceived) event.response_status.mut() = entry.response;
  event.request_received_timestamp = entry.received;
  event.stage_timestamp = now;
  event.annotations = entry.annotations;
  if (entry.decision) {
    event.annotations.set("authorization.k8s.io/decision",
                          entry.decision->allowed ? "allow" : "forbid");
    event.annotations.set("authorization.k8s.io/reason", entry.decision->reason);
  }
  Json json = api::to_json(api::Object::of(std::move(event)));
  const bool omit = entry.wanted.omit_managed_fields;
  if (level >= AuditLevel::kRequest) add_body(json, "requestObject", entry.request_body, omit);
  if (level == AuditLevel::kRequestResponse && stage == AuditStage::kResponseComplete)
    add_body(json, "responseObject", entry.response_body, omit);
  return json.dump();
}

void AuditLog::write(const AuditEntry& entry, AuditStage stage, Time now) const {
  if (entry.wanted.writes(stage)) sink_->write(str_cat(audit_event_json(entry, stage, now), "\n"));
}

}  // namespace orrery::server
