#include "engine/server/connect/log_text.h"

#include <algorithm>
#include <limits>

#include "engine/api/scalars.h"

namespace orrery::server {

LogText::LogText(const corev1::PodLogOptions& options, Time now)
    : options_(options),
      since_{INT64_MIN},
      left_(options.limit_bytes.value_or(std::numeric_limits<int64_t>::max())) {
  if (options.since_time) since_ = options.since_time->time();
  if (options.since_seconds) since_ = now - Duration::seconds(*options.since_seconds);
}

std::string LogText::next(const std::vector<LogLine>& lines) {
  std::vector<const LogLine*> chosen;
  for (size_t i = std::min(seen_, lines.size()); i < lines.size(); ++i)
    if (lines[i].time >= since_) chosen.push_back(&lines[i]);
  seen_ = lines.size();
  if (!begun_ && options_.tail_lines && chosen.size() > static_cast<size_t>(*options_.tail_lines))
    chosen.erase(chosen.begin(), chosen.end() - *options_.tail_lines);
  begun_ = true;
  std::string out;
  for (const LogLine* line : chosen) {
    if (options_.timestamps) out += api::format_time_nano(api::Timestamp(line->time)) + " ";
    out += line->text + "\n";
  }
  if (static_cast<int64_t>(out.size()) >= left_) {
    out.resize(static_cast<size_t>(left_));
    full_ = true;
  }
  left_ -= static_cast<int64_t>(out.size());
  return out;
}

}  // namespace orrery::server
