#include "engine/api/gen/admissionregistrationv1.h"
#include "engine/api/gen/certificatesv1.h"
#include "engine/api/gen/flowcontrolv1.h"
#include "engine/api/gen/policyv1.h"
#include "engine/api/gen/rbacv1.h"
#include "engine/api/names.h"
#include "engine/server/print/row.h"

namespace orrery::server {
namespace {

void print_disruption_budget(const policyv1::PodDisruptionBudget& pdb, Row& row) {
  const auto text = [](const Opt<api::IntOrString>& value) { return value ? text_of(*value) : "N/A"; };
  row.add(pdb.metadata->name, text(pdb.spec->min_available), text(pdb.spec->max_unavailable),
          pdb.status->disruptions_allowed, row.age(pdb.metadata->creation_timestamp));
}

void print_quota(const corev1::ResourceQuota& quota, Row& row) {
  std::vector<std::string> requests, limits;
  for (const auto& [name, hard] : quota.status->hard) {
    const bool limit = name.view().starts_with("limits.");
    (limit ? limits : requests)
        .push_back(str_cat(name, ": ", quota.status->used.get(name).to_string(), "/", hard.to_string()));
  }
  row.add(quota.metadata->name, row.age(quota.metadata->creation_timestamp), api::join(requests, ", "), api::join(limits, ", "));
}

template <typename Binding>
void print_binding(const Binding& binding, Row& row) {
  std::vector<std::string> users, groups, accounts;
  for (const auto& subject : binding.subjects) {
    if (subject.kind == "ServiceAccount") accounts.push_back(str_cat(subject.namespace_, "/", subject.name));
    if (subject.kind == "User") users.push_back(subject.name.str());
    if (subject.kind == "Group") groups.push_back(subject.name.str());
  }
  row.add(binding.metadata->name, str_cat(binding.role_ref.kind, "/", binding.role_ref.name),
          row.age(binding.metadata->creation_timestamp), api::join(users, ", "), api::join(groups, ", "),
          api::join(accounts, ", "));
}

std::string csr_status(const certificatesv1::CertificateSigningRequestStatus& status) {
  bool approved = false, denied = false, failed = false;
  for (const auto& condition : status.conditions) {
    approved = approved || condition.type == "Approved";
    denied = denied || condition.type == "Denied";
    failed = failed || condition.type == "Failed";
  }
  std::string text = denied ? "Denied" : approved ? "Approved" : "Pending";
  if (failed) text += ",Failed";
  if (!status.certificate.empty()) text += ",Issued";
  return text;
}

void print_csr(const certificatesv1::CertificateSigningRequest& csr, Row& row) {
  const auto& spec = *csr.spec;
  row.add(csr.metadata->name, row.age(csr.metadata->creation_timestamp),
          spec.signer_name.empty() ? std::string_view("<none>") : spec.signer_name.view(), spec.username,
          spec.expiration_seconds ? human_duration(Duration::seconds(*spec.expiration_seconds)) : "<none>",
          csr_status(*csr.status));
}

template <typename Configuration>
void print_webhooks(const Configuration& configuration, Row& row) {
  row.add(configuration.metadata->name, configuration.webhooks.size(), row.age(configuration.metadata->creation_timestamp));
}

void print_admission_policy(const admissionregistrationv1::ValidatingAdmissionPolicy& policy, Row& row) {
  const auto& kind = policy.spec->param_kind;
  row.add(policy.metadata->name, policy.spec->validations.size(),
          kind ? str_cat(kind->api_version, "/", kind->kind) : "<unset>", row.age(policy.metadata->creation_timestamp));
}

// As Go's generated String() writes it.
std::string go_string(const metav1::LabelSelector& selector) {
  std::string out = "&LabelSelector{MatchLabels:map[string]string{";
  for (const auto& [name, value] : selector.match_labels) str_append(out, str_cat(name, ": ", value, ","));
  out += "},MatchExpressions:[]LabelSelectorRequirement{";
  for (const auto& expression : selector.match_expressions) {
    std::vector<std::string> values;
    for (const Str& value : expression.values) values.push_back(value.str());
    out += str_cat("LabelSelectorRequirement{Key:", expression.key, ",Operator:", expression.operator_, ",Values:[",
                   api::join(values, " "), "],},");
  }
  return out + "},}";
}

void print_policy_binding(const admissionregistrationv1::ValidatingAdmissionPolicyBinding& binding, Row& row) {
  std::string param = "<unset>";
  if (const auto& ref = binding.spec->param_ref) {
    if (!ref->name.empty()) {
      param = str_cat(ref->namespace_.empty() ? std::string_view("*") : ref->namespace_.view(), "/", ref->name);
    } else if (ref->selector) {
      param = go_string(*ref->selector);
    }
  }
  row.add(binding.metadata->name, binding.spec->policy_name, param, row.age(binding.metadata->creation_timestamp));
}

void print_flow_schema(const flowcontrolv1::FlowSchema& schema, Row& row) {
  const auto& spec = *schema.spec;
  std::string_view dangling = "?";
  for (const auto& condition : schema.status->conditions) {
    if (condition.type != "Dangling") continue;
    dangling = condition.status;
    break;
  }
  row.add(schema.metadata->name, spec.priority_level_configuration.name, spec.matching_precedence,
          spec.distinguisher_method ? spec.distinguisher_method->type.view() : "<none>",
          row.age(schema.metadata->creation_timestamp), dangling);
}

void print_priority_level(const flowcontrolv1::PriorityLevelConfiguration& level, Row& row) {
  row.add(level.metadata->name, level.spec->type);
  const auto& limited = level.spec->limited;
  const auto shares = limited ? limited->nominal_concurrency_shares : Opt<int32_t>();
  row.add(limited ? api::Json(int64_t{shares.value_or(0)}) : api::Json("<none>"));
  if (limited && limited->limit_response.queuing) {
    const auto& queues = *limited->limit_response.queuing;
    row.add(queues.queues, queues.hand_size, queues.queue_length_limit);
  } else {
    row.add("<none>", "<none>", "<none>");
  }
  row.add(row.age(level.metadata->creation_timestamp));
}

}  // namespace

std::vector<Printer> policy_printers() {
  namespace admission = admissionregistrationv1;
  return {printer_of<policyv1::PodDisruptionBudget, print_disruption_budget>(),
          printer_of<corev1::ResourceQuota, print_quota>(),
          printer_of<rbacv1::RoleBinding, print_binding<rbacv1::RoleBinding>>(),
          printer_of<rbacv1::ClusterRoleBinding, print_binding<rbacv1::ClusterRoleBinding>>(),
          printer_of<certificatesv1::CertificateSigningRequest, print_csr>(),
          printer_of<admission::MutatingWebhookConfiguration, print_webhooks<admission::MutatingWebhookConfiguration>>(),
          printer_of<admission::ValidatingWebhookConfiguration, print_webhooks<admission::ValidatingWebhookConfiguration>>(),
          printer_of<admission::ValidatingAdmissionPolicy, print_admission_policy>(),
          printer_of<admission::ValidatingAdmissionPolicyBinding, print_policy_binding>(),
          printer_of<flowcontrolv1::FlowSchema, print_flow_schema>(),
          printer_of<flowcontrolv1::PriorityLevelConfiguration, print_priority_level>()};
}

}  // namespace orrery::server
