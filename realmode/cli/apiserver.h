#pragma once

#include "realmode/cli/apiserver_flags.h"

namespace orrery::realmode {

/// `orrery apiserver`: serves until SIGTERM or SIGINT. Once it answers, one line of JSON with its
/// URL goes to standard output. The exit code: 0 after a graceful end, 2 if it cannot start as
/// told.
int run_apiserver(const ApiserverFlags& flags);

}  // namespace orrery::realmode
