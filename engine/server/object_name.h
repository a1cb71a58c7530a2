#pragma once

#include <string_view>

#include "engine/base/status.h"
#include "engine/base/str.h"

namespace orrery::server {

/// Whether an object that is to replace the one of the URL has its name.
/// Source: Kubernetes v1.32 apiserver/pkg/endpoints/handlers/rest.go (checkName).
inline Status check_object_name(std::string_view name, std::string_view in_url) {
  if (name == in_url) return Status::ok();
  if (name.empty())
    return bad_request(str_cat("the name of the object (", in_url, " based on URL) was undeterminable: name must be provided"));
  return bad_request(str_cat("the name of the object (", name, ") does not match the name on the URL (", in_url, ")"));
}

}  // namespace orrery::server
