#include "engine/sched/node_index.h"

#include "engine/base/check.h"

namespace orrery::sched {

void NodeIndex::assign(std::span<const int32_t> values) {
  values_.assign(values.begin(), values.end());
  blocks_.resize((values_.size() + kBlock - 1) / kBlock);
  const Simd simd = widest_simd();
  for (uint32_t b = 0; b < blocks_.size(); ++b) summarize(simd, b);
}

void NodeIndex::summarize(Simd simd, uint32_t block) {
  const uint32_t begin = block * kBlock, end = std::min(begin + kBlock, size());
  const Summary s = sched::summarize(simd, std::span(values_).subspan(begin, end - begin), kNone);
  blocks_[block] = {s.best, static_cast<uint16_t>(s.best == kNone ? 0 : s.count), static_cast<uint16_t>(s.others)};
}

void NodeIndex::set(uint32_t position, int32_t value) {
  const int32_t old = values_[position];
  if (old == value) return;
  values_[position] = value;
  Block& block = blocks_[position / kBlock];
  if (old == kNone) ++block.feasible;
  if (value == kNone) --block.feasible;
  if (old != kNone && old == block.best && --block.count == 0 && value < old) return summarize(widest_simd(), position / kBlock);
  if (value > block.best) {
    block.best = value;
    block.count = 1;
  } else if (value == block.best && value != kNone) {
    ++block.count;
  }
}

uint32_t NodeIndex::skip_within(uint32_t begin, uint32_t end, uint32_t& skip) const {
  for (uint32_t i = begin; i < end;) {
    if (i % kBlock == 0 && i + kBlock <= end && blocks_[i / kBlock].feasible <= skip) {
      skip -= blocks_[i / kBlock].feasible;
      i += kBlock;
      continue;
    }
    if (values_[i] != kNone && skip-- == 0) return i;
    ++i;
  }
  return end;
}

NodeIndex::Stretch NodeIndex::stretch_of(uint32_t start, uint32_t wanted) const {
  uint32_t left = wanted;
  uint32_t at = skip_within(start, size(), left);
  if (at < size()) return {at - start, wanted};
  at = skip_within(0, start, left);
  if (at < start) return {size() - start + at, wanted};
  return {size(), wanted - left};
}

void NodeIndex::best_within(uint32_t begin, uint32_t end, Best& best) const {
  const auto take = [&](int32_t value, uint32_t count) {
    if (value > best.value) best = {value, count};
    else if (value == best.value && value != kNone) best.count += count;
  };
  uint32_t i = begin;
  for (; i < end && i % kBlock != 0; ++i) take(values_[i], 1);
  for (; i + kBlock <= end; i += kBlock) take(blocks_[i / kBlock].best, blocks_[i / kBlock].count);
  for (; i < end; ++i) take(values_[i], 1);
}

NodeIndex::Best NodeIndex::best(uint32_t start, uint32_t length) const {
  Best best;
  const uint32_t first = std::min(length, size() - start);
  best_within(start, start + first, best);
  best_within(0, length - first, best);
  return best;
}

uint32_t NodeIndex::nth(uint32_t start, uint32_t length, int32_t value, uint32_t k) const {
  uint32_t found = size();
  const auto within = [&](uint32_t begin, uint32_t end) {
    for (uint32_t i = begin; i < end && found == size();) {
      if (i % kBlock == 0 && i + kBlock <= end) {
        const Block& block = blocks_[i / kBlock];
        const uint32_t here = block.best == value ? block.count : 0;
        if (here <= k) {
          k -= here;
          i += kBlock;
          continue;
        }
      }
      if (values_[i] == value && k-- == 0) found = i;
      ++i;
    }
  };
  const uint32_t first = std::min(length, size() - start);
  within(start, start + first);
  within(0, length - first);
  CHECK(found < size()) << "no such node in the stretch";
  return found;
}

}  // namespace orrery::sched
