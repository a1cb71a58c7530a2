#include "sim/world/metrics.h"

#include <algorithm>
#include <cmath>

#include "engine/api/pod_resources.h"
#include "engine/runtime/api_requests.h"

namespace orrery::sim {
namespace {

// Longer series are thinned to every second sample, again and again.
constexpr size_t kSamplesMax = 4096;

}  // namespace

Percentiles percentiles(std::vector<double> values) {
  Percentiles p;
  p.count = static_cast<int64_t>(values.size());
  if (values.empty()) return p;
  std::sort(values.begin(), values.end());
  double sum = 0;
  for (double v : values) sum += v;
  // Nearest rank.
  const auto at = [&](double q) { return values[static_cast<size_t>(std::ceil(q * static_cast<double>(values.size()))) - 1]; };
  p.mean = sum / static_cast<double>(values.size());
  p.p50 = at(0.5);
  p.p90 = at(0.9);
  p.p99 = at(0.99);
  p.max = values.back();
  return p;
}

Metrics::Metrics(const Env& env, Duration interval, sched::Fragmentation fragmentation)
    : lanes_(env.lanes), timers_(env.timers), api_(env.api), lane_(env.lanes->open("metrics", this)), interval_(interval),
      fragmentation_(std::move(fragmentation)) {
  lanes_->post(lane_, {EventKind::kStart, 0, 0, 0});
}

std::unique_ptr<Component> Metrics::clone(const Env& env) const {
  auto copy = std::make_unique<Metrics>(*this);
  copy->lanes_ = env.lanes;
  copy->timers_ = env.timers;
  copy->api_ = env.api;
  return copy;
}

void Metrics::handle(const Ctx& ctx, const Event& event) {
  if (event.kind == EventKind::kStart) {
    start_ = next_sample_ = ctx.now;
    nodes_watch_ = api_->watch(lane_, {&kind_of<corev1::Node>(), "", "", ""});
    pods_watch_ = api_->watch(lane_, {&kind_of<corev1::Pod>(), "", "", ""});
    return;
  }
  if (event.kind != EventKind::kWatch) return;
  api_->drain(WatchId{event.a}, arrived_);
  for (const WatchEvent& change : arrived_) {
    if (!change.object) continue;
    sample_until(ctx.now);
    if (change.object.is<corev1::Node>()) on_node(change);
    else on_pod(change, ctx.now);
  }
  forget(arrived_);
}

void Metrics::on_node(const WatchEvent& event) {
  const auto& node = event.object.get<corev1::Node>();
  const auto [it, fresh] = node_slots_.try_emplace(node.metadata->name, static_cast<uint32_t>(nodes_.size()));
  if (fresh) nodes_.emplace_back();
  NodeRecord& record = nodes_[it->second];
  const bool gone = event.type == WatchEventType::kDeleted;
  const auto amount = [&](std::string_view name, bool milli) -> int64_t {
    const api::Quantity* q = gone ? nullptr : node.status->allocatable.find(name);
    return q ? (milli ? q->milli_value() : q->value()) : 0;
  };
  const NodeRecord old = record;
  record.cpu_milli = amount("cpu", true);
  record.memory_bytes = amount("memory", false);
  record.gpu_milli = amount("alibabacloud.com/gpu-milli", false);
  record.free_cpu += record.cpu_milli - old.cpu_milli;
  cpu_capacity_ += record.cpu_milli - old.cpu_milli;
  memory_capacity_ += record.memory_bytes - old.memory_bytes;
  gpu_capacity_ += record.gpu_milli - old.gpu_milli;
  if (!gone) devices_.node_set(it->second, node);
  refresh_node(it->second);
}

void Metrics::refresh_node(uint32_t slot) {
  if (fragmentation_.empty()) return;
  NodeRecord& record = nodes_[slot];
  const double now = fragmentation_.of_node(record.free_cpu, devices_.node(slot));
  fragmented_ += now - record.fragmentation;
  record.fragmentation = now;
}

void Metrics::account(PodRecord& pod, const corev1::Pod& object, bool add) {
  if (pod.counted == add) return;
  pod.counted = add;
  const int64_t sign = add ? 1 : -1;
  cpu_allocated_ += sign * pod.cpu_milli;
  memory_allocated_ += sign * pod.memory_bytes;
  gpu_allocated_ += sign * pod.gpu_milli;
  const auto it = node_slots_.find(pod.node);
  if (it == node_slots_.end()) return;
  nodes_[it->second].free_cpu -= sign * pod.cpu_milli;
  if (pod.gpu_milli > 0) add ? devices_.pod_added(it->second, object) : devices_.pod_removed(it->second, object);
  refresh_node(it->second);
}

void Metrics::use(PodRecord& pod, bool runs) {
  if (pod.used == runs) return;
  pod.used = runs;
  const int64_t sign = runs ? 1 : -1;
  cpu_used_ += sign * pod.cpu_milli;
  memory_used_ += sign * pod.memory_bytes;
  gpu_used_ += sign * pod.gpu_milli;
}

void Metrics::decided(PodRecord& pod) {
  if (pod.decided) return;
  pod.decided = true;
  if (gpu_capacity_ == 0) return;
  gpu_arrived_ += pod.gpu_milli;
  Bin& bin = bins_[static_cast<int64_t>(std::floor(percent(gpu_arrived_, gpu_capacity_) + 0.5))];
  const int64_t idle = gpu_capacity_ - gpu_allocated_;
  ++bin.samples;
  bin.unallocated += 100.0 - percent(gpu_allocated_, gpu_capacity_);
  bin.fragmentation += 100.0 * fragmented_ / static_cast<double>(gpu_capacity_);
  bin.rate += idle > 0 ? 100.0 * fragmented_ / static_cast<double>(idle) : 0;
}

void Metrics::on_pod(const WatchEvent& event, Time now) {
  const auto& pod = event.object.get<corev1::Pod>();
  const auto [it, fresh] = pod_index_.try_emplace(pod.metadata->uid, static_cast<uint32_t>(pods_.size()));
  if (fresh) {
    PodRecord record;
    record.name = pod.metadata->name;
    record.created = now;
    const auto requests = api::pod_requests(*pod.spec);
    if (const auto* cpu = requests.find("cpu")) record.cpu_milli = cpu->milli_value();
    if (const auto* memory = requests.find("memory")) record.memory_bytes = memory->value();
    record.gpu_milli = sched::GpuShape::of(pod.metadata->annotations).total_milli();
    pods_.push_back(std::move(record));
    ++counts_[static_cast<size_t>(State::kPending)];
  }
  PodRecord& record = pods_[it->second];
  const bool bound = !pod.spec->node_name.empty();
  const bool ended = api::is_terminal(pod);
  const bool gone = event.type == WatchEventType::kDeleted;
  if (bound && record.bound.ns < 0) {
    record.bound = now;
    record.node = pod.spec->node_name;
  }
  account(record, pod, bound && !ended && !gone);
  use(record, pod.status->phase == "Running" && !gone);
  const auto* scheduled = bound ? nullptr : api::find_condition(*pod.status, "PodScheduled");
  if (bound || (scheduled && scheduled->status == "False")) decided(record);
  if (pod.status->phase == "Running" && record.running.ns < 0) record.running = now;
  if ((ended || gone) && record.finished.ns < 0) record.finished = now;
  State state = record.state;
  if (ended) state = pod.status->phase == "Succeeded" ? State::kSucceeded : State::kFailed;
  else if (gone) state = bound ? State::kDeleted : State::kDropped;
  else if (pod.status->phase == "Running") state = State::kRunning;
  else state = bound ? State::kBound : State::kPending;
  // How a pod ended is remembered after its object is gone.
  if (gone && (record.state == State::kSucceeded || record.state == State::kFailed)) state = record.state;
  --counts_[static_cast<size_t>(record.state)];
  ++counts_[static_cast<size_t>(state)];
  record.state = state;
}

Sample Metrics::sample_at(Time now) const {
  Sample s;
  s.time = (now - start_).to_seconds();
  s.pending = counts_[static_cast<size_t>(State::kPending)];
  s.bound = counts_[static_cast<size_t>(State::kBound)];
  s.running = counts_[static_cast<size_t>(State::kRunning)];
  s.cpu_allocated_pct = percent(cpu_allocated_, cpu_capacity_);
  s.memory_allocated_pct = percent(memory_allocated_, memory_capacity_);
  s.gpu_allocated_pct = percent(gpu_allocated_, gpu_capacity_);
  s.cpu_used_pct = percent(cpu_used_, cpu_capacity_);
  s.memory_used_pct = percent(memory_used_, memory_capacity_);
  s.gpu_used_pct = percent(gpu_used_, gpu_capacity_);
  s.gpu_arrived_pct = percent(gpu_arrived_, gpu_capacity_);
  s.gpu_fragmentation_pct = gpu_capacity_ > 0 ? 100.0 * fragmented_ / static_cast<double>(gpu_capacity_) : 0;
  return s;
}

// Samples stand for the state just before what happens now.
void Metrics::sample_until(Time now) {
  while (next_sample_ < now) {
    series_.push_back(sample_at(next_sample_));
    next_sample_ = next_sample_ + interval_;
    if (series_.size() < kSamplesMax) continue;
    size_t kept = 0;
    for (size_t i = 0; i < series_.size(); i += 2) series_[kept++] = series_[i];
    series_.resize(kept);
    interval_ = interval_ * 2;
  }
}

void Metrics::fill(RunResult& result, Time now) const {
  Metrics until_now = *this;
  until_now.sample_until(now);
  result.series = until_now.series_;
  result.series.push_back(until_now.sample_at(now));
  result.nodes = static_cast<int64_t>(nodes_.size());
  result.cpu_milli_capacity = cpu_capacity_;
  result.memory_capacity = memory_capacity_;
  result.gpu_milli_capacity = gpu_capacity_;
  const auto count = [&](State s) { return counts_[static_cast<size_t>(s)]; };
  result.pods = {static_cast<int64_t>(pods_.size()), count(State::kPending), count(State::kBound), count(State::kRunning),
                 count(State::kSucceeded), count(State::kFailed), count(State::kDeleted), count(State::kDropped)};
  static constexpr const char* kNames[] = {"Pending", "Bound", "Running", "Succeeded", "Failed", "Deleted", "Dropped"};
  std::vector<double> scheduling, startup;
  const auto seconds = [&](Time t) { return t.ns < 0 ? -1.0 : (t - start_).to_seconds(); };
  for (const PodRecord& p : pods_) {
    if (p.bound.ns >= 0) scheduling.push_back((p.bound - p.created).to_seconds());
    if (p.running.ns >= 0) startup.push_back((p.running - p.bound).to_seconds());
    result.rows.push_back({p.name.str(), p.node.str(), kNames[static_cast<size_t>(p.state)], seconds(p.created), seconds(p.bound),
                           seconds(p.running), seconds(p.finished), p.cpu_milli, p.memory_bytes, p.gpu_milli});
  }
  result.scheduling = percentiles(std::move(scheduling));
  result.startup = percentiles(std::move(startup));
  for (const auto& [percent_arrived, bin] : bins_) {
    const auto n = static_cast<double>(bin.samples);
    result.by_arrival[percent_arrived] = {bin.samples, bin.unallocated / n, bin.fragmentation / n, bin.rate / n};
  }
}

}  // namespace orrery::sim
