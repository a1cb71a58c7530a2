#include <algorithm>

#include "engine/api/names.h"
#include "engine/server/validation/jobs.h"

namespace orrery::server {
namespace {

struct Interval {
  int64_t first, last;
};

Result<int64_t> parse_index(std::string_view text, int64_t completions) {
  const bool digits = !text.empty() && text.size() < 18 && std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
  if (!digits) return invalid(str_cat("cannot convert string to integer for index: ", api::quoted(text)));
  int64_t value = 0;
  for (const char c : text) value = value * 10 + (c - '0');
  if (value >= completions) return invalid(str_cat("too large index: ", api::quoted(text)));
  return value;
}

Result<Interval> parse_interval(std::string_view text, int64_t completions) {
  const auto ends = split(text, '-');
  if (ends.size() > 2)
    return invalid(str_cat("the fragment ", api::quoted(text),
                           " violates the requirement that an index interval can have at most two parts separated by '-'"));
  ORRERY_ASSIGN(const int64_t first, parse_index(ends[0], completions));
  if (ends.size() == 1) return Interval{first, first};
  ORRERY_ASSIGN(const int64_t last, parse_index(ends[1], completions));
  if (first >= last) return invalid(str_cat("non-increasing order, previous: ", first, ", current: ", last));
  return Interval{first, last};
}

std::vector<Interval> intervals(std::string_view indexes, int64_t completions) {
  std::vector<Interval> out;
  for (const std::string_view part : split(indexes, ','))
    if (const auto interval = parse_interval(part, completions); interval.is_ok()) out.push_back(*interval);
  return out;
}

}  // namespace

Result<int64_t> count_indexes(std::string_view indexes, int64_t completions) {
  if (indexes.empty()) return int64_t{0};
  int64_t total = 0, previous = -1;
  for (const std::string_view part : split(indexes, ',')) {
    ORRERY_ASSIGN(const Interval interval, parse_interval(part, completions));
    if (previous >= interval.first)
      return invalid(str_cat("non-increasing order, previous: ", previous, ", current: ", interval.first));
    total += interval.last - interval.first + 1;
    previous = interval.last;
  }
  return total;
}

std::string check_no_common_index(std::string_view completed, std::string_view failed, int64_t completions) {
  if (completed.empty() || failed.empty()) return "";
  const auto a = intervals(completed, completions), b = intervals(failed, completions);
  for (size_t i = 0, k = 0; i < a.size() && k < b.size();) {
    if (a[i].first <= b[k].last && b[k].first <= a[i].last)
      return str_cat("failedIndexes and completedIndexes overlap at index: ", std::max(a[i].first, b[k].first));
    if (a[i].first <= b[k].first) ++i;
    else ++k;
  }
  return "";
}

}  // namespace orrery::server
