#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "engine/base/check.h"
#include "engine/base/cow.h"

namespace orrery {

/// Why an operation failed. The names follow the `reason` values of Kubernetes' metav1.Status
/// where one exists, so that a Status crosses the API without translation tables elsewhere.
enum class Code : unsigned char {
  kOk = 0,
  kBadRequest,        // 400
  kUnauthorized,      // 401
  kForbidden,         // 403
  kNotFound,          // 404
  kMethodNotAllowed,  // 405
  kNotAcceptable,     // 406
  kAlreadyExists,     // 409
  kConflict,          // 409
  kGone,              // 410
  kExpired,           // 410, resource version too old
  kRequestTooLarge,   // 413
  kUnsupportedMediaType,  // 415
  kInvalid,           // 422
  kTooManyRequests,   // 429
  kInternal,          // 500
  kServiceUnavailable,  // 503
  kTimeout,           // 504
  kCancelled,         // the caller gave up; never crosses the API
};

/// The Kubernetes reason of a code ("NotFound"), "" for kOk.
std::string_view code_reason(Code code);
/// The HTTP status of a code.
int code_http(Code code);

/// Success, or a code with a message for people. 8 bytes; a success allocates nothing.
class [[nodiscard]] Status {
 public:
  Status() = default;
  Status(Code code, std::string message)
      : rep_(code == Code::kOk ? Ref<Rep>() : Ref<Rep>::make({code, std::move(message)})) {}

  static Status ok() { return Status(); }
  bool is_ok() const { return !rep_; }
  explicit operator bool() const { return is_ok(); }
  Code code() const { return rep_->code; }
  const std::string& message() const { return rep_->message; }
  /// The same failure with "context: " before its message.
  Status with_context(std::string_view context) const;

 private:
  struct Rep {
    Code code = Code::kOk;
    std::string message;
  };
  Ref<Rep> rep_;
};

inline Status bad_request(std::string message) { return {Code::kBadRequest, std::move(message)}; }
inline Status invalid(std::string message) { return {Code::kInvalid, std::move(message)}; }
inline Status not_found(std::string message) { return {Code::kNotFound, std::move(message)}; }
inline Status internal_error(std::string message) { return {Code::kInternal, std::move(message)}; }

/// A value, or the Status that says why there is none.
template <typename T>
class [[nodiscard]] Result {
 public:
  Result(T value) : value_(std::move(value)) {}                  // NOLINT: implicit by design
  Result(Status status) : status_(std::move(status)) {           // NOLINT
    CHECK(!status_.is_ok()) << "a Result without value needs a failure";
  }
  bool is_ok() const { return value_.has_value(); }
  explicit operator bool() const { return is_ok(); }
  const Status& status() const { return status_; }
  const T& value() const& {
    CHECK(is_ok()) << status_.message();
    return *value_;
  }
  T& value() & {
    CHECK(is_ok()) << status_.message();
    return *value_;
  }
  T&& value() && {
    CHECK(is_ok()) << status_.message();
    return std::move(*value_);
  }
  const T& operator*() const& { return value(); }
  T& operator*() & { return value(); }
  T&& operator*() && { return std::move(*this).value(); }
  const T* operator->() const { return &value(); }
  T* operator->() { return &value(); }

 private:
  std::optional<T> value_;
  Status status_;
};

/// Leaves the function with the failure of `expr`, if it fails.
#define ORRERY_TRY(expr)                                     \
  do {                                                       \
    ::orrery::Status orrery_try_status = (expr);             \
    if (!orrery_try_status.is_ok()) return orrery_try_status; \
  } while (false)

#define ORRERY_CONCAT_INNER(a, b) a##b
#define ORRERY_CONCAT(a, b) ORRERY_CONCAT_INNER(a, b)
/// ORRERY_ASSIGN(auto x, f()): x = the value, or leaves the function with the failure.
#define ORRERY_ASSIGN(target, expr)                                        \
  auto ORRERY_CONCAT(orrery_result_, __LINE__) = (expr);                   \
  if (!ORRERY_CONCAT(orrery_result_, __LINE__).is_ok())                    \
    return ORRERY_CONCAT(orrery_result_, __LINE__).status();               \
  target = std::move(*ORRERY_CONCAT(orrery_result_, __LINE__))

}  // namespace orrery
