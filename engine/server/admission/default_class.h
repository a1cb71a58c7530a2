#pragma once

#include <string_view>
#include <vector>

#include "engine/api/object.h"

namespace orrery::server {

/// Of the objects with one of the annotations set to "true" the newest, by name among equally old
/// ones; null if there is none. Source: Kubernetes v1.32 pkg/volume/util/storageclass.go and
/// pkg/apis/networking/util/helpers.go.
api::Object newest_default(const std::vector<api::Object>& objects, const std::vector<std::string_view>& annotations);

}  // namespace orrery::server
