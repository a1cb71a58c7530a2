#include "realmode/etcd/errors.h"

#include <cstdio>

#include "engine/base/str.h"

namespace orrery::realmode {
namespace {

// gRPC's codes, fixed by its specification (doc/statuscodes.md).
enum GrpcCode {
  kInvalidArgument = 3,
  kDeadlineExceeded = 4,
  kNotFound = 5,
  kPermissionDenied = 7,
  kResourceExhausted = 8,
  kFailedPrecondition = 9,
  kOutOfRange = 11,
  kUnavailable = 14,
  kUnauthenticated = 16,
};

bool has(const std::string& message, const char* part) {
  return message.find(part) != std::string::npos;
}

EtcdFailure unavailable(const std::string& message, const std::string& text) {
  EtcdFailure failure;
  failure.transient = true;
  failure.not_applied =
      has(message, "failed to connect to all addresses") || has(message, "etcdserver: no leader");
  failure.status = {has(message, "timed out") ? Code::kTimeout : Code::kServiceUnavailable, text};
  return failure;
}

Code argument_code(const std::string& message) {
  if (has(message, "request is too large")) return Code::kRequestTooLarge;
  if (has(message, "authentication failed") || has(message, "user name is empty"))
    return Code::kUnauthorized;
  return Code::kBadRequest;
}

}  // namespace

EtcdFailure etcd_failure(int grpc_code, const std::string& message) {
  const std::string text = str_cat("etcd: ", message);
  switch (grpc_code) {
    case 0:
      return {};
    case kUnavailable:
      return unavailable(message, text);
    case kDeadlineExceeded:
      return {{Code::kTimeout, text}, false, true, false};
    case kUnauthenticated:
      return {{Code::kUnauthorized, text}, true, false, true};
    case kPermissionDenied:
      return {{Code::kForbidden, text}, true, false, false};
    case kNotFound:
      return {not_found(text), true, false, false};
    case kFailedPrecondition:
      return {{Code::kConflict, text}, true, false, false};
    case kInvalidArgument:
      return {{argument_code(message), text},
              false,
              false,
              has(message, "revision of auth store is old")};
    case kOutOfRange:
      return {{has(message, "compacted") ? Code::kExpired : Code::kBadRequest, text},
              false,
              false,
              false};
    case kResourceExhausted: {
      if (has(message, "larger than max"))
        return {{Code::kRequestTooLarge, text}, true, false, false};
      const bool busy = has(message, "too many requests");
      return {{Code::kServiceUnavailable, text}, busy, busy, false};
    }
    default:
      return {{Code::kInternal, text}, false, false, false};
  }
}

bool version_keeps_progress_in_order(const std::string& version) {
  int major = 0, minor = 0, patch = 0;
  if (std::sscanf(version.c_str(), "%d.%d.%d", &major, &minor, &patch) != 3) return false;
  if (major != 3) return major > 3;
  if (minor == 4) return patch >= 31;
  if (minor == 5) return patch >= 13;
  return minor > 5;
}

}  // namespace orrery::realmode
