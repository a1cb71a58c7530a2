#pragma once

#include "engine/ports/http.h"

namespace orrery::realmode {

/// Makes a call and waits for its answer: for commands, not for servers. HTTP and HTTPS.
/// ServiceUnavailable or Timeout, with the cause, if there is none.
Result<HttpResponse> call_and_wait(const HttpCall& call);

}  // namespace orrery::realmode
