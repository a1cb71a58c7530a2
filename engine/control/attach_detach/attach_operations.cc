#include "engine/control/attach_detach/attach_operations.h"

namespace orrery::control {

bool AttachOperations::is_busy(const VolumeOnNode& where, bool shared, Kind kind, Time now) const {
  for (auto it = operations_.lower_bound({where.volume, Str()});
       it != operations_.end() && it->first.volume == where.volume; ++it) {
    const Operation& operation = it->second;
    if (shared && it->first.node != where.node) continue;
    if (operation.pending) return true;
    if (it->first == where && operation.kind == kind && now < operation.until) return true;
  }
  return false;
}

void AttachOperations::begin(const VolumeOnNode& where, Kind kind, Time now) {
  Operation& operation = operations_[where];
  if (operation.kind != kind) operation.failures = 0;
  operation.kind = kind;
  operation.pending = true;
  operation.until = now + kDriversTime;
}

std::optional<AttachOperations::Kind> AttachOperations::under_way(const VolumeOnNode& where) const {
  const auto found = operations_.find(where);
  if (found == operations_.end() || !found->second.pending) return std::nullopt;
  return found->second.kind;
}

void AttachOperations::failed(const VolumeOnNode& where, Time now) {
  Operation& operation = operations_[where];
  operation.pending = false;
  operation.until = now + kPause.delay(operation.failures++);
}

std::vector<VolumeOnNode> AttachOperations::overdue(Time now) const {
  std::vector<VolumeOnNode> late;
  for (const auto& [where, operation] : operations_)
    if (operation.pending && operation.until <= now) late.push_back(where);
  return late;
}

Time AttachOperations::next(Time now) const {
  Time next = Time::max();
  for (const auto& [where, operation] : operations_)
    if (operation.until > now && operation.until < next) next = operation.until;
  return next;
}

}  // namespace orrery::control
