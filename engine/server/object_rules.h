#pragma once

#include "engine/api/object.h"
#include "engine/server/errors.h"

namespace orrery::server {

/// The new object of a create: status cleared or begun, fields of features that are off dropped, what
/// follows from name and uid filled in, by the kind's rules. Runs after apply_defaults and admission
/// (it may also run before them: then default_after_create finishes the work).
/// Source: Kubernetes v1.32 apiserver/pkg/registry/rest, pkg/registry/*/strategy.go.
void prepare_for_create(api::Object& object);
/// The object of an update of `subresource` ("", "status", or one of the kind's own: a pod's
/// ephemeralcontainers, a certificate request's approval, a namespace's finalize): what such an update
/// may not touch is taken from `old`; metadata.generation rises if the spec has changed.
void prepare_for_update(api::Object& fresh, const api::Object& old, std::string_view subresource, Time now);

/// Findings about an object about to be created, or to replace `old` by an update of `subresource`. `sent`: the kind of the request, if the object was converted from another version.
FieldErrors validate_create(const api::Object& object, const api::KindDesc* sent = nullptr);
/// An update may be warned, too, of what was wrong before.
FieldErrors validate_update(const api::Object& object, const api::Object& old, std::string_view subresource = "",
                            const api::KindDesc* sent = nullptr, std::vector<std::string>* warnings = nullptr);

/// Takes out owner references that stand there more than once; texts for Warning headers about it.
std::vector<std::string> drop_repeated_owners(api::Object& object);

/// Texts for Warning headers about an object that has been accepted by a create, or by an update (not
/// of a subresource) of `old`.
std::vector<std::string> warnings_for(const api::Object& object, const api::Object& old = {});

}  // namespace orrery::server
