// `orrery serve`: the HTTP front of realmode before a world in virtual time. The composition root is
// the one place where both meet.
#include <pthread.h>
#include <signal.h>

#include <cmath>
#include <cstdio>
#include <map>

#include "engine/api/json_value.h"
#include "engine/api/scalars.h"
#include "realmode/http/http_server.h"
#include "realmode/loop/loop.h"
#include "sim/cli/commands.h"
#include "sim/world/world.h"

namespace orrery::cli {
namespace {

constexpr size_t kEventsPerTurn = 20'000;                  // then requests are looked at again
constexpr Duration kTick = Duration::millis(10);           // real time between two turns
constexpr std::string_view kClockPath = "/orrery/clock";

/// How virtual time follows real time.
class Pace {
 public:
  static Result<double> parse(std::string_view text) {
    if (text == "max") return INFINITY;
    if (text == "paused") return 0.0;
    const api::Json number = [&] {
      auto json = api::Json::parse(text);
      return json.is_ok() ? *json : api::Json();
    }();
    if (number.is_number() && number.as_double() > 0) return number.as_double();
    return bad_request(str_cat("speed: found \"", text, "\", must be a number above 0, max or paused"));
  }
  void set(double speed, Time real, Time world) {
    if (speed != 0) moving_ = speed;
    speed_ = speed;
    real_ = real;
    world_ = world;
  }
  /// Where the world should be.
  Time target(Time real) const {
    if (std::isinf(speed_)) return Time::max();
    return world_ + duration_from_seconds((real - real_).to_seconds() * speed_);
  }
  double speed() const { return speed_; }
  /// The last one that was not "paused".
  double moving() const { return moving_; }

 private:
  double speed_ = 1, moving_ = 1;
  Time real_, world_;
};

/// Runs the world on the loop's worker, turn by turn, and hands requests in and answers out. Requests
/// take no virtual time of their own, so that a paused world answers too.
class Bridge final : public HttpTransport, public LaneHandler {
 public:
  Bridge(realmode::Loop* loop) : loop_(loop), lane_(loop->open("world", this)) {}
  void begin(realmode::HttpServer* http, sim::World* world, double speed) {
    http_ = http;
    world_ = world;
    start_ = world->now();
    while (world->advance(start_, kEventsPerTurn)) {  // what is there from the start
    }
    pace_.set(speed, loop_->now(), world->now());
    http_->subscribe(lane_);
    loop_->post(lane_, {EventKind::kTimer, 0, 0, 0});
  }

  void handle(const Ctx& ctx, const Event& event) override {
    if (event.kind == EventKind::kTimer) return turn(ctx.now);
    if (event.kind != EventKind::kUser) return;
    if (event.a == kHttpRequestArrived) {
      HttpRequest request = http_->take_request(event.b);
      if (request.path == kClockPath) return clock(event.b, request, ctx.now);
      requests_[event.b] = std::move(request);
    }
    world_->lanes()->post(subscriber_, event);
    world_->advance(world_->now(), kEventsPerTurn);
  }

  // HttpTransport, as the world sees it.
  void subscribe(LaneId lane) override { subscriber_ = lane; }
  HttpRequest take_request(uint64_t exchange) override {
    HttpRequest request = std::move(requests_.at(exchange));
    requests_.erase(exchange);
    return request;
  }
  void respond(uint64_t exchange, HttpResponse response) override { http_->respond(exchange, std::move(response)); }
  void begin_stream(uint64_t exchange, HttpResponse head) override { http_->begin_stream(exchange, std::move(head)); }
  bool write(uint64_t exchange, std::string_view piece) override { return http_->write(exchange, piece); }
  void end_stream(uint64_t exchange) override { http_->end_stream(exchange); }
  std::string take_input(uint64_t exchange) override { return http_->take_input(exchange); }
  // Addresses of simulated nodes are those of real machines, perhaps: nobody is called there.
  void forward(uint64_t exchange, HttpForward) override {
    world_->lanes()->post(subscriber_, {EventKind::kUser, 0, kHttpForwarded, exchange});
  }
  HttpForwardOutcome take_forward(uint64_t) override {
    HttpForwardOutcome outcome;
    outcome.status = Status(Code::kServiceUnavailable, "the nodes of a simulated cluster run nothing");
    return outcome;
  }

 private:
  void turn(Time now) {
    const Time target = pace_.target(now);
    // As fast as possible: as far as one turn comes.
    bool more = false;
    if (target == Time::max()) {
      more = world_->advance(world_->now() + Duration::hours(1), kEventsPerTurn);
    } else if (target > world_->now()) {
      more = world_->advance(target, kEventsPerTurn);
    }
    if (more) return loop_->post(lane_, {EventKind::kTimer, 0, 0, 0});
    loop_->arm(lane_, now + kTick, {EventKind::kTimer, 0, 0, 0});
  }

  void clock(uint64_t exchange, const HttpRequest& request, Time now) {
    const Status status = request.method == "GET" ? Status::ok() : set_clock(request, now);
    api::Json body = api::Json::object();
    if (status.is_ok()) {
      body.set("now", api::format_time_nano(api::Timestamp(world_->now())));
      body.set("elapsedSeconds", (world_->now() - start_).to_seconds());
      if (std::isinf(pace_.speed())) body.set("speed", "max");
      else if (pace_.speed() == 0) body.set("speed", "paused");
      else body.set("speed", pace_.speed());
      body.set("events", static_cast<int64_t>(world_->events()));
    } else {
      body.set("error", status.message());
    }
    http_->respond(exchange, {status.is_ok() ? 200 : 400, {{"content-type", "application/json"}}, body.dump() + "\n"});
  }

  Status set_clock(const HttpRequest& request, Time now) {
    if (request.method != "POST") return bad_request("GET and POST are allowed");
    ORRERY_ASSIGN(const api::Json body, api::Json::parse(request.body));
    for (const api::Json::Member& member : body.members()) {
      const std::string text = member.value.is_string() ? member.value.as_string().str() : member.value.dump();
      if (member.key == "speed") {
        ORRERY_ASSIGN(const double speed, Pace::parse(text));
        pace_.set(speed, now, world_->now());
      } else if (member.key == "paused") {
        if (!member.value.is_bool()) return bad_request(str_cat("paused: found \"", text, "\", must be true or false"));
        pace_.set(member.value.as_bool() ? 0 : pace_.moving(), now, world_->now());
      } else if (member.key == "step" || member.key == "seek") {
        ORRERY_ASSIGN(const api::ApiDuration length, api::parse_go_duration(text));
        const Time until = (member.key == "step" ? world_->now() : start_) + length.duration();
        if (until < world_->now()) return bad_request("seek: time does not go back");
        while (world_->advance(until, kEventsPerTurn)) {
        }
        pace_.set(pace_.speed(), now, world_->now());
      } else {
        return bad_request(str_cat("found \"", member.key, "\", allowed: speed, paused, step, seek"));
      }
    }
    return Status::ok();
  }

  realmode::Loop* loop_;
  LaneId lane_;
  realmode::HttpServer* http_ = nullptr;
  sim::World* world_ = nullptr;
  LaneId subscriber_;
  Time start_;
  Pace pace_;
  std::map<uint64_t, HttpRequest> requests_;
};

Result<realmode::HttpServer::Options> listen_options(const std::string& listen) {
  realmode::HttpServer::Options options;
  const size_t colon = listen.rfind(':');
  auto port = colon == std::string::npos ? api::Json() : api::Json::parse(listen.substr(colon + 1)).is_ok()
                                                             ? *api::Json::parse(listen.substr(colon + 1))
                                                             : api::Json();
  if (!port.is_int() || port.as_int() < 0 || port.as_int() > 65535)
    return bad_request(str_cat("--listen: found \"", listen, "\", must be ADDRESS:PORT"));
  options.address = listen.substr(0, colon);
  options.port = static_cast<int>(port.as_int());
  return options;
}

server::ServerOptions open_server() {
  server::ServerOptions options;
  options.anonymous_auth = true;
  options.authorization_modes = {server::AuthorizationMode::kAlwaysAllow};
  options.service_cidr = "10.96.0.0/16";
  // No controller makes service accounts, and nobody would read their tokens.
  options.disable_admission_plugins = {"ServiceAccount"};
  return options;
}

}  // namespace

Status serve(const ServeOptions& options) {
  std::vector<sim::Override> overrides;
  for (const std::string& text : options.set) {
    ORRERY_ASSIGN(auto o, sim::parse_override(text));
    overrides.push_back(std::move(o));
  }
  ORRERY_ASSIGN(auto scenario, sim::load_scenario(options.scenario, overrides));
  auto speed = Pace::parse(options.speed);
  if (!speed.is_ok()) return speed.status().with_context("--speed");
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  realmode::Loop loop;
  ORRERY_ASSIGN(auto http_options, listen_options(options.listen));
  ORRERY_ASSIGN(const auto http, realmode::HttpServer::make(std::move(http_options), &loop));
  Bridge bridge(&loop);
  server::ServerOptions front = open_server();
  front.advertise_port = http->port();
  ORRERY_ASSIGN(const auto world, sim::World::create_served(std::make_shared<const sim::Scenario>(std::move(scenario)),
                                                            options.seed, &bridge, std::move(front)));
  bridge.begin(http.get(), world.get(), *speed);
  loop.start();
  http->start();
  ORRERY_TRY(print(str_cat("{\"url\": \"", http->url(), "\"}\n")));
  int signal = 0;
  sigwait(&signals, &signal);
  http->shut_down(Duration::seconds(5));
  loop.stop();
  return Status::ok();
}

}  // namespace orrery::cli
