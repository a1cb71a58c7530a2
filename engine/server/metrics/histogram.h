#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

namespace orrery::server {

/// Durations counted by upper bound, for Prometheus text. The bounds are those of kube-apiserver
/// v1.32 for requests (apiserver_request_duration_seconds) and for its store
/// (etcd_request_duration_seconds).
class Histogram {
 public:
  static constexpr std::array<double, 23> kBounds = {0.005, 0.025, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8,
                                                     1,     1.25,  1.5,  2,   3,   4,   5,   6,
                                                     8,     10,    15,   20,  30,  45,  60};
  void observe(double seconds);
  /// NAME_bucket, NAME_sum and NAME_count; `labels` without braces: a="b",c="d".
  void append(std::string& out, std::string_view name, std::string_view labels) const;
  uint64_t count() const { return count_; }

 private:
  std::array<uint64_t, kBounds.size()> counts_{};  // of each bound alone
  uint64_t count_ = 0;
  double sum_ = 0;
};

/// "0.005", "1": as short as it can be told.
std::string metric_number(double number);
/// The HELP and TYPE lines of a metric.
std::string metric_head(std::string_view name, std::string_view type, std::string_view help);

}  // namespace orrery::server
