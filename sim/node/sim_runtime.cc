#include "sim/node/sim_runtime.h"

#include <algorithm>
#include <charconv>

namespace orrery::sim {
namespace {

int64_t number_of(std::string_view text) {
  int64_t number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

int32_t exit_code_of(const Map<Str>& annotations) {
  const Str* text = annotations.find(kExitCodeKey);
  if (!text) return 0;
  std::string_view codes = *text;
  const Str* index = annotations.find("batch.kubernetes.io/job-completion-index");
  for (int64_t i = index ? number_of(*index) : 0; i > 0 && codes.find(',') != std::string_view::npos; --i)
    codes.remove_prefix(codes.find(',') + 1);
  return static_cast<int32_t>(number_of(codes));
}

Opt<models::Delay> run_time(const Map<Str>& annotations) {
  const Str* text = annotations.find(kRunSecondsKey);
  if (!text) return {};
  const auto parsed = models::Delay::parse(text->view());
  return parsed ? Opt<models::Delay>(*parsed) : Opt<models::Delay>();
}

// Timers of a running container: arg.
constexpr uint32_t kExit = 0, kReady = 1;

const corev1::Container& spec_of(const corev1::PodSpec& spec, const Str& name) {
  for (const corev1::Container& c : spec.init_containers)
    if (c.name == name) return c;
  return *std::find_if(spec.containers.begin(), spec.containers.end(), [&](const auto& c) { return c.name == name; });
}

}  // namespace

SimRuntime::SimRuntime(Lanes* lanes, Timers* timers, Rng rng, Options options)
    : lanes_(lanes), timers_(timers), rng_(rng), options_(options), lane_(lanes->open("container-runtime", this)) {}

std::unique_ptr<SimRuntime> SimRuntime::fork(Lanes* lanes, Timers* timers) const {
  auto copy = std::make_unique<SimRuntime>(*this);
  copy->lanes_ = lanes;
  copy->timers_ = timers;
  return copy;
}

void SimRuntime::subscribe(const Str& node, LaneId lane) { nodes_[node].lane = lane; }

void SimRuntime::answer(Ticket ticket, RuntimeOutcome outcome, Duration after) {
  if (!ticket.lane.valid()) return;
  const Event event{EventKind::kDone, 0, ticket.op, outcomes_.put(std::move(outcome))};
  if (after.ns == 0) {
    lanes_->post(ticket.lane, event);
  } else {
    timers_->arm(ticket.lane, timers_->now() + after, event);
  }
}

void SimRuntime::run_pod_sandbox(Ticket ticket, const Str& node, const api::Object& pod) {
  RngStream rng = rng_.stream("node/sandbox", pod.meta().uid.hash());
  RuntimeOutcome outcome;
  const uint32_t n = ++nodes_[node].addresses;
  outcome.pod_ip = Str(str_cat("10.", (node.hash() >> 8) % 256, ".", n / 256 % 256, ".", n % 256));
  answer(ticket, std::move(outcome), options_.sandbox.draw(rng));
}

void SimRuntime::pull_image(Ticket ticket, const Str& node, const Str& image) {
  RngStream rng = rng_.stream("node/pull", pulls_++);
  RuntimeOutcome outcome;
  if (image.view().ends_with(":bad")) {
    outcome.status = Status(Code::kNotFound, str_cat("image ", image, " cannot be pulled"));
    return answer(ticket, std::move(outcome), options_.pull.draw(rng));
  }
  const bool fresh = nodes_[node].images.insert(image).second;
  answer(ticket, std::move(outcome), fresh ? options_.pull.draw(rng) : Duration{});
}

void SimRuntime::start_container(Ticket ticket, const Str& node, const api::Object& pod, const Str& container, int32_t attempt) {
  const auto& meta = pod.meta();
  RngStream rng = rng_.stream("node/start", meta.uid.hash() + static_cast<uint64_t>(attempt));
  const Duration start = (attempt > 0 ? options_.restart.value_or(options_.start) : options_.start).draw(rng);
  Running running;
  running.ref = {node, meta.uid, container};
  running.exit_code = exit_code_of(meta.annotations);
  const uint64_t id = running_.put(std::move(running));
  uint64_t& head = by_pod_[meta.uid];
  running_.at(id).next = std::exchange(head, id);
  if (const auto run = run_time(meta.annotations)) {
    RngStream runs = rng_.stream("node/run", meta.uid.hash() + container.hash() + static_cast<uint64_t>(attempt));
    schedule_exit(id, start + run->draw(runs));
  }
  schedule_ready(id, spec_of(*pod.get<corev1::Pod>().spec, container), start);
  RuntimeOutcome outcome;
  outcome.container_id = Str(str_cat("sim://", meta.uid, "/", container, "/", attempt));
  answer(ticket, std::move(outcome), start);
}

void SimRuntime::schedule_ready(uint64_t id, const corev1::Container& spec, Duration after) {
  if (!spec.readiness_probe || spec.image.view().ends_with(":unready")) return;
  RngStream rng = rng_.stream("node/ready", running_.at(id).ref.pod_uid.hash() + spec.name.hash());
  timers_->arm(lane_, timers_->now() + after + options_.ready.draw(rng), {EventKind::kTimer, kReady, id, 0});
}

void SimRuntime::schedule_exit(uint64_t id, Duration after) {
  Running& running = running_.at(id);
  if (running.exit_timer) timers_->cancel(running.exit_timer);
  running.exit_timer = timers_->arm(lane_, timers_->now() + after, {EventKind::kTimer, kExit, id, 0});
}

void SimRuntime::handle(const Ctx&, const Event& event) {
  if (event.kind != EventKind::kTimer || !running_.contains(event.a)) return;
  if (event.arg == kExit) return exit_now(event.a);
  const ContainerRef& ref = running_.at(event.a).ref;
  if (const LaneId lane = nodes_[ref.node].lane; lane.valid())
    lanes_->post(lane, {EventKind::kUser, 0, kContainerReady, ready_.put(ref)});
}

void SimRuntime::exit_now(uint64_t id) {
  const Running running = running_.take(id);
  const auto head = by_pod_.find(running.ref.pod_uid);
  uint64_t* link = &head->second;
  while (*link != id) link = &running_.at(*link).next;
  *link = running.next;
  if (head->second == 0) by_pod_.erase(head);
  const LaneId lane = nodes_[running.ref.node].lane;
  if (!lane.valid()) return;
  ContainerExit exit{running.ref, running.exit_code, running.exit_code == 0 ? "Completed" : "Error"};
  lanes_->post(lane, {EventKind::kUser, 0, kContainerExited, exits_.put(std::move(exit))});
}

void SimRuntime::stop_container(Ticket ticket, const ContainerRef& ref, Duration grace) {
  const auto it = by_pod_.find(ref.pod_uid);
  if (it != by_pod_.end()) {
    RngStream rng = rng_.stream("node/stop", ref.pod_uid.hash());
    for (uint64_t id = it->second; id != 0; id = running_.at(id).next) {
      Running& running = running_.at(id);
      if (running.ref.container != ref.container || running.stopping) continue;
      running.stopping = true;
      running.exit_code = options_.stop_exit_code;
      schedule_exit(id, std::min(options_.stop.draw(rng), grace));
    }
  }
  answer(ticket, {}, {});
}

void SimRuntime::remove_pod_sandbox(Ticket ticket, const Str&, const Str& pod_uid) {
  const auto it = by_pod_.find(pod_uid);
  if (it != by_pod_.end()) {
    for (uint64_t id = it->second; id != 0;) {
      const Running running = running_.take(id);
      if (running.exit_timer) timers_->cancel(running.exit_timer);
      id = running.next;
    }
    by_pod_.erase(it);
  }
  answer(ticket, {}, {});
}

}  // namespace orrery::sim
