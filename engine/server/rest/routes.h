#pragma once

#include "engine/ports/api.h"
#include "engine/server/rest/request_info.h"

namespace orrery::server {

/// Why a request for a resource, or a part of it, leads nowhere.
struct Dead {
  ApiResponse failure;  // OK: it leads somewhere
  bool page = false;    // the answer is "404 page not found" instead
};

/// Of a kind that is served: whether it has that place and takes that method there. Built-in kinds are
/// found by routes, custom ones by what is read from the path. Source: Kubernetes v1.32
/// apiserver/pkg/endpoints/installer.go; apiextensions-apiserver/pkg/apiserver/customresource_handler.go.
Dead dead_end(std::string_view method, const RequestInfo& info, const api::KindDesc& kind);

}  // namespace orrery::server
