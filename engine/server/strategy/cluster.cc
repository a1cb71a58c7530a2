#include <algorithm>

#include "engine/api/gen/admissionregistrationv1.h"
#include "engine/api/gen/apiextensionsv1.h"
#include "engine/api/gen/apiregistrationv1.h"
#include "engine/api/gen/appsv1.h"
#include "engine/api/gen/certificatesv1.h"
#include "engine/api/gen/coordinationv1.h"
#include "engine/api/gen/discoveryv1.h"
#include "engine/api/gen/networkingv1.h"
#include "engine/api/semantic.h"
#include "engine/server/strategy/strategies.h"

namespace orrery::server {
namespace {

void create_namespace(corev1::Namespace& ns) {
  ns.status.mut().phase = "Active";
  add_namespace_finalizer(ns);
}
void update_namespace(corev1::Namespace& ns, const corev1::Namespace& old, const Update& update) {
  if (update.subresource.empty()) ns.spec.mut().finalizers = old.spec->finalizers;
}

void create_node(corev1::Node& node) {
  if (node.spec->config_source) node.spec.mut().config_source.reset();
  if (node.status->config) node.status.mut().config.reset();
  if (node.status->features) node.status.mut().features.reset();
}
void update_node(corev1::Node& node, const corev1::Node& old, const Update& update) {
  if (update.subresource.empty() && !old.spec->config_source && node.spec->config_source) node.spec.mut().config_source.reset();
  if (!old.status->config && node.status->config) node.status.mut().config.reset();
}

void update_secret(corev1::Secret& secret, const corev1::Secret& old, const Update&) {
  if (secret.type.empty()) secret.type = old.type;
}

// A service account refers to its secrets by name only.
void create_account(corev1::ServiceAccount& account) {
  for (size_t i = 0; i < account.secrets.size(); ++i) {
    corev1::ObjectReference name_only;
    name_only.name = account.secrets[i].name;
    account.secrets.mut(i) = std::move(name_only);
  }
}
void update_account(corev1::ServiceAccount& account, const corev1::ServiceAccount&, const Update&) { create_account(account); }

using CsrConditions = List<certificatesv1::CertificateSigningRequestCondition>;

// The conditions of one type stay as they were, if there still are as many.
void keep_conditions(CsrConditions& conditions, const CsrConditions& old, std::string_view type) {
  const auto of_type = [&](const auto& c) { return c.type == type; };
  if (std::count_if(conditions.begin(), conditions.end(), of_type) != std::count_if(old.begin(), old.end(), of_type)) return;
  const auto* before = old.begin();
  for (size_t i = 0; i < conditions.size(); ++i) {
    if (!of_type(conditions[i])) continue;
    before = std::find_if(before, old.end(), of_type);
    conditions.mut(i) = *before++;
  }
}

void date_conditions(CsrConditions& conditions, const CsrConditions& old, api::Timestamp now) {
  const auto is_unset = [](const api::Timestamp& time) { return time == api::Timestamp(); };
  for (size_t i = 0; i < conditions.size(); ++i) {
    if (is_unset(conditions[i].last_update_time)) conditions.mut(i).last_update_time = now;
    if (!is_unset(conditions[i].last_transition_time)) continue;
    conditions.mut(i).last_transition_time = now;
    for (const auto& c : old)
      if (c.type == conditions[i].type && c.status == conditions[i].status && !is_unset(c.last_transition_time)) {
        conditions.mut(i).last_transition_time = c.last_transition_time;
        break;
      }
  }
}

void update_signing_request(certificatesv1::CertificateSigningRequest& csr, const certificatesv1::CertificateSigningRequest& old,
                            const Update& update) {
  csr.spec = old.spec;
  if (update.subresource == "approval") {
    auto conditions = csr.status->conditions;
    csr.status = old.status;
    csr.status.mut().conditions = std::move(conditions);
  }
  if (update.subresource.empty()) return;
  auto& conditions = csr.status.mut().conditions;
  if (update.subresource == "status")
    for (const char* type : {"Approved", "Denied"}) keep_conditions(conditions, old.status->conditions, type);
  date_conditions(conditions, old.status->conditions, api::Timestamp::whole_seconds(update.now));
}

void create_lease(coordinationv1::Lease& lease) {
  if (!lease.spec->strategy && !lease.spec->preferred_holder) return;
  lease.spec.mut().strategy.reset();
  lease.spec.mut().preferred_holder.reset();
}
void update_lease(coordinationv1::Lease& lease, const coordinationv1::Lease& old, const Update&) {
  if (!old.spec->strategy && lease.spec->strategy) lease.spec.mut().strategy.reset();
  if (!old.spec->preferred_holder && lease.spec->preferred_holder) lease.spec.mut().preferred_holder.reset();
}

// What topology was before it had fields is not written any more.
void drop_topology(discoveryv1::EndpointSlice& slice) {
  for (size_t i = 0; i < slice.endpoints.size(); ++i)
    if (!slice.endpoints[i].deprecated_topology.empty()) slice.endpoints.mut(i).deprecated_topology.reset();
}

void update_endpoint_slice(discoveryv1::EndpointSlice& slice, const discoveryv1::EndpointSlice& old, const Update&) {
  discoveryv1::EndpointSlice bare = slice;
  bare.metadata = old.metadata;
  if (!api::semantic_equal(bare, old) || !(slice.metadata->labels == old.metadata->labels))
    slice.metadata.mut().generation = old.metadata->generation + 1;
  discoveryv1::EndpointSlice same_endpoints = old;
  same_endpoints.endpoints = slice.endpoints;
  if (!api::semantic_equal(same_endpoints, old)) drop_topology(slice);
}

template <typename C>
void update_webhooks(C& config, const C& old, const Update&) {
  C bare = config;
  bare.metadata = old.metadata;
  if (!api::equals_stored(bare, old)) config.metadata.mut().generation = old.metadata->generation + 1;
}

void update_network_policy(networkingv1::NetworkPolicy& policy, const networkingv1::NetworkPolicy& old, const Update&) {
  if (!api::equals_stored(*policy.spec, *old.spec)) policy.metadata.mut().generation = old.metadata->generation + 1;
}

// The version in which objects are stored is remembered, also when another one takes its place.
void remember_stored_version(apiextensionsv1::CustomResourceDefinition& crd) {
  for (const auto& version : crd.spec->versions) {
    if (!version.storage) continue;
    const auto& known = crd.status->stored_versions;
    if (std::find(known.begin(), known.end(), version.name) == known.end()) crd.status.mut().stored_versions.push_back(version.name);
    return;
  }
}
void update_definition(apiextensionsv1::CustomResourceDefinition& crd, const apiextensionsv1::CustomResourceDefinition&,
                       const Update& update) {
  if (update.subresource.empty()) remember_stored_version(crd);
}

// What this server serves itself is there at once.
void create_api_service(apiregistrationv1::APIService& service) {
  service.status.reset();
  if (service.spec->service) return;
  apiregistrationv1::APIServiceCondition available;
  available.type = "Available";
  available.status = "True";
  available.reason = "Local";
  available.message = "Local APIServices are always available";
  available.last_transition_time = service.metadata->creation_timestamp;
  service.status.mut().conditions.push_back(std::move(available));
}

template <typename T, void (*Create)(T&), void (*Change)(T&, const T&, const Update&)>
constexpr StrategyRow row() {
  return {&T::descriptor, {create_as<T, Create>, update_as<T, Change>}};
}
template <typename T, void (*Change)(T&, const T&, const Update&)>
constexpr StrategyRow update_row() {
  return {&T::descriptor, {nullptr, update_as<T, Change>}};
}

}  // namespace

void add_namespace_finalizer(corev1::Namespace& ns) {
  const auto& finalizers = ns.spec->finalizers;
  if (std::find(finalizers.begin(), finalizers.end(), "kubernetes") == finalizers.end()) ns.spec.mut().finalizers.push_back("kubernetes");
}

std::span<const StrategyRow> cluster_strategies() {
  using admissionregistrationv1::MutatingWebhookConfiguration;
  using admissionregistrationv1::ValidatingWebhookConfiguration;
  static constexpr StrategyRow kRows[] = {
      row<apiextensionsv1::CustomResourceDefinition, remember_stored_version, update_definition>(),
      {&apiregistrationv1::APIService::descriptor, {create_as<apiregistrationv1::APIService, create_api_service>, nullptr}},
      row<corev1::Namespace, create_namespace, update_namespace>(),
      row<corev1::Node, create_node, update_node>(),
      update_row<corev1::Secret, update_secret>(),
      row<corev1::ServiceAccount, create_account, update_account>(),
      update_row<certificatesv1::CertificateSigningRequest, update_signing_request>(),
      row<coordinationv1::Lease, create_lease, update_lease>(),
      row<discoveryv1::EndpointSlice, drop_topology, update_endpoint_slice>(),
      update_row<MutatingWebhookConfiguration, update_webhooks<MutatingWebhookConfiguration>>(),
      update_row<networkingv1::NetworkPolicy, update_network_policy>(),
      update_row<ValidatingWebhookConfiguration, update_webhooks<ValidatingWebhookConfiguration>>(),
  };
  return kRows;
}

}  // namespace orrery::server
