#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "engine/api/gen/corev1.h"
#include "engine/base/rng.h"
#include "engine/base/status.h"
#include "engine/base/time.h"

namespace orrery::traces {

/// One pod of a trace.
struct WorkloadEvent {
  std::string name;
  Duration arrival;                  // since the start of the trace
  std::optional<Duration> lifetime;  // from arrival to deletion; nullopt: stays
  int64_t cpu_milli = 0;
  int64_t memory_bytes = 0;
  int32_t gpu_count = 0;
  int32_t gpu_milli = 0;             // of each GPU
  std::string gpu_models;            // "A|B"; "": any
};

/// One node of a trace.
struct NodeShape {
  std::string name;
  int64_t cpu_milli = 0;
  int64_t memory_bytes = 0;
  int32_t gpu_count = 0;
  std::string gpu_model;
  int64_t pods = 110;
};

/// Reads pods one after the other. Files are opened by path; ".gz" is unpacked. Errors name file,
/// line, column, what was found and what is allowed.
class WorkloadReader {
 public:
  virtual ~WorkloadReader() = default;
  /// False at the end.
  virtual Result<bool> next(WorkloadEvent* out) = 0;
};

/// A trace format: its pods, and its nodes where it has them.
struct Format {
  std::string_view name;
  std::string_view about;
  Result<std::unique_ptr<WorkloadReader>> (*open)(const std::string& path);
  Result<std::vector<NodeShape>> (*nodes)(const std::string& path);  // nullptr: has none
};
std::span<const Format> formats();
const Format* find_format(std::string_view name);
/// All pods of a file.
Result<std::vector<WorkloadEvent>> read_workload(const Format& format, const std::string& path);

/// The whole file, unpacked if its name ends in ".gz". NotFound if it cannot be read.
Result<std::string> read_file(const std::string& path);

/// Kubernetes objects of a trace's pods and nodes. Pods of one shape share the parts of their spec.
class PodFactory {
 public:
  explicit PodFactory(Str ns) : ns_(std::move(ns)) {}
  corev1::Pod pod(const WorkloadEvent& event);
  /// The name that the pod of an event gets.
  static std::string name_of(const WorkloadEvent& event);

 private:
  Str ns_;
  std::vector<std::pair<WorkloadEvent, corev1::Pod>> shapes_;
};
corev1::Node make_node(const NodeShape& shape);

/// Workload transforms. Each draws from `rng` alone.
void shuffle(std::vector<WorkloadEvent>& events, RngStream& rng);
/// `count` pods drawn uniformly from `pool`, with replacement; their names get a number.
std::vector<WorkloadEvent> resample(const std::vector<WorkloadEvent>& pool, size_t count, RngStream& rng);
/// Appends uniformly drawn pods of `pool` until the requested GPU share of `gpu_milli_capacity`
/// would be passed, or removes drawn ones until it is not. Source: Weng et al., USENIX ATC 2023,
/// the published experiment's tuning of the load.
void tune_to_gpu_ratio(std::vector<WorkloadEvent>& events, const std::vector<WorkloadEvent>& pool, double ratio,
                       int64_t gpu_milli_capacity, RngStream& rng);

}  // namespace orrery::traces
