#pragma once

#include <string>
#include <string_view>

namespace orrery::server {

/// What is wrong with a cron schedule of five fields or a descriptor ("@daily", "@every 1h"), in the
/// words of github.com/robfig/cron/v3; "": nothing.
std::string check_cron_schedule(std::string_view schedule);

/// True if `name` is a time zone of the IANA database (2024), "UTC" among them.
bool is_time_zone(std::string_view name);

}  // namespace orrery::server
