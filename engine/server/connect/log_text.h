#pragma once

#include <string>
#include <vector>

#include "engine/api/gen/corev1.h"
#include "engine/ports/container_logs.h"

namespace orrery::server {

/// The lines that the options of pods/log leave of `lines`, as text: those since a time, the last
/// ones, with times before them, cut after so many bytes.
/// Source: Kubernetes v1.32 pkg/kubelet/kuberuntime/logs.
class LogText {
 public:
  LogText(const corev1::PodLogOptions& options, Time now);
  /// The first call: what is there; later ones, with a longer list: what has come since.
  std::string next(const std::vector<LogLine>& lines);
  /// Nothing more is to be printed.
  bool full() const { return full_; }

 private:
  corev1::PodLogOptions options_;
  Time since_;
  bool begun_ = false;
  size_t seen_ = 0;
  int64_t left_ = 0;  // of limitBytes
  bool full_ = false;
};

}  // namespace orrery::server
