#include "sim/world/seeds.h"

#include <charconv>

#include "engine/base/str.h"

namespace orrery::sim {
namespace {

constexpr uint64_t kSeedsMax = 1'000'000;

bool number(std::string_view text, uint64_t* out) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), *out);
  return !text.empty() && error == std::errc() && end == text.data() + text.size();
}

}  // namespace

Result<std::vector<uint64_t>> parse_seeds(std::string_view text) {
  uint64_t from = 0, to = 0;
  const size_t dots = text.find("..");
  const bool ok = dots == std::string_view::npos ? number(text, &from) && number(text, &to)
                                                 : number(text.substr(0, dots), &from) && number(text.substr(dots + 2), &to);
  if (!ok || to < from || to - from >= kSeedsMax)
    return bad_request(str_cat("found \"", text, "\", must be N or A..B with A <= B, at most a million seeds"));
  std::vector<uint64_t> seeds;
  for (uint64_t i = 0; i <= to - from; ++i) seeds.push_back(from + i);
  return seeds;
}

}  // namespace orrery::sim
