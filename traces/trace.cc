#include "traces/trace.h"

#include <zlib.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>

#include "engine/api/quantity.h"
#include "traces/azure_vm/azure_vm.h"
#include "traces/dlrm/dlrm.h"
#include "traces/openb/openb.h"

namespace orrery::traces {

std::span<const Format> formats() {
  static const std::array kFormats = {openb_format(), dlrm_format(), azure_vm_format()};
  return kFormats;
}

const Format* find_format(std::string_view name) {
  for (const Format& format : formats())
    if (format.name == name) return &format;
  return nullptr;
}

Result<std::vector<WorkloadEvent>> read_workload(const Format& format, const std::string& path) {
  ORRERY_ASSIGN(const auto reader, format.open(path));
  std::vector<WorkloadEvent> out;
  WorkloadEvent event;
  for (;;) {
    ORRERY_ASSIGN(const bool more, reader->next(&event));
    if (!more) return out;
    out.push_back(event);
  }
}

// gzopen reads plain files as they are.
Result<std::string> read_file(const std::string& path) {
  constexpr size_t kBytesMax = size_t{4} << 30;
  gzFile file = gzopen(path.c_str(), "rb");
  if (!file) return not_found(path + ": cannot be read");
  std::string text;
  std::array<char, 1 << 16> buffer;
  int n = 0;
  while ((n = gzread(file, buffer.data(), buffer.size())) > 0 && text.size() < kBytesMax) text.append(buffer.data(), static_cast<size_t>(n));
  const int read_error = errno;
  int code = Z_OK;
  gzerror(file, &code);
  const bool direct = gzdirect(file);
  gzclose(file);
  if (code == Z_ERRNO) return not_found(path + ": cannot be read: " + std::strerror(read_error));
  if (text.size() >= kBytesMax) return bad_request(path + ": more than 4 GiB when unpacked");
  if (n < 0) return bad_request(path + ": the compressed data is broken");
  if (code == Z_BUF_ERROR && !direct) return bad_request(path + ": the compressed data ends too early");
  return text;
}

namespace {

bool same_shape(const WorkloadEvent& a, const WorkloadEvent& b) {
  return a.cpu_milli == b.cpu_milli && a.memory_bytes == b.memory_bytes && a.gpu_count == b.gpu_count && a.gpu_milli == b.gpu_milli &&
         a.gpu_models == b.gpu_models;
}

corev1::Pod make_shape(const WorkloadEvent& e) {
  corev1::Pod pod;
  corev1::Container c;
  c.name = "main";
  c.image = "workload:v1";
  c.image_pull_policy = "IfNotPresent";
  c.termination_message_path = "/dev/termination-log";
  c.termination_message_policy = "File";
  Map<api::Quantity> resources;
  if (e.cpu_milli > 0) resources.set("cpu", api::Quantity::from_milli(e.cpu_milli));
  if (e.memory_bytes > 0) resources.set("memory", api::Quantity::from_int(e.memory_bytes, api::QuantityFormat::kBinarySI));
  c.resources.requests = resources;
  c.resources.limits = resources;
  pod.spec.mut().containers.push_back(std::move(c));
  // All defaults are filled in: the pods of a shape then share all parts of their spec.
  auto& spec = pod.spec.mut();
  spec.restart_policy = "Never";
  spec.dns_policy = "ClusterFirst";
  spec.termination_grace_period_seconds = int64_t{30};
  spec.scheduler_name = "default-scheduler";
  spec.security_context.mut();
  auto& meta = pod.metadata.mut();
  if (e.gpu_count > 0) {
    meta.annotations.set("alibabacloud.com/gpu-count", Str(std::to_string(e.gpu_count)));
    meta.annotations.set("alibabacloud.com/gpu-milli", Str(std::to_string(e.gpu_milli)));
    if (!e.gpu_models.empty()) meta.annotations.set("alibabacloud.com/gpu-card-model", Str(e.gpu_models));
  }
  return pod;
}

}  // namespace

// Traces name things as they like; an object's name has only a-z, 0-9, '-' and '.'.
std::string PodFactory::name_of(const WorkloadEvent& event) {
  std::string name = event.name;
  for (char& c : name) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    const bool plain = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.';
    if (!plain) c = '-';
  }
  return name;
}

corev1::Pod PodFactory::pod(const WorkloadEvent& event) {
  const corev1::Pod* shape = nullptr;
  for (const auto& [known, made] : shapes_)
    if (same_shape(known, event)) shape = &made;
  if (!shape) {
    shapes_.emplace_back(event, make_shape(event));
    shape = &shapes_.back().second;
  }
  corev1::Pod pod = *shape;
  pod.metadata.mut().name = Str(name_of(event));
  pod.metadata.mut().namespace_ = ns_;
  return pod;
}

corev1::Node make_node(const NodeShape& shape) {
  corev1::Node node;
  auto& meta = node.metadata.mut();
  meta.name = Str(shape.name);
  meta.labels.set("kubernetes.io/hostname", Str(shape.name));
  meta.labels.set("kubernetes.io/os", "linux");
  meta.labels.set("kubernetes.io/arch", "amd64");
  auto& status = node.status.mut();
  status.capacity.set("cpu", api::Quantity::from_milli(shape.cpu_milli));
  status.capacity.set("memory", api::Quantity::from_int(shape.memory_bytes, api::QuantityFormat::kBinarySI));
  status.capacity.set("pods", api::Quantity::from_int(shape.pods));
  if (shape.gpu_count > 0) {
    meta.labels.set("alibabacloud.com/gpu-card-model", Str(shape.gpu_model));
    status.capacity.set("alibabacloud.com/gpu-count", api::Quantity::from_int(shape.gpu_count));
    status.capacity.set("alibabacloud.com/gpu-milli", api::Quantity::from_int(int64_t{shape.gpu_count} * 1000));
  }
  status.allocatable = status.capacity;
  return node;
}

void shuffle(std::vector<WorkloadEvent>& events, RngStream& rng) {
  for (size_t i = events.size(); i > 1; --i) std::swap(events[i - 1], events[rng.below(i)]);
}

std::vector<WorkloadEvent> resample(const std::vector<WorkloadEvent>& pool, size_t count, RngStream& rng) {
  std::vector<WorkloadEvent> out;
  for (size_t i = 0; i < count && !pool.empty(); ++i) {
    out.push_back(pool[rng.below(pool.size())]);
    out.back().name += "-draw-" + std::to_string(i);
  }
  return out;
}

void tune_to_gpu_ratio(std::vector<WorkloadEvent>& events, const std::vector<WorkloadEvent>& pool, double ratio,
                       int64_t gpu_milli_capacity, RngStream& rng) {
  const auto request = [](const WorkloadEvent& e) { return int64_t{e.gpu_count} * e.gpu_milli; };
  const double limit = ratio * static_cast<double>(gpu_milli_capacity);
  int64_t total = 0;
  for (const WorkloadEvent& e : events) total += request(e);
  if (static_cast<double>(total) < limit) {
    for (uint64_t copy = 0; !pool.empty(); ++copy) {
      const WorkloadEvent& drawn = pool[rng.below(pool.size())];
      // The published rule looks at one GPU's share here, not at the whole request.
      if (static_cast<double>(total + drawn.gpu_milli) > limit) break;
      events.push_back(drawn);
      events.back().name += "-copy-" + std::to_string(copy);
      total += request(drawn);
    }
    return;
  }
  while (static_cast<double>(total) > limit && !events.empty()) {
    const size_t i = rng.below(events.size());
    total -= request(events[i]);
    events.erase(events.begin() + static_cast<ptrdiff_t>(i));
  }
}

}  // namespace orrery::traces
