#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "engine/base/status.h"
#include "engine/base/str.h"

namespace orrery::api {

/// ?fieldSelector=: equalities and inequalities over named fields ("spec.nodeName=n1,status.phase!=Failed").
class FieldSelector {
 public:
  struct Term {
    Str field;
    Str value;
    bool equal = true;
  };
  static Result<FieldSelector> parse(std::string_view text);

  /// `lookup` gives the value of a field, "" for one that the object lacks.
  bool matches(const std::function<Str(const Str& field)>& lookup) const;
  bool empty() const { return terms_.empty(); }
  /// Sorted by their text.
  const std::vector<Term>& terms() const { return terms_; }
  std::string to_string() const;
  std::optional<Str> exact_match(std::string_view field) const;

  static std::string escape(std::string_view value);
  static Result<std::string> unescape(std::string_view value);

 private:
  std::vector<Term> terms_;
};

}  // namespace orrery::api
