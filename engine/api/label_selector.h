#pragma once

#include <optional>
#include <string>
#include <vector>

#include "engine/api/gen/metav1.h"
#include "engine/base/cow.h"
#include "engine/base/status.h"

namespace orrery::api {

using Labels = Map<Str>;

enum class SelectorOp : uint8_t {
  kIn, kNotIn, kEquals, kDoubleEquals, kNotEquals, kExists, kDoesNotExist, kGreaterThan, kLessThan,
};

/// The operator as label selectors spell it: "in", "notin", "=", "==", "!=", "exists", "!", "gt", "lt".
std::string_view selector_op_text(SelectorOp op);

/// One condition on labels. Matching allocates nothing.
class Requirement {
 public:
  /// Checks key, operator and values; `path` prefixes the field names in the error ("" for none).
  static Result<Requirement> make(Str key, SelectorOp op, std::vector<Str> values, std::string_view path);
  /// Without checks, for texts that are known to be valid.
  static Requirement unchecked(Str key, SelectorOp op, std::vector<Str> values);

  bool matches(const Labels& labels) const;
  /// On one value, or nullptr for an absent key.
  bool matches_value(const Str* value) const;
  const Str& key() const { return key_; }
  SelectorOp op() const { return op_; }
  /// Sorted.
  const std::vector<Str>& values() const { return values_; }
  std::string to_string() const;

 private:
  Str key_;
  SelectorOp op_ = SelectorOp::kExists;
  std::vector<Str> values_;
  int64_t bound_ = 0;  // of kGreaterThan and kLessThan
};

/// A conjunction of requirements, sorted by key; none of them: everything matches.
class Selector {
 public:
  Selector() = default;
  explicit Selector(std::vector<Requirement> requirements);
  static Selector nothing();
  /// The text form of ?labelSelector= and kubectl -l.
  static Result<Selector> parse(std::string_view text);
  /// nullptr selects nothing, an empty LabelSelector everything.
  static Result<Selector> of(const metav1::LabelSelector* selector);
  /// All pairs must be equal (matchLabels, spec.selector of a Service).
  static Selector of_labels(const Labels& labels);

  bool matches(const Labels& labels) const;
  /// Matches whatever the labels (false for nothing()).
  bool empty() const { return !nothing_ && requirements_.empty(); }
  bool is_nothing() const { return nothing_; }
  const std::vector<Requirement>& requirements() const { return requirements_; }
  std::string to_string() const;
  /// The one value that `key` must have, if there is one.
  std::optional<Str> exact_match(std::string_view key) const;

 private:
  bool nothing_ = false;
  std::vector<Requirement> requirements_;
};

/// As kubectl prints a selector: "<none>" if it is empty, "<error>" if it is invalid.
std::string format_label_selector(const metav1::LabelSelector* selector);
/// The selector as plain pairs; fails where an operator has no such form.
Result<Labels> label_selector_as_map(const metav1::LabelSelector* selector);

}  // namespace orrery::api
