#pragma once

#include "traces/trace.h"

namespace orrery::traces {

Format azure_vm_format();

}  // namespace orrery::traces
