#pragma once

#include <string>
#include <string_view>

#include "engine/api/object.h"

namespace orrery::api {

/// Kubernetes' protobuf form, as in etcd and as application/vnd.kubernetes.protobuf: the four
/// bytes k8s\0, then a runtime.Unknown envelope with apiVersion, kind and the object's own message.
/// Fields are written in ascending order of their numbers, value-form fields even when zero.
std::string encode_proto(const Object& object);
Result<Object> decode_proto(std::string_view bytes);

/// The parts of that form, in the memory of `bytes`.
struct ProtoEnvelope {
  std::string_view api_version, kind, message;
};
Result<ProtoEnvelope> open_proto(std::string_view bytes);

/// The bare message of one struct.
std::string encode_proto_message(const TypeDesc& type, const void* object);
Status decode_proto_message(std::string_view bytes, const TypeDesc& type, void* object);

}  // namespace orrery::api
