#pragma once

#include "engine/server/auth/authorizer.h"
#include "engine/server/auth/object_reader.h"

namespace orrery::server {

/// A write as the admission plugins see it. Source: Kubernetes v1.32 admission.Attributes.
struct AdmissionRequest {
  enum class Operation : uint8_t { kCreate, kUpdate, kDelete };  // a patch is an update
  Operation operation = Operation::kCreate;
  ApiUser user;                         // without a name: a component of this process
  const api::KindDesc* kind = nullptr;  // of the resource, e.g. Pod also for pods/eviction
  Str subresource;
  Str ns;
  Str name;            // of the path; "" for creates of main resources
  api::Object object;  // the new one (of a subresource: its body); null for deletes
  api::Object old;     // updates and deletes
};

/// True for writes of this process: no request of a client.
inline bool is_own(const AdmissionRequest& request) { return request.user.name.empty(); }

}  // namespace orrery::server
