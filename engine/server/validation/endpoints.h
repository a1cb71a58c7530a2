#pragma once

#include "engine/server/validation/registry.h"

namespace orrery::server {

CheckRow endpoints_row();

}  // namespace orrery::server
