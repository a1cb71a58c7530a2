#pragma once

#include <string_view>

#include "engine/ports/api.h"

namespace orrery {

/// Requests as components make them. Kind, namespace and name are the object's own.
ApiRequest get_request(const api::KindDesc& kind, const Str& ns, const Str& name);
/// All objects of a kind; `ns` "" for those of all namespaces.
ApiRequest list_request(const api::KindDesc& kind, const Str& ns);
ApiRequest create_request(api::Object object);
/// `subresource` "" or "status".
ApiRequest update_request(api::Object object, std::string_view subresource = "");
ApiRequest patch_request(const api::KindDesc& kind, const Str& ns, const Str& name, PatchKind type,
                         Str patch, std::string_view subresource = "");
ApiRequest delete_request(const api::KindDesc& kind, const Str& ns, const Str& name,
                          ApiDeleteOptions options = {});

/// The kind of T, e.g. kind_of<corev1::Pod>().
template <typename T>
const api::KindDesc& kind_of() {
  return *T::descriptor().kind;
}

}  // namespace orrery
