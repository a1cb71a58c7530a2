#pragma once

#include <string>
#include <string_view>

namespace orrery::server {

/// An OpenAPI v2 document in JSON as the protobuf message Document, which clients in Go ask for.
/// Not JSON: a programmer's error. Source: github.com/google/gnostic-models v0.6.8,
/// openapiv2/OpenAPIv2.proto.
std::string swagger_proto(std::string_view json);

}  // namespace orrery::server
