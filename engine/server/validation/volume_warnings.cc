#include "engine/api/names.h"
#include "engine/server/validation/text_rules.h"
#include "engine/server/validation/warnings.h"

namespace orrery::server {
namespace {

// Where a part of a volume puts a file, and what the part is ("": not told).
struct Placed {
  std::string_view path;
  std::string source;

  std::string text() const { return source.empty() ? api::quoted(path) : str_cat(api::quoted(path), " (", source, ")"); }
};

bool is_within(std::string_view path, std::string_view folder) {
  return path.starts_with(folder) && (path.size() == folder.size() || path[folder.size()] == '/');
}

// The files of one volume so far.
class Paths {
 public:
  Paths(std::string begin, Warnings& out) : begin_(std::move(begin)), out_(out) {}

  void add(std::string_view path, const std::string& source) {
    while (path.ends_with('/')) path.remove_suffix(1);
    const Placed fresh{path, source};
    for (const Placed& other : placed_)
      if (!path.empty() && !other.path.empty() && (is_within(other.path, path) || is_within(path, other.path)))
        out_.push_back(str_cat(begin_, ": overlapping paths: ", fresh.text(), " with ", other.text()));
    placed_.push_back(fresh);
  }
  template <typename I>
  void add_all(const List<I>& items, const std::string& source) {
    for (const I& item : items) add(item.path, source);
  }

 private:
  std::string begin_;
  Warnings& out_;
  std::vector<Placed> placed_;
};

template <typename I>
std::vector<Placed> placed(const List<I>& items, const std::string& source) {
  std::vector<Placed> out;
  for (const I& item : items) out.push_back({item.path, source});
  return out;
}

// The files that a source tells, if it tells any.
void tell_paths(const corev1::VolumeProjection& source, std::vector<Placed>& told) {
  if (source.config_map && !source.config_map->items.empty()) {
    told = placed(source.config_map->items, str_cat("ConfigMap ", api::quoted(source.config_map->name)));
  } else if (source.secret && !source.secret->items.empty()) {
    told = placed(source.secret->items, str_cat("Secret ", api::quoted(source.secret->name)));
  } else if (source.downward_api && !source.downward_api->items.empty()) {
    told = placed(source.downward_api->items, "DownwardAPI");
  } else if (source.service_account_token) {
    told = {{source.service_account_token->path, "ServiceAccountToken"}};
  } else if (source.cluster_trust_bundle) {
    const auto& bundle = *source.cluster_trust_bundle;
    told = {{bundle.path, str_cat("ClusterTrustBundle ", api::quoted(bundle.name ? *bundle.name : bundle.signer_name.value_or(Str())))}};
  }
}

bool is_empty(const corev1::VolumeProjection& s) {
  return !s.config_map && !s.secret && !s.downward_api && !s.service_account_token && !s.cluster_trust_bundle;
}

}  // namespace

void warn_of_volume_paths(const List<corev1::Volume>& volumes, Warnings& warnings) {
  for (const corev1::Volume& v : volumes) {
    const auto begin = [&](std::string_view what) { return str_cat("volume ", api::quoted(v.name), " (", what, ")"); };
    if (v.config_map && !v.config_map->items.empty())
      Paths(begin(str_cat("ConfigMap ", api::quoted(v.config_map->name))), warnings).add_all(v.config_map->items, "");
    if (v.secret && !v.secret->items.empty())
      Paths(begin(str_cat("Secret ", api::quoted(v.secret->secret_name))), warnings).add_all(v.secret->items, "");
    if (v.downward_api && !v.downward_api->items.empty()) Paths(begin("DownwardAPI"), warnings).add_all(v.downward_api->items, "");
    if (!v.projected) continue;
    Paths paths(begin("Projected"), warnings);
    // As upstream, a source that tells no files counts as another one of the source before it.
    std::vector<Placed> told;
    for (const auto& source : v.projected->sources) {
      if (is_empty(source)) {
        warnings.push_back(str_cat(begin("Projected"), " has no sources provided"));
        continue;
      }
      tell_paths(source, told);
      for (const Placed& one : told) paths.add(one.path, one.source);
    }
  }
}

void warn_of_fraction(const Map<api::Quantity>& amounts, std::string_view resource, const Path& at, Warnings& warnings) {
  const api::Quantity* amount = amounts.find(resource);
  if (amount && amount->milli_value() % 1000 != 0)
    warn(at.key(resource), str_cat("fractional byte value ", api::quoted(amount->to_string()), " is invalid, must be an integer"), warnings);
}

void warn_of_claim_spec(const corev1::PersistentVolumeClaimSpec& spec, const Path& at, Warnings& warnings) {
  warn_of_fraction(spec.resources.requests, "storage", at.child("resources.requests"), warnings);
  warn_of_fraction(spec.resources.limits, "storage", at.child("resources.limits"), warnings);
}

std::string_view deprecated_label(std::string_view key) {
  struct Row {
    std::string_view key, text;
  };
  static constexpr Row kRows[] = {
      {"beta.kubernetes.io/arch", "deprecated since v1.14; use \"kubernetes.io/arch\" instead"},
      {"beta.kubernetes.io/os", "deprecated since v1.14; use \"kubernetes.io/os\" instead"},
      {"failure-domain.beta.kubernetes.io/region", "deprecated since v1.17; use \"topology.kubernetes.io/region\" instead"},
      {"failure-domain.beta.kubernetes.io/zone", "deprecated since v1.17; use \"topology.kubernetes.io/zone\" instead"},
      {"beta.kubernetes.io/instance-type", "deprecated since v1.17; use \"node.kubernetes.io/instance-type\" instead"},
      {"app.kubernetes.io/created-by", "deprecated since v1.9"},
      {"scheduler.alpha.kubernetes.io/preferAvoidPods", "deprecated since v1.22; use Taints and Tolerations instead"},
      {"node-role.kubernetes.io/master", "use \"node-role.kubernetes.io/control-plane\" instead"},
  };
  for (const Row& row : kRows)
    if (row.key == key) return row.text;
  return {};
}

void warn_of_node_term(const corev1::NodeSelectorTerm& term, const Path& at, Warnings& warnings) {
  for (size_t i = 0; i < term.match_expressions.size(); ++i) {
    const Path here = at.child("matchExpressions", i);
    const Str& key = term.match_expressions[i].key;
    if (const auto text = deprecated_label(key); !text.empty()) warn(here.child("key"), str_cat(key, " is ", text), warnings);
  }
}

}  // namespace orrery::server
