#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "engine/api/gen/appsv1.h"
#include "engine/api/object.h"

namespace orrery::control {

/// What controllers of rollouts keep of former pod templates: objects of kind ControllerRevision.
/// Kubernetes v1.32 pkg/controller/history, pkg/controller/daemon/update.go.

/// On pods, and on a DaemonSet's revisions: the hash of the revision they are of.
inline constexpr std::string_view kRevisionHashLabel = "controller-revision-hash";

/// The data of the revision of a template: a strategic merge patch that puts the template in place
/// of another, byte for byte as the reference writes it.
std::string template_patch(const corev1::PodTemplateSpec& pod_template);

/// A revision that `owner` controls, in its namespace and with its annotations.
appsv1::ControllerRevision make_revision(const api::Object& owner, Str name, Map<Str> labels,
                                         Str data, int64_t revision);

/// Of an object of kind ControllerRevision.
int64_t revision_number(const api::Object& revision);
const Str& revision_data(const api::Object& revision);

/// 0 if there is none.
int64_t max_revision_number(std::span<const api::Object> revisions);

/// Lowest number first; ties by creation and name.
void sort_revisions(std::vector<api::Object>& revisions);

}  // namespace orrery::control
