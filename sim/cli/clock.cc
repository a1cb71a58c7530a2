// `orrery clock`: reads and moves the clock of a world that `orrery serve` runs.
#include "engine/api/json_value.h"
#include "realmode/http/blocking_call.h"
#include "sim/cli/commands.h"

namespace orrery::cli {
namespace {

constexpr Duration kPatience = Duration::minutes(60);  // a seek runs all that lies between

std::string body_of(const ClockOptions& options) {
  if (options.action == "show") return "";
  api::Json body = api::Json::object();
  if (options.action == "pause" || options.action == "resume") {
    body.set("paused", options.action == "pause");
  } else {
    body.set(options.action, options.value);
  }
  return body.dump();
}

/// "1h2m5s" of seconds.
std::string elapsed(double seconds) {
  const auto whole = static_cast<int64_t>(seconds);
  std::string out;
  if (whole >= 3600) out += str_cat(whole / 3600, "h");
  if (whole >= 60) out += str_cat(whole / 60 % 60, "m");
  return str_cat(out, whole % 60, "s");
}

std::string table(const api::Json& clock) {
  const api::Json& speed = clock["speed"];
  return str_cat("now      ", clock["now"].as_string(), "\nelapsed  ",
                 elapsed(clock["elapsedSeconds"].as_double()), "\nspeed    ",
                 speed.is_string() ? speed.as_string().str() : speed.dump(), "\nevents   ",
                 clock["events"].as_int(), "\n");
}

}  // namespace

Status clock(const ClockOptions& options) {
  HttpCall call;
  call.url = options.server;
  while (call.url.ends_with("/")) call.url.pop_back();
  call.url += "/orrery/clock";
  call.body = body_of(options);
  call.method = call.body.empty() ? "GET" : "POST";
  call.timeout = kPatience;
  auto answer = realmode::call_and_wait(call);
  if (!answer.is_ok()) return answer.status().with_context(str_cat("--server ", options.server));
  const auto clock = api::Json::parse(answer->body);
  if (!clock.is_ok() || !clock->is_object())
    return bad_request(str_cat("--server ", options.server, ": no clock is served there"));
  if (answer->code != 200) return bad_request((*clock)["error"].as_string().str());
  return print(options.format == "json" ? answer->body : table(*clock));
}

}  // namespace orrery::cli
