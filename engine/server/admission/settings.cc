#include "engine/server/admission/settings.h"

#include <algorithm>

#include "engine/api/codec_json.h"
#include "engine/api/fields.h"
#include "engine/api/names.h"
#include "engine/api/yaml.h"

namespace orrery::server {
namespace {

using api::Fields;
using api::Json;

std::string beside(const std::string& file, const std::string& path) {
  const size_t slash = file.rfind('/');
  return path.starts_with('/') || slash == std::string::npos ? path
                                                             : file.substr(0, slash + 1) + path;
}

void expect(Fields& fields, std::string_view name, const std::vector<std::string>& allowed) {
  if (fields.text(name, "", "of this format", allowed).empty())
    fields.fail(name, str_cat("is required: ", api::join(allowed, " or ")));
}

PodSecurityRule read_rule(Fields& fields, const std::string& mode) {
  Map<Str> labels;
  const std::string level =
      fields.text(mode, "privileged", "a level", {"privileged", "baseline", "restricted"});
  labels.set(str_cat("pod-security.kubernetes.io/", mode), Str(level));
  const std::string version = fields.text(mode + "-version", "latest", "latest or v1.N");
  labels.set(str_cat("pod-security.kubernetes.io/", mode, "-version"), Str(version));
  const PodSecurityPolicy policy = pod_security_policy(labels);
  if (!policy.errors.empty())
    fields.fail(mode + "-version",
                str_cat("found ", api::quoted(version), ": must be latest or v1.N"));
  return mode == "enforce" ? policy.enforce : mode == "audit" ? policy.audit : policy.warn;
}

Status read_pod_security(const Json& json, const std::string& path, const std::string& file,
                         AdmissionSettings& out) {
  Fields f(json, path, file);
  expect(f, "apiVersion",
         {"pod-security.admission.config.k8s.io/v1", "pod-security.admission.config.k8s.io/v1beta1",
          "pod-security.admission.config.k8s.io/v1alpha1"});
  expect(f, "kind", {"PodSecurityConfiguration"});
  PodSecuritySettings& settings = out.pod_security;
  Fields defaults(f.any("defaults", "for namespaces without labels"), f.path_of("defaults"), file);
  settings.defaults.enforce = read_rule(defaults, "enforce");
  settings.defaults.audit = read_rule(defaults, "audit");
  settings.defaults.warn = read_rule(defaults, "warn");
  f.absorb(defaults.done());
  Fields exemptions(f.any("exemptions", "who is left alone"), f.path_of("exemptions"), file);
  settings.usernames = exemptions.texts("usernames", "users");
  settings.runtime_classes = exemptions.texts("runtimeClasses", "of pods");
  settings.namespaces = exemptions.texts("namespaces", "of pods");
  f.absorb(exemptions.done());
  return f.done();
}

api::QuotaScope read_scope(const Json& json, const std::string& path, Fields& parent) {
  Fields f(json, path, parent.file());
  api::QuotaScope scope;
  scope.scope_name = Str(f.text("scopeName", "", "of a quota scope",
                                {"BestEffort", "NotBestEffort", "Terminating", "NotTerminating",
                                 "PriorityClass", "CrossNamespacePodAffinity"}));
  scope.operator_ = Str(f.text("operator", "", "how its values are meant",
                               {"In", "NotIn", "Exists", "DoesNotExist"}));
  for (const std::string& value : f.texts("values", "of the scope"))
    scope.values.push_back(Str(value));
  parent.absorb(f.done());
  return scope;
}

Status read_quota(const Json& json, const std::string& path, const std::string& file,
                  AdmissionSettings& out) {
  Fields f(json, path, file);
  expect(f, "apiVersion",
         {"apiserver.config.k8s.io/v1", "resourcequota.admission.k8s.io/v1beta1",
          "resourcequota.admission.k8s.io/v1alpha1"});
  expect(f, "kind", {"ResourceQuotaConfiguration", "Configuration"});
  f.each("limitedResources", "what nobody may use without a quota",
         [&](const Json& item, const std::string& item_path) {
           Fields one(item, item_path, file);
           LimitedResource limited;
           limited.group = Str(one.text("apiGroup", "", "of the resource"));
           limited.resource = Str(one.text("resource", "", "plural"));
           if (limited.resource.empty()) one.fail("resource", "is required");
           for (const std::string& part :
                one.texts("matchContains", "parts of names of what is counted"))
             limited.match_contains.push_back(Str(part));
           one.each("matchScopes", "in which of them",
                    [&](const Json& scope, const std::string& scope_path) {
                      limited.match_scopes.push_back(read_scope(scope, scope_path, one));
                    });
           f.absorb(one.done());
           out.limited_resources.push_back(std::move(limited));
         });
  return f.done();
}

Status read_event_limits(const Json& json, const std::string& path, const std::string& file, AdmissionSettings& out) {
  Fields f(json, path, file);
  expect(f, "apiVersion", {"eventratelimit.admission.k8s.io/v1alpha1"});
  expect(f, "kind", {"Configuration"});
  f.each("limits", "of events", [&](const Json& item, const std::string& item_path) {
    Fields one(item, item_path, file);
    EventLimit limit;
    const int64_t unset = limit.cache_size;
    limit.type = one.text("type", "", "what is counted", {"Server", "Namespace", "User", "SourceAndObject"});
    limit.qps = static_cast<double>(one.integer("qps", 0, 1, INT32_MAX, "events a second"));
    limit.burst = static_cast<double>(one.integer("burst", 0, 1, INT32_MAX, "events at once"));
    limit.cache_size = one.integer("cacheSize", 0, 0, INT32_MAX, "keys that are remembered");
    if (limit.cache_size == 0) limit.cache_size = unset;
    if (limit.type.empty()) one.fail("type", "is required: Server, Namespace, User or SourceAndObject");
    if (limit.qps == 0) one.fail("qps", "is required and must be positive");
    if (limit.burst == 0) one.fail("burst", "is required and must be positive");
    f.absorb(one.done());
    out.event_limits.push_back(std::move(limit));
  });
  if (out.event_limits.empty()) f.fail("limits", "must not be empty");
  return f.done();
}

Status read_webhooks(const Json& json, const std::string& path, const std::string& file,
                     const FileReader& read, std::vector<WebhookCredential>& out) {
  Fields f(json, path, file);
  expect(f, "apiVersion", {"apiserver.config.k8s.io/v1", "apiserver.config.k8s.io/v1alpha1"});
  expect(f, "kind", {"WebhookAdmissionConfiguration", "WebhookAdmission"});
  const std::string kubeconfig = f.text("kubeConfigFile", "", "its users are hosts of webhooks");
  ORRERY_TRY(f.done());
  if (kubeconfig.empty()) return Status::ok();
  const std::string place = beside(file, kubeconfig);
  ORRERY_ASSIGN(const std::string text, read(place));
  ORRERY_ASSIGN(out, parse_webhook_kubeconfig(text, place, read));
  return Status::ok();
}

Status read_plugin(const std::string& name, const Json& json, const std::string& path,
                   const std::string& file, const FileReader& read, AdmissionSettings& out) {
  if (name == "PodSecurity") return read_pod_security(json, path, file, out);
  if (name == "ResourceQuota") return read_quota(json, path, file, out);
  if (name == "EventRateLimit") return read_event_limits(json, path, file, out);
  if (name == "MutatingAdmissionWebhook")
    return read_webhooks(json, path, file, read, out.mutating_webhooks);
  if (name == "ValidatingAdmissionWebhook")
    return read_webhooks(json, path, file, read, out.validating_webhooks);
  return bad_request(str_cat(file, ": ", path, ": the plugin ", api::quoted(name),
                             " takes no configuration here; those that do are PodSecurity, "
                             "ResourceQuota, EventRateLimit, MutatingAdmissionWebhook, "
                             "ValidatingAdmissionWebhook"));
}

}  // namespace

Result<AdmissionSettings> parse_admission_config(std::string_view text, const std::string& file,
                                                 const FileReader& read) {
  ORRERY_ASSIGN(const Json json, api::parse_yaml_document(text, file));
  AdmissionSettings out;
  Fields root(json, "", file);
  expect(root, "apiVersion", {"apiserver.config.k8s.io/v1", "apiserver.k8s.io/v1alpha1"});
  expect(root, "kind", {"AdmissionConfiguration"});
  root.each("plugins", "and their configurations",
            [&](const Json& item, const std::string& item_path) {
              Fields f(item, item_path, file);
              const std::string name = f.text("name", "", "of the plugin");
              const std::string path = f.text("path", "", "of a file with its configuration");
              const Json& inline_configuration = f.any("configuration", "itself");
              if (name.empty()) f.fail("name", "is required");
              if (!path.empty() && !inline_configuration.is_null())
                f.fail("path", "must not be given beside configuration");
              root.absorb(f.done());
              if (!inline_configuration.is_null())
                return root.absorb(read_plugin(name, inline_configuration,
                                               item_path + ".configuration", file, read, out));
              if (path.empty()) return;
              const std::string place = beside(file, path);
              const auto content = read(place);
              if (!content) return root.absorb(content.status());
              const auto document = api::parse_yaml_document(*content, place);
              root.absorb(document ? read_plugin(name, *document, "", place, read, out)
                                   : document.status());
            });
  ORRERY_TRY(root.done());
  return out;
}

}  // namespace orrery::server
