#pragma once

#include <string>
#include <vector>

#include "engine/api/object.h"
#include "engine/base/status.h"
#include "engine/base/time.h"

namespace orrery {

/// A line that a container has printed.
struct LogLine {
  Time time;
  std::string text;  // without the line break
};

/// Port: what the containers of this process' own nodes print, for an API server that has no kubelets
/// to ask.
class ContainerLogs {
 public:
  virtual ~ContainerLogs() = default;
  /// What a container of the pod (as it is now) has printed, oldest first; `previous`: its run before
  /// the last restart. BadRequest if there is no such run, with a kubelet's words.
  virtual Result<std::vector<LogLine>> read(const api::Object& pod, const std::string& container,
                                            bool previous) const = 0;
};

}  // namespace orrery
