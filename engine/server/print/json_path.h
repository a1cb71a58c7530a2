#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "engine/api/json_value.h"
#include "engine/base/status.h"

namespace orrery::server {

/// A path into a JSON value as printer columns of custom resources write it, without braces:
///   .spec.replicas   .metadata.labels.a\.b   ['a.b']   .items[0]   .items[-1:]   .items[*].name
///   .status.conditions[?(@.type=="Ready")].status   ..name   [0,2]
/// Missing members give no results. Source: Kubernetes v1.32 client-go/util/jsonpath.
class JsonPath {
 public:
  /// BadRequest: the text is no path of this kind.
  static Result<JsonPath> parse(std::string_view text);
  /// Pointers into `root`, in document order.
  std::vector<const api::Json*> find(const api::Json& root) const;

 private:
  struct Step;
  friend class JsonPathParser;
  static void apply(const Step& step, const api::Json& value, std::vector<const api::Json*>& out);
  static bool holds(const Step& step, const api::Json& item);
  static void all_below(const api::Json& value, std::vector<const api::Json*>& out);

  std::vector<std::shared_ptr<const Step>> steps_;
};

}  // namespace orrery::server
