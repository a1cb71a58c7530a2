#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>

#include "engine/api/cel/expression.h"

namespace orrery::api::cel {

/// Parsed expressions by their source: one that is evaluated again is not parsed again. Holds the
/// kKept that were used last, and up to as many before them.
class Programs {
 public:
  using Parsed = Result<std::unique_ptr<Expression>>;
  static constexpr size_t kKept = 1024;

  /// As parse(); valid for as long as the caller holds it.
  std::shared_ptr<const Parsed> of(std::string_view source);
  /// How many have been parsed since the beginning.
  size_t parsed() const { return parsed_; }

 private:
  using Sources = std::unordered_map<std::string, std::shared_ptr<const Parsed>>;
  Sources recent_, older_;
  size_t parsed_ = 0;
};

}  // namespace orrery::api::cel
