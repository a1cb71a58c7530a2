#pragma once

#include "traces/trace.h"

namespace orrery::traces {

Format dlrm_format();

}  // namespace orrery::traces
