#include "engine/api/resource_names.h"

#include "engine/api/names.h"
#include "engine/base/str.h"

namespace orrery::api {

bool is_native_resource(std::string_view name) {
  return name.find('/') == std::string_view::npos || name.find("kubernetes.io/") != std::string_view::npos;
}

bool is_extended_resource(std::string_view name) {
  if (is_native_resource(name) || name.starts_with("requests.")) return false;
  return check_qualified_name(str_cat("requests.", name)).empty();
}

}  // namespace orrery::api
