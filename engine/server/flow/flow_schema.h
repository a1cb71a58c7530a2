#pragma once

#include <string_view>
#include <vector>

#include "engine/api/gen/flowcontrolv1.h"
#include "engine/ports/api.h"
#include "engine/server/rest/request_info.h"

namespace orrery::server {

/// True if the schema is about this request of this user.
/// Source: Kubernetes v1.32 apiserver/pkg/util/flowcontrol/rule.go.
bool flow_schema_matches(const flowcontrolv1::FlowSchemaSpec& schema, const RequestInfo& request,
                         const ApiUser& user);

/// Requests of one schema with the same number are one flow: by user, by namespace, or all of them.
uint64_t flow_of(std::string_view schema_name, const flowcontrolv1::FlowSchemaSpec& schema,
                 const RequestInfo& request, const ApiUser& user);

/// The queues, `hand` of `queues` different ones, that a flow may wait in: shuffle sharding.
/// Source: Kubernetes v1.32 apiserver/pkg/util/shufflesharding. Appended to `out`.
void deal_queues(uint64_t flow, uint32_t queues, uint32_t hand, std::vector<uint32_t>& out);

}  // namespace orrery::server
