#include "engine/server/service_allocation.h"

#include <optional>
#include <unordered_set>

#include "engine/api/ip.h"
#include "engine/api/names.h"
#include "engine/server/service_update.h"
#include "engine/server/validation/services.h"

namespace orrery::server {
namespace {

std::optional<uint32_t> parse_ipv4(std::string_view text) {
  const auto ip = api::parse_ip(text);
  if (!ip || !ip->is_v4) return std::nullopt;
  uint32_t number = 0;
  for (size_t i = ip->bytes.size() - 4; i < ip->bytes.size(); ++i) number = number << 8 | ip->bytes[i];
  return number;
}

std::string format_ipv4(uint32_t address) {
  return str_cat(address >> 24, ".", address >> 16 & 255, ".", address >> 8 & 255, ".", address & 255);
}

std::string shown(const List<Str>& texts) {
  std::string out;
  for (const Str& text : texts) out += (out.empty() ? "" : ", ") + api::quoted(text);
  return str_cat("[]string{", out, "}");
}

class Allocation {
 public:
  Allocation(const ServiceRanges& ranges, TakenByServices taken, RngStream& rng, bool dry_run)
      : ranges_(ranges), range_(AddressRange::of(ranges.cidr)), taken_(std::move(taken)), rng_(rng), dry_run_(dry_run) {}

  void cluster_ip(corev1::ServiceSpec& spec, FieldErrors& errors) {
    if (!spec.cluster_ips.empty() && !spec.cluster_ips[0].empty()) return given_ip(spec.cluster_ips[0], errors);
    if (dry_run_) return take_ip(range_.first - 1, spec);  // of the network itself
    uint32_t at = static_cast<uint32_t>(rng_.below(range_.count));
    for (uint32_t tried = 0; tried < range_.count; ++tried, at = (at + 1) % range_.count) {
      if (!taken_.addresses.insert(range_.first + at).second) continue;
      return take_ip(range_.first + at, spec);
    }
    errors.push_back(FieldError::invalid("spec.clusterIPs", "[]string(nil)", "failed to allocate a serviceIP: range is full"));
  }

  void node_port(int32_t& port, const std::string& field, FieldErrors& errors) {
    const int32_t count = ranges_.node_port_max - ranges_.node_port_min + 1;
    if (port != 0) return given_port(port, field, errors);
    if (dry_run_) {
      constexpr int32_t kBeforeFirstDry = 32768;
      port = last_ = (last_ == 0 ? kBeforeFirstDry : last_) + 1;
      return;
    }
    auto at = static_cast<int32_t>(rng_.below(static_cast<uint64_t>(count)));
    for (int32_t tried = 0; tried < count; ++tried, at = (at + 1) % count) {
      if (!taken_.ports.insert(static_cast<uint32_t>(ranges_.node_port_min + at)).second) continue;
      port = ranges_.node_port_min + at;
      return;
    }
    errors.push_back(FieldError::invalid(field, "0", "failed to allocate a nodePort: range is full"));
  }

 private:
  static void take_ip(uint32_t address, corev1::ServiceSpec& spec) {
    const Str text(format_ipv4(address));
    spec.cluster_ip = text;
    spec.cluster_ips = {text};
  }

  void given_ip(const Str& text, FieldErrors& errors) {
    const auto address = parse_ipv4(text);
    if (!address) return;  // validation says so
    const std::string failed = str_cat("failed to allocate IP ", text, ": ");
    if (!range_.holds(*address)) {
      errors.push_back(FieldError::invalid("spec.clusterIPs", shown({Str(text)}),
                                           str_cat(failed, "the provided IP (", text, ") is not in the valid range. The range of valid IPs is ", ranges_.cidr)));
    } else if (!dry_run_ && !taken_.addresses.insert(*address).second) {  // upstream's dry runs do not look
      errors.push_back(FieldError::invalid("spec.clusterIPs", shown({Str(text)}), failed + "provided IP is already allocated"));
    }
  }

  void given_port(int32_t port, const std::string& field, FieldErrors& errors) {
    const bool in_range = port >= ranges_.node_port_min && port <= ranges_.node_port_max;
    if (!in_range && !dry_run_) {  // upstream's dry runs do not look
      errors.push_back(FieldError::invalid(field, str_cat(int64_t{port}),
                                           str_cat("provided port is not in the valid range. The range of valid ports is ",
                                                   ranges_.node_port_min, "-", ranges_.node_port_max)));
    } else if (!taken_.ports.insert(static_cast<uint32_t>(port)).second) {
      errors.push_back(FieldError::invalid(field, str_cat(int64_t{port}), "provided port is already allocated"));
    }
    last_ = std::max(last_, port);
  }

  const ServiceRanges& ranges_;
  AddressRange range_;
  TakenByServices taken_;
  RngStream& rng_;
  bool dry_run_;
  int32_t last_ = 0;  // the highest port of this service
};

bool is_headless(const corev1::ServiceSpec& spec) { return !spec.cluster_ips.empty() && spec.cluster_ips[0] == "None"; }

void settle_family_policy(corev1::ServiceSpec& spec, const corev1::Service* old) {
  if (spec.ip_family_policy) return;
  if (old && old->spec->ip_family_policy) spec.ip_family_policy = old->spec->ip_family_policy;
  else spec.ip_family_policy = Opt<Str>(Str(is_headless(spec) && spec.selector.empty() ? "RequireDualStack" : "SingleStack"));
}

bool is_reduced(const List<Str>& now, const List<Str>& before) { return !now.empty() && now.size() < before.size(); }

// The policy and the number of addresses and families agree.
void check_stacks(corev1::ServiceSpec& spec, const corev1::Service* old, FieldErrors& errors) {
  const auto refuse = [&](std::string_view why) {
    errors.push_back(FieldError::invalid("spec.ipFamilyPolicy", api::quoted(*spec.ip_family_policy), why));
  };
  const bool single = *spec.ip_family_policy == "SingleStack";
  if (old && single) {
    if (spec.cluster_ips.size() > 1 && spec.cluster_ips == old->spec->cluster_ips) spec.cluster_ips = {Str(spec.cluster_ips[0])};
    if (spec.ip_families.size() > 1 && spec.ip_families == old->spec->ip_families) spec.ip_families = {Str(spec.ip_families[0])};
  } else if (old) {
    if (is_reduced(spec.cluster_ips, old->spec->cluster_ips)) refuse("must be 'SingleStack' to release the secondary cluster IP");
    if (is_reduced(spec.ip_families, old->spec->ip_families)) refuse("must be 'SingleStack' to release the secondary IP family");
  }
  constexpr std::string_view kDual = "must be 'RequireDualStack' or 'PreferDualStack' when multiple ";
  if (single && spec.cluster_ips.size() == 2) refuse(str_cat(kDual, "cluster IPs are specified"));
  if (single && spec.ip_families.size() == 2) refuse(str_cat(kDual, "IP families are specified"));
}

// The families of an IPv4 cluster. Source: Kubernetes v1.32 pkg/registry/core/service/storage/alloc.go,
// initIPFamilyFields.
FieldErrors settle_families(corev1::ServiceSpec& spec, const corev1::Service* old) {
  FieldErrors errors;
  check_stacks(spec, old, errors);
  for (size_t i = spec.ip_families.size(); i < spec.cluster_ips.size() && !is_headless(spec); ++i) {
    if (parse_ipv4(spec.cluster_ips[i])) spec.ip_families.push_back("IPv4");
    else errors.push_back(FieldError::invalid(str_cat("spec.clusterIPs[", i, "]"), shown(spec.cluster_ips), "IPv6 is not configured on this cluster"));
  }
  if (!errors.empty()) return errors;
  if (is_headless(spec) && spec.selector.empty()) {
    if (spec.ip_families.empty()) spec.ip_families.push_back("IPv4");
    if (spec.ip_families.size() == 1 && *spec.ip_family_policy != "SingleStack")
      spec.ip_families.push_back(spec.ip_families[0] == "IPv4" ? "IPv6" : "IPv4");
    return errors;
  }
  if (*spec.ip_family_policy == "RequireDualStack")
    errors.push_back(FieldError::invalid("spec.ipFamilyPolicy", "\"RequireDualStack\"", "this cluster is not configured for dual-stack services"));
  for (size_t i = 0; i < spec.ip_families.size(); ++i)
    if (spec.ip_families[i] == "IPv6")
      errors.push_back(FieldError::invalid(str_cat("spec.ipFamilies[", i, "]"), "\"IPv6\"", "not configured on this cluster"));
  if (errors.empty() && spec.ip_families.empty()) spec.ip_families.push_back("IPv4");
  return errors;
}

// On creation ports of one number and several protocols share a node port.
bool takes_port_of_another(corev1::ServiceSpec& spec, size_t i, bool created) {
  for (size_t k = 0; k < i; ++k) {
    const auto &other = spec.ports[k], &mine = spec.ports[i];
    if (mine.node_port && mine.node_port == other.node_port && (!created || mine.protocol != other.protocol)) return true;
    if (mine.node_port || !created || mine.port != other.port || mine.protocol == other.protocol) continue;
    spec.ports.mut(i).node_port = other.node_port;
    return true;
  }
  return false;
}

// Ports that are asked for by number are had also by services that get none by themselves.
void allocate_node_ports(corev1::ServiceSpec& spec, bool created, Allocation& allocation, FieldErrors& errors) {
  for (size_t i = 0; i < spec.ports.size(); ++i) {
    if (spec.ports[i].node_port == 0 && !gets_node_ports(spec)) continue;
    if (takes_port_of_another(spec, i, created)) continue;
    allocation.node_port(spec.ports.mut(i).node_port, str_cat("spec.ports[", i, "].nodePort"), errors);
  }
}

// Families and cluster IP; a cluster IP is given once, and again after a time as an external name.
FieldErrors allocate_addresses(corev1::ServiceSpec& spec, const corev1::Service* old, Allocation& allocation) {
  if (old && keeps_its_stacks(spec, *old->spec)) return {};
  settle_family_policy(spec, old);
  Findings findings;
  check_cluster_ips(spec, findings);
  if (!findings.empty()) return findings.take();
  FieldErrors errors = settle_families(spec, old);
  const bool wants_ip = !old || !has_cluster_ip(*old->spec);
  if (errors.empty() && wants_ip && !is_headless(spec)) allocation.cluster_ip(spec, errors);
  return errors;
}

template <typename Visit>
void each_number(const corev1::Service& service, Visit&& visit) {
  for (const Str& ip : service.spec->cluster_ips)
    if (const auto address = parse_ipv4(ip)) visit(&TakenByServices::addresses, *address);
  for (const auto& port : service.spec->ports)
    if (port.node_port) visit(&TakenByServices::ports, static_cast<uint32_t>(port.node_port));
  if (const int32_t port = service.spec->health_check_node_port) visit(&TakenByServices::ports, static_cast<uint32_t>(port));
}

}  // namespace

AddressRange AddressRange::of(std::string_view cidr) {
  const size_t slash = std::min(cidr.find('/'), cidr.size());
  const auto base = parse_ipv4(cidr.substr(0, slash));
  int bits = 0;
  for (char c : cidr.substr(std::min(slash + 1, cidr.size()))) bits = bits * 10 + (c - '0');
  CHECK(base && bits >= 8 && bits <= 30) << "service range " << cidr;
  return {*base + 1, (uint32_t{1} << (32 - bits)) - 2};
}

void TakenByServices::add(const corev1::Service& service) {
  each_number(service, [this](auto set, uint32_t number) { (this->*set).insert(number); });
}

void TakenByServices::remove(const corev1::Service& service) {
  each_number(service, [this](auto set, uint32_t number) { (this->*set).erase(number); });
}

FieldErrors allocate_service(corev1::Service& service, const corev1::Service* old, const ServiceRanges& ranges,
                             TakenByServices taken, RngStream& rng, bool dry_run) {
  auto& spec = service.spec.mut();
  if (old) keep_allocated(spec, *old->spec);
  agree_cluster_ips(spec, old);
  Allocation allocation(ranges, std::move(taken), rng, dry_run);
  FieldErrors errors;
  if (has_cluster_ip(spec)) errors = allocate_addresses(spec, old, allocation);
  if (errors.empty() && has_node_ports(spec)) allocate_node_ports(spec, !old, allocation, errors);
  const bool had_health_port = old && has_health_port(*old->spec);
  if (errors.empty() && has_health_port(spec) && !had_health_port)
    allocation.node_port(spec.health_check_node_port, "spec.healthCheckNodePort", errors);
  if (errors.empty() && old) drop_of_old_type(service, *old->spec);
  return errors;
}

}  // namespace orrery::server
