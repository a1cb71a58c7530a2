#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace orrery::control {

/// Completion indexes of a Job as sorted intervals; as text "1,3-5". Malformed text is read as far
/// as Kubernetes v1.32 pkg/controller/job (indexed_job_utils.go) reads it.
class IndexSet {
 public:
  struct Interval {
    int64_t first, last;  // inclusive
  };

  IndexSet() = default;
  /// What is not below `completions` is left out.
  static IndexSet parse(std::string_view text, int64_t completions);
  /// `indexes` ascending.
  static IndexSet of(std::span<const int64_t> indexes);

  IndexSet merged(const IndexSet& other) const;
  IndexSet with(std::span<const int64_t> indexes) const { return merged(of(indexes)); }
  bool has(int64_t index) const;
  bool empty() const { return intervals_.empty(); }
  /// Number of indexes.
  int64_t total() const;
  std::string text() const;
  const std::vector<Interval>& intervals() const { return intervals_; }

 private:
  std::vector<Interval> intervals_;
};

}  // namespace orrery::control
