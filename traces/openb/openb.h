#pragma once

#include "traces/trace.h"

namespace orrery::traces {

Format openb_format();

}  // namespace orrery::traces
