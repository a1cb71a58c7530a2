#include "engine/control/endpoint_slices/slice_parts.h"

#include <set>

#include "engine/api/names.h"
#include "engine/api/semantic.h"

namespace orrery::control {

using discoveryv1::Endpoint;
using discoveryv1::EndpointPort;
using discoveryv1::EndpointSlice;

Str service_of_slice(const api::Object& slice) {
  const Str* name = slice.meta().labels.find(kServiceName);
  return name && !name->empty() ? api::object_key(slice.meta().namespace_, *name) : Str();
}

Str slice_name_prefix(const Str& service) {
  const bool valid = api::check_dns1123_subdomain(str_cat(service, "-x")).empty();
  return valid ? Str(str_cat(service, "-")) : service;
}

std::string ports_key(const List<EndpointPort>& ports) {
  std::set<std::string> texts;
  for (const EndpointPort& port : ports)
    texts.insert(str_cat(port.name.value_or(Str()), "|", port.protocol.value_or(Str()), "|",
                         port.port.value_or(0), "|",
                         port.app_protocol ? str_cat("=", *port.app_protocol) : std::string()));
  std::string key;
  for (const std::string& text : texts) str_append(key, str_cat(text, ";"));
  return key;
}

std::string endpoint_key(const Endpoint& endpoint) {
  std::set<Str> addresses(endpoint.addresses.begin(), endpoint.addresses.end());
  std::string key;
  for (const Str& address : addresses) str_append(key, str_cat(address, ","));
  const auto* ref = endpoint.target_ref.get();
  return str_cat(key, "|", endpoint.hostname.value_or(Str()), "|",
                 ref ? str_cat(ref->namespace_, "/", ref->name) : std::string());
}

bool same_state(const Endpoint& a, const Endpoint& b) {
  const auto bare = [](const Endpoint& endpoint) {
    Endpoint out;
    out.node_name = endpoint.node_name;
    out.zone = endpoint.zone;
    out.conditions = endpoint.conditions;
    out.target_ref = endpoint.target_ref;
    if (out.target_ref) out.target_ref.mut().resource_version = {};
    return out;
  };
  return api::semantic_equal(bare(a), bare(b));
}

void SliceTracker::removed(const Str& service, const Str& slice) {
  const auto known = written_.find(service);
  if (known != written_.end()) known->second.erase(slice);
}

bool SliceTracker::is_stale(const Str& service, const std::vector<EndpointSlice>& slices) const {
  const auto known = written_.find(service);
  if (known == written_.end()) return false;
  size_t seen = 0;
  for (const EndpointSlice& slice : slices) {
    const auto written = known->second.find(slice.metadata->name);
    if (written == known->second.end()) continue;
    ++seen;
    if (slice.metadata->generation < written->second) return true;
  }
  return seen < known->second.size();
}

}  // namespace orrery::control
