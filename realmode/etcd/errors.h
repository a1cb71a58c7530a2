#pragma once

#include <string>

#include "engine/base/status.h"

namespace orrery::realmode {

/// What a failed call to etcd means.
struct EtcdFailure {
  Status status;             // what the caller is told if nobody tries again
  bool not_applied = false;  // certain: any call may be tried again
  bool transient = false;    // a call that may run twice may be tried again
  bool bad_token = false;    // the token has expired or its member has restarted: log in again
};

/// By gRPC's status code and etcd's message (etcd api/v3rpc/rpctypes/error.go).
EtcdFailure etcd_failure(int grpc_code, const std::string& message);

/// True if a member of this version ("3.4.31") answers progress requests only after the events
/// before (Kubernetes v1.32 storage/feature/feature_support_checker.go).
bool version_keeps_progress_in_order(const std::string& version);

}  // namespace orrery::realmode
