#pragma once

#include <bit>
#include <cstdint>
#include <span>
#include <utility>

namespace orrery::control {

/// Pattern-defeating quicksort (O. Peters, 2021) with the choices of Go 1.23's sort.Sort. It is not
/// stable, but its permutation is a function of the comparisons alone; where Kubernetes sorts
/// objects that compare equal, or by an order that is not transitive, which of them comes first is
/// observable, so this gives the same one. Never reads outside `items`, whatever `less` answers.
template <typename T, typename Less>
class PdqSort {
 public:
  static void sort(std::span<T> items, Less less) {
    PdqSort sorter{items.data(), less};
    const auto n = static_cast<int64_t>(items.size());
    if (n > 1) sorter.sort_range(0, n, std::bit_width(static_cast<uint64_t>(n)));
  }

 private:
  static constexpr int64_t kInsertionMax = 12;
  static constexpr int64_t kNintherMin = 50;
  static constexpr int64_t kShiftMin = 50;
  static constexpr int kPartialSteps = 5;
  static constexpr int kMaxSwaps = 4 * 3;
  enum class Hint { kUnknown, kIncreasing, kDecreasing };
  struct Pivot {
    int64_t at;
    Hint hint;
  };
  struct Split {
    int64_t middle;
    bool was_partitioned;
  };

  PdqSort(T* items, Less less) : items_(items), less_(less) {}
  bool less(int64_t i, int64_t j) const { return less_(items_[i], items_[j]); }
  void swap(int64_t i, int64_t j) { std::swap(items_[i], items_[j]); }

  void sort_range(int64_t begin, int64_t end, int bad_choices_left) {
    bool balanced = true, partitioned = true;
    while (end - begin > kInsertionMax) {
      if (bad_choices_left == 0) return heap_sort(begin, end);
      if (!balanced) {
        scatter(begin, end);
        --bad_choices_left;
      }
      Pivot pivot = choose_pivot(begin, end);
      if (pivot.hint == Hint::kDecreasing) {
        reverse(begin, end);
        pivot = {end - 1 - (pivot.at - begin), Hint::kIncreasing};
      }
      if (balanced && partitioned && pivot.hint == Hint::kIncreasing && nearly_sorted(begin, end))
        return;
      // Equal to what lies left of the range: so is every element that is not greater.
      if (begin > 0 && !less(begin - 1, pivot.at)) {
        begin = split_off_equal(begin, end, pivot.at);
        continue;
      }
      const Split split = partition(begin, end, pivot.at);
      partitioned = split.was_partitioned;
      const int64_t left = split.middle - begin, right = end - split.middle;
      const int64_t threshold = (end - begin) / 8;
      if (left < right) {
        balanced = left >= threshold;
        sort_range(begin, split.middle, bad_choices_left);
        begin = split.middle + 1;
      } else {
        balanced = right >= threshold;
        sort_range(split.middle + 1, end, bad_choices_left);
        end = split.middle;
      }
    }
    for (int64_t i = begin + 1; i < end; ++i)
      for (int64_t j = i; j > begin && less(j, j - 1); --j) swap(j, j - 1);
  }

  Split partition(int64_t begin, int64_t end, int64_t pivot) {
    swap(begin, pivot);
    int64_t i = begin + 1, j = end - 1;
    bool clean = true;
    for (;; clean = false) {
      while (i <= j && less(i, begin)) ++i;
      while (i <= j && !less(j, begin)) --j;
      if (i > j) break;
      swap(i++, j--);
    }
    swap(j, begin);
    return {j, clean};
  }
  int64_t split_off_equal(int64_t begin, int64_t end, int64_t pivot) {
    swap(begin, pivot);
    int64_t i = begin + 1, j = end - 1;
    for (;;) {
      while (i <= j && !less(begin, i)) ++i;
      while (i <= j && less(begin, j)) --j;
      if (i > j) return i;
      swap(i++, j--);
    }
  }
  bool nearly_sorted(int64_t begin, int64_t end) {
    int64_t i = begin + 1;
    for (int step = 0; step < kPartialSteps; ++step) {
      while (i < end && !less(i, i - 1)) ++i;
      if (i == end) return true;
      if (end - begin < kShiftMin) return false;
      swap(i, i - 1);
      if (i - begin >= 2)
        for (int64_t j = i - 1; j >= 1 && less(j, j - 1); --j) swap(j, j - 1);
      if (end - i >= 2)
        for (int64_t j = i + 1; j < end && less(j, j - 1); ++j) swap(j, j - 1);
    }
    return false;
  }
  Pivot choose_pivot(int64_t begin, int64_t end) const {
    const int64_t length = end - begin, quarter = length / 4;
    int64_t i = begin + quarter, j = begin + quarter * 2, k = begin + quarter * 3;
    int swaps = 0;
    if (length >= kNintherMin) {
      i = median(i - 1, i, i + 1, swaps);
      j = median(j - 1, j, j + 1, swaps);
      k = median(k - 1, k, k + 1, swaps);
    }
    j = median(i, j, k, swaps);
    if (swaps == 0) return {j, Hint::kIncreasing};
    return {j, swaps == kMaxSwaps ? Hint::kDecreasing : Hint::kUnknown};
  }
  int64_t median(int64_t a, int64_t b, int64_t c, int& swaps) const {
    const auto order = [&](int64_t& x, int64_t& y) {
      if (!less(y, x)) return;
      ++swaps;
      std::swap(x, y);
    };
    order(a, b);
    order(b, c);
    order(a, b);
    return b;
  }
  /// Three swaps with pseudo-random places, against inputs that are always split badly.
  void scatter(int64_t begin, int64_t end) {
    const int64_t length = end - begin;
    auto random = static_cast<uint64_t>(length);
    const uint64_t mask = (uint64_t{1} << std::bit_width(random)) - 1;
    const int64_t middle = begin + length / 4 * 2;
    for (int64_t i = 0; i < 3; ++i) {
      random ^= random << 13;
      random ^= random >> 17;
      random ^= random << 5;
      auto other = static_cast<int64_t>(random & mask);
      if (other >= length) other -= length;
      swap(middle - 1 + i, begin + other);
    }
  }
  void reverse(int64_t begin, int64_t end) {
    for (--end; begin < end; ++begin, --end) swap(begin, end);
  }
  void heap_sort(int64_t begin, int64_t end) {
    const int64_t length = end - begin;
    for (int64_t i = (length - 1) / 2; i >= 0; --i) sift_down(i, length, begin);
    for (int64_t i = length - 1; i >= 0; --i) {
      swap(begin, begin + i);
      sift_down(0, i, begin);
    }
  }
  void sift_down(int64_t root, int64_t length, int64_t begin) {
    for (int64_t child = 2 * root + 1; child < length; child = 2 * root + 1) {
      if (child + 1 < length && less(begin + child, begin + child + 1)) ++child;
      if (!less(begin + root, begin + child)) return;
      swap(begin + root, begin + child);
      root = child;
    }
  }

  T* items_;
  Less less_;
};

template <typename T, typename Less>
void pdq_sort(std::span<T> items, Less less) {
  PdqSort<T, Less>::sort(items, less);
}

}  // namespace orrery::control
