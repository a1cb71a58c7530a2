#pragma once

#include <functional>
#include <span>
#include <string>
#include <vector>

#include "engine/api/label_selector.h"
#include "engine/api/object.h"
#include "engine/runtime/replayed_sync.h"

namespace orrery::control {

/// The owner reference by which `owner` controls its dependents.
metav1::OwnerReference controller_reference(const api::Object& owner);

/// True if `owner` has to look at `object` at all: it controls it, or nobody does and it could
/// adopt it.
bool may_claim(const api::Object& owner, const api::Object& object);

/// True if both name the same controller, or none.
bool same_controller(const api::Object& a, const api::Object& b);

void sort_by_name(std::vector<api::Object>& objects);

/// Sorts out what belongs to `owner`: adopts orphans that `selector` matches, releases what it
/// controls but no longer matches, leaves others alone. `candidates` are worked on in their order
/// (sort them by name); what is owner's afterwards is appended to `claimed`, as it was in
/// `candidates`. Before the first adoption the owner is read anew: one that is being deleted adopts
/// nothing. `finalizers` are added with an adoption and removed with a release. `is_member`, if
/// given, has to hold as well as the selector.
/// Fails with all errors joined; a dependent that is gone meanwhile is no error.
/// Kubernetes v1.32 pkg/controller, BaseControllerRefManager.
Status claim_objects(const api::Object& owner, const api::Selector& selector,
                     std::span<const api::Object> candidates, WriteLog& log,
                     std::vector<api::Object>& claimed, std::span<const Str> finalizers = {},
                     const std::function<bool(const api::Object&)>& is_member = {});

/// Reads `owner` anew: fails unless it is still there and not being deleted, so that it may adopt.
Status check_may_adopt(const api::Object& owner, WriteLog& log);

/// The strategic patch by which `owner` adopts the object of that uid.
std::string adoption_patch(const api::Object& owner, const Str& uid,
                           std::span<const Str> finalizers = {});

/// One failure of several: their distinct messages as "[a, b]", or the one alone.
Status join_failures(std::span<const Status> failures);

}  // namespace orrery::control
