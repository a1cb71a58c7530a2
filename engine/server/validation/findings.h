#pragma once

#include <initializer_list>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/api/schema.h"
#include "engine/server/errors.h"
#include "engine/server/validation/path.h"

namespace orrery::server {

/// A bad value as messages show it: texts quoted, numbers and flags plain.
struct Shown {
  std::string text;

  Shown(std::string_view value);                         // NOLINT: implicit by design
  Shown(const Str& value) : Shown(value.view()) {}       // NOLINT
  Shown(const std::string& value) : Shown(std::string_view(value)) {}  // NOLINT
  Shown(const char* value) : Shown(std::string_view(value)) {}         // NOLINT
  Shown(bool value) : text(value ? "true" : "false") {}  // NOLINT
  Shown(int32_t value) : text(str_cat(int{value})) {}    // NOLINT
  Shown(int64_t value) : text(str_cat(value)) {}         // NOLINT
  /// As it is.
  static Shown raw(std::string text);
  /// What stands for a struct: its JSON.
  static Shown object(const api::TypeDesc& type, const void* value);
  template <typename T>
  static Shown object(const T& value) {
    return object(T::descriptor(), &value);
  }
  /// Go's notation of lists and maps of texts: []string{"a"}, map[string]string{"a":"b"}.
  static Shown list(const List<Str>& value, std::string_view type = "[]string");
  static Shown map(const Map<Str>& value);

 private:
  struct Raw {};
  Shown(Raw, std::string t) : text(std::move(t)) {}
};

/// What validation has found, in the order and the words of Kubernetes v1.32
/// (apimachinery/pkg/util/validation/field). Nothing is allocated until there is a finding.
class Findings {
 public:
  void required(const Path& at, std::string_view detail = {});
  void forbidden(const Path& at, std::string_view detail);
  void invalid(const Path& at, const Shown& value, std::string_view detail);
  /// Without the value.
  void invalid_here(const Path& at, std::string_view detail);
  /// One finding for each message.
  void invalid(const Path& at, const Shown& value, const std::vector<std::string>& messages);
  void not_supported(const Path& at, const Shown& value, std::span<const std::string_view> supported);
  void not_supported(const Path& at, const Shown& value, std::initializer_list<std::string_view> supported) {
    not_supported(at, value, std::span<const std::string_view>(supported.begin(), supported.size()));
  }
  void duplicate(const Path& at, const Shown& value, std::string_view detail = {});
  void not_found(const Path& at, const Shown& value, std::string_view detail = {});
  void too_long(const Path& at, int64_t bytes_max);
  void too_many(const Path& at, size_t count, size_t count_max);
  void internal(const Path& at, std::string_view detail);

  /// value >= 0.
  void non_negative(int64_t value, const Path& at) {
    if (value < 0) invalid(at, value, kNegative);
  }
  /// One of a few values, else NotSupported; empty is Required.
  void one_of(const Str& value, const Path& at, std::initializer_list<std::string_view> supported);

  /// As found elsewhere.
  void add_found(std::string field, Str reason, std::string detail);

  size_t size() const { return errors_.size(); }
  bool empty() const { return errors_.empty(); }
  FieldErrors take() { return std::move(errors_); }
  /// Appends the findings of `other`.
  void add(Findings other);

  static constexpr std::string_view kNegative = "must be greater than or equal to 0";
  static constexpr std::string_view kNotPositive = "must be greater than zero";
  static constexpr std::string_view kImmutable = "field is immutable";

 private:
  void add(const Path& at, Str reason, std::string detail);

  FieldErrors errors_;
};

/// True if `value` is among `allowed`.
inline bool is_one_of(std::string_view value, std::initializer_list<std::string_view> allowed) {
  for (const std::string_view a : allowed)
    if (a == value) return true;
  return false;
}

}  // namespace orrery::server
