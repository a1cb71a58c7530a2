#pragma once

#include "engine/api/object.h"
#include "engine/ports/store.h"

namespace orrery::server {

/// The version in which a resource's objects are stored. Source: Kubernetes v1.32
/// pkg/kubeapiserver/default_storage_factory_builder.go.
const api::KindDesc& storage_kind(const api::KindDesc& kind);

/// The object in another version of its kind; itself if it is of that version. CHECK: no such
/// conversion.
api::Object convert(const api::Object& object, const api::KindDesc& to);

/// The object of a stored value of a kind, without TypeMeta; null if the value is empty or cannot be
/// read.
api::Object object_of(const KeyValue& kv, const api::KindDesc& kind);

/// What reading makes of an object that is stored: a custom one as the schema of today has it.
api::Object as_read(const api::Object& stored, const api::KindDesc& kind);

/// What storing an object and reading it again makes of it: absent lists instead of empty ones.
void make_as_stored(api::Object& object);

}  // namespace orrery::server
