#include "engine/runtime/replayed_sync.h"

namespace orrery {

const ApiResponse& WriteLog::unanswered() {
  static const ApiResponse kUnanswered = [] {
    ApiResponse response;
    response.status = Status(Code::kCancelled, "not answered yet");
    return response;
  }();
  return kUnanswered;
}

}  // namespace orrery
