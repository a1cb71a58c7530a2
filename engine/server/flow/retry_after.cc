#include "engine/server/flow/retry_after.h"

#include <algorithm>

namespace orrery::server {
namespace {

constexpr int64_t kSecondsMax = 32;
constexpr int64_t kManyPerSecond = 3;

}  // namespace

int RetryAfter::refused(const Str& name, Time now) {
  Level& level = levels_[name];
  const int64_t second = now.ns / Duration::seconds(1).ns;
  if (level.current.at != second) next_second(level, second);
  ++level.current.refused;
  return static_cast<int>(level.seconds);
}

// What was refused in the seconds before decides.
void RetryAfter::next_second(Level& level, int64_t now) {
  level.before.push_back(level.current);
  level.current = {now, 0};
  while (level.before.front().at < level.before.back().at - kSecondsMax) level.before.pop_front();
  int64_t refused = 0;
  for (const Second& second : level.before)
    if (now - second.at <= level.seconds) refused += second.refused;
  if (now - level.raised >= level.seconds && refused >= kManyPerSecond * level.seconds) {
    level.seconds = std::min(2 * level.seconds, kSecondsMax);
    level.raised = now;
  } else if (refused < level.seconds && level.seconds > 1) {
    --level.seconds;
  }
}

}  // namespace orrery::server
