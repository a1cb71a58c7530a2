#pragma once

#include "engine/api/gen/corev1.h"
#include "engine/server/validation/path.h"

namespace orrery::server {

using Warnings = std::vector<std::string>;

/// Warnings about a pod or a template; the paths are those of its spec and its annotations.
/// Source: Kubernetes v1.32 pkg/api/pod/warnings.go.
void warn_of_pod_spec(const corev1::PodSpec& spec, const metav1::ObjectMeta& meta, const Path& at, const Path& annotations,
                      bool is_template, Warnings& warnings);
void warn_of_template(const corev1::PodTemplateSpec& tmpl, const Path& at, Warnings& warnings);
/// Warnings about paths that two parts of a volume both have.
void warn_of_volume_paths(const List<corev1::Volume>& volumes, Warnings& warnings);

/// Parts that several kinds have.
void warn_of_claim_spec(const corev1::PersistentVolumeClaimSpec& spec, const Path& at, Warnings& warnings);
void warn_of_node_term(const corev1::NodeSelectorTerm& term, const Path& at, Warnings& warnings);
/// What to use instead of a label of nodes; "" if it is not deprecated.
std::string_view deprecated_label(std::string_view key);
/// An amount that is no whole number of bytes.
void warn_of_fraction(const Map<api::Quantity>& amounts, std::string_view resource, const Path& at, Warnings& warnings);

inline void warn(const Path& at, std::string_view text, Warnings& warnings) { warnings.push_back(str_cat(at.text(), ": ", text)); }

}  // namespace orrery::server
