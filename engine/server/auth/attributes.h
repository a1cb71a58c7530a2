#pragma once

#include <string>
#include <string_view>

#include "engine/api/field_selector.h"
#include "engine/ports/api.h"
#include "engine/server/errors.h"

namespace orrery::server {

/// What authorization knows of a request. Source: Kubernetes v1.32 authorizer.Attributes.
struct Attributes {
  ApiUser user;
  /// get, list, watch, create, update, patch, delete, deletecollection, or a verb of a check
  /// (impersonate, bind, escalate, approve, ...); for other paths the HTTP method in lower case.
  Str verb;
  bool is_resource = false;
  Str group;        // "" for core
  Str version;      // "*" in checks that are not about one version
  Str resource;     // plural
  Str subresource;  // "" or e.g. "status"
  Str ns;           // of namespaces/NAME too: NAME
  /// Of the object; of lists and watches the value of a field selector metadata.name=NAME.
  Str name;
  Str path;                           // of requests that are not about resources: "/metrics"
  api::FieldSelector field_selector;  // of list, watch, deletecollection
};

/// A path that is no resource's; `*` at the end of the pattern stands for any rest.
bool path_matches(std::string_view pattern, std::string_view path);

/// May the request pass? Not allowed means: nobody allowed it.
struct Decision {
  bool allowed = false;
  Str reason;  // for people; may be "" either way
  Str error;   // what kept rules from being evaluated
};

/// A failure as metav1.Status tells it: where its details name something else than the request.
struct Refusal {
  Status status;
  Str group;     // details.group
  Str resource;  // details.kind: a plural, or a kind where Kubernetes says so
  Str name;      // details.name
  List<ApiResponse::Cause> causes;
  Ref<metav1::Status> whole = {};  // what is answered instead, as it is: a webhook's own words
  bool is_ok() const { return status.is_ok(); }
};

/// 403 with Kubernetes' text: `pods "p" is forbidden: User "x" cannot get resource "pods" in API
/// group "" in the namespace "y": reason`. Source: v1.32 apiserver responsewriters.Forbidden.
Refusal forbidden(const Attributes& attributes, std::string_view reason);
/// 403 with a text of its own: `pods "p" is forbidden: why` (admission.NewForbidden).
Refusal forbidden(std::string_view group, std::string_view resource, std::string_view name,
                  std::string_view why);
/// 404 of an object: `serviceaccounts "x" not found`.
Refusal not_found(std::string_view group, std::string_view resource, std::string_view name);
/// 422: `KIND.GROUP "NAME" is invalid: ...` with one cause for each finding.
Refusal invalid_refusal(std::string_view group, std::string_view kind, std::string_view name,
                        const FieldErrors& errors);
/// A failure without details.
Refusal plain_refusal(Status status);

}  // namespace orrery::server
