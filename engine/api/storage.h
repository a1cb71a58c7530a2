#pragma once

#include <string>
#include <string_view>

#include "engine/api/object.h"

namespace orrery::api {

/// An object as kube-apiserver v1.32 keeps it in etcd: the protobuf envelope (codec_proto.h), and
/// JSON with a line break for the kinds that aggregate and extend the API (group
/// apiextensions.k8s.io and apiregistration.k8s.io). metadata.resourceVersion and selfLink are left
/// out: the first is the revision of the key.
std::string encode_storage(const Object& object);

bool is_stored_as_json(const KindDesc& kind);

/// Either form back; metadata.resourceVersion is empty. BadRequest for kinds that are not in the
/// schema (custom resources: JSON that the caller keeps as it is) and for encrypted values.
Result<Object> decode_storage(std::string_view bytes);

/// What storing and reading an object makes of it: protobuf knows no difference between an empty and
/// an absent list or map. Kinds that are stored as JSON stay as they are.
void drop_empty_lists(Object& object);

}  // namespace orrery::api
