#pragma once

#include <string>
#include <vector>

#include "engine/api/json_value.h"
#include "engine/server/print/table.h"
#include "engine/server/rest/negotiation.h"

namespace orrery::server {

/// What metrics.k8s.io answers: one of "PodMetrics" or "NodeMetrics", or a list of them.
struct UsageAnswer {
  std::string_view kind;
  bool one = false;
  std::vector<api::Json> found;
};

/// The representation that an Accept header asks for. Usage has no protobuf form: who takes others too
/// gets one of them.
Result<Representation> negotiate_usage(std::string_view accept);

/// The answer in the form asked for; NotAcceptable if it has none. Of `options` the time and what the
/// rows of a table include are looked at.
Result<api::Json> usage_document(const UsageAnswer& answer, const Representation& as, TableOptions options);

}  // namespace orrery::server
