#pragma once

#include <map>
#include <string>
#include <vector>

#include "engine/base/time.h"

namespace orrery::sim {

/// The states in which a run leaves a pod.
struct PodCounts {
  int64_t submitted = 0;
  int64_t pending = 0;        // never bound
  int64_t bound = 0;          // bound, not (yet) running
  int64_t running = 0;
  int64_t succeeded = 0;
  int64_t failed = 0;
  int64_t deleted = 0;        // gone after having been bound
  int64_t dropped = 0;        // gone without ever having been bound
};

/// Percentiles of a distribution, in seconds of virtual time.
struct Percentiles {
  int64_t count = 0;
  double mean = 0, p50 = 0, p90 = 0, p99 = 0, max = 0;
};

Percentiles percentiles(std::vector<double> values);

/// One line of pods.csv. Times are seconds since the start; -1: never.
struct PodRow {
  std::string name;
  std::string node;
  std::string state;
  double created = -1, bound = -1, running = -1, finished = -1;
  int64_t cpu_milli = 0, memory_bytes = 0, gpu_milli = 0;
};

/// One sample of the time series.
struct Sample {
  double time = 0;
  int64_t pending = 0, bound = 0, running = 0;
  double cpu_allocated_pct = 0, memory_allocated_pct = 0, gpu_allocated_pct = 0;
  double cpu_used_pct = 0, memory_used_pct = 0, gpu_used_pct = 0;
  double gpu_arrived_pct = 0;         // requested so far, of capacity
  double gpu_fragmentation_pct = 0;   // F_cluster of capacity; 0 without typical pods
};

/// Means over all samples whose arrived share rounds to the same percent.
struct ArrivalBin {
  int64_t samples = 0;
  double unallocated_pct = 0, fragmentation_pct = 0, fragmentation_rate_pct = 0;
};

/// What a run of one scenario with one seed gives. Equal inputs give equal results but for the
/// fields of `Cost`.
struct RunResult {
  std::string scenario;
  uint64_t seed = 0;
  std::vector<std::pair<std::string, std::string>> parameters;
  double virtual_seconds = 0;
  int64_t nodes = 0;
  int64_t cpu_milli_capacity = 0, memory_capacity = 0, gpu_milli_capacity = 0;
  PodCounts pods;
  Percentiles queue_wait;   // created (gates lifted) to the attempt that bound it
  Percentiles scheduling;   // created to bound
  Percentiles startup;      // bound to running
  uint64_t scheduling_attempts = 0;
  uint64_t events = 0;
  uint64_t object_writes = 0;
  uint64_t digest = 0;
  std::vector<Sample> series;
  std::vector<PodRow> rows;
  std::map<int64_t, ArrivalBin> by_arrival;
  std::string timeline;     // timeline.jsonl, if it was asked for

  struct Cost {
    double wall_seconds = 0;
    int64_t peak_memory_bytes = 0;
  } cost;
};

}  // namespace orrery::sim
