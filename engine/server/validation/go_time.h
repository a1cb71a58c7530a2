#pragma once

#include <string>

#include "engine/api/scalars.h"

namespace orrery::server {

/// A time as Go prints it: "2024-01-02 03:04:05.5 +0000 UTC"; an unset one is that of year 1.
inline std::string go_time(const api::Timestamp& time) {
  if (time == api::Timestamp()) return "0001-01-01 00:00:00 +0000 UTC";
  std::string text = api::format_time_nano(time);
  text[text.find('T')] = ' ';
  if (text.ends_with('Z')) text.pop_back();
  return text + " +0000 UTC";
}

}  // namespace orrery::server
