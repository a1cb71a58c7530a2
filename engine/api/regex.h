#pragma once

#include <memory>
#include <optional>
#include <string_view>

#include "engine/base/status.h"

namespace orrery::api {

/// A regular expression in the syntax of Go's regexp package, matched in time linear in the text.
class Regex {
 public:
  /// BadRequest: the text is none; the message is Go's ("error parsing regexp: ...").
  static Result<Regex> compile(std::string_view pattern);
  /// True if the pattern is found anywhere in `text`.
  bool found_in(std::string_view text) const;
  /// The first match, leftmost; nullopt: there is none.
  std::optional<std::string_view> find(std::string_view text) const;

 private:
  struct Compiled;
  std::shared_ptr<const Compiled> compiled_;
};

}  // namespace orrery::api
