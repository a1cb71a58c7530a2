#include "engine/base/status.h"

#include <array>

namespace orrery {
namespace {

struct CodeRow {
  std::string_view reason;
  int http;
};

// Indexed by Code. Source: Kubernetes v1.32 metav1 StatusReason and its HTTP codes.
constexpr std::array<CodeRow, 19> kRows = {{
    {"", 200},
    {"BadRequest", 400},
    {"Unauthorized", 401},
    {"Forbidden", 403},
    {"NotFound", 404},
    {"MethodNotAllowed", 405},
    {"NotAcceptable", 406},
    {"AlreadyExists", 409},
    {"Conflict", 409},
    {"Gone", 410},
    {"Expired", 410},
    {"RequestEntityTooLarge", 413},
    {"UnsupportedMediaType", 415},
    {"Invalid", 422},
    {"TooManyRequests", 429},
    {"InternalError", 500},
    {"ServiceUnavailable", 503},
    {"Timeout", 504},
    {"", 499},
}};

}  // namespace

std::string_view code_reason(Code code) { return kRows[static_cast<size_t>(code)].reason; }

int code_http(Code code) { return kRows[static_cast<size_t>(code)].http; }

Status Status::with_context(std::string_view context) const {
  if (is_ok()) return *this;
  return Status(code(), std::string(context) + ": " + message());
}

}  // namespace orrery
