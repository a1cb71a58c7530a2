#include "engine/control/job/index_set.h"

#include <algorithm>
#include <charconv>
#include <optional>

#include "engine/base/str.h"

namespace orrery::control {
namespace {

std::optional<int64_t> number_of(std::string_view text) {
  if (text.starts_with('+')) text.remove_prefix(1);
  int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

/// "3" or "3-5"; a third part is ignored.
std::optional<IndexSet::Interval> interval_of(std::string_view text) {
  const size_t dash = text.find('-');
  const auto first = number_of(text.substr(0, dash));
  if (!first) return std::nullopt;
  if (dash == std::string_view::npos) return IndexSet::Interval{*first, *first};
  std::string_view rest = text.substr(dash + 1);
  const auto last = number_of(rest.substr(0, rest.find('-')));
  if (!last) return std::nullopt;
  return IndexSet::Interval{*first, *last};
}

}  // namespace

IndexSet IndexSet::parse(std::string_view text, int64_t completions) {
  IndexSet set;
  while (!text.empty()) {
    const size_t comma = text.find(',');
    auto interval = interval_of(text.substr(0, comma));
    text = comma == std::string_view::npos ? "" : text.substr(comma + 1);
    if (!interval) continue;
    if (interval->first >= completions) break;
    interval->last = std::min(interval->last, completions - 1);
    if (!set.intervals_.empty() && set.intervals_.back().last == interval->first - 1) {
      set.intervals_.back().last = interval->last;
    } else {
      set.intervals_.push_back(*interval);
    }
  }
  return set;
}

IndexSet IndexSet::of(std::span<const int64_t> indexes) {
  IndexSet set;
  for (const int64_t index : indexes) set.intervals_.push_back({index, index});
  return set;
}

IndexSet IndexSet::merged(const IndexSet& other) const {
  std::vector<Interval> all(intervals_.size() + other.intervals_.size());
  std::merge(intervals_.begin(), intervals_.end(), other.intervals_.begin(), other.intervals_.end(),
             all.begin(), [](const Interval& a, const Interval& b) { return a.first < b.first; });
  IndexSet set;
  for (const Interval& next : all) {
    if (set.intervals_.empty() || next.first > set.intervals_.back().last + 1) {
      set.intervals_.push_back(next);
    } else {
      set.intervals_.back().last = std::max(set.intervals_.back().last, next.last);
    }
  }
  return set;
}

bool IndexSet::has(int64_t index) const {
  const auto it =
      std::lower_bound(intervals_.begin(), intervals_.end(), index,
                       [](const Interval& interval, int64_t i) { return interval.last < i; });
  return it != intervals_.end() && it->first <= index;
}

int64_t IndexSet::total() const {
  int64_t total = 0;
  for (const Interval& interval : intervals_) total += interval.last - interval.first + 1;
  return total;
}

std::string IndexSet::text() const {
  std::string text;
  for (const Interval& interval : intervals_) {
    if (!text.empty()) text += ',';
    text += std::to_string(interval.first);
    if (interval.last > interval.first)
      text += str_cat(interval.last == interval.first + 1 ? "," : "-", interval.last);
  }
  return text;
}

}  // namespace orrery::control
