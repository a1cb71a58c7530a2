#include "realmode/etcd/inbox.h"

#include <utility>

namespace orrery::realmode {

void Inbox::push(Task task) {
  {
    const std::lock_guard lock(mutex_);
    if (closed_) return;
    tasks_.push_back(std::move(task));
    if (tasks_.size() > 1) return;
  }
  lanes_->post(lane_, {EventKind::kWork, 0, 0, 0});
}

void Inbox::run() {
  std::vector<Task> tasks;
  {
    const std::lock_guard lock(mutex_);
    tasks.swap(tasks_);
  }
  for (Task& task : tasks) task();
}

void Inbox::begin() {
  const std::lock_guard lock(mutex_);
  ++under_way_;
}

void Inbox::end() {
  const std::lock_guard lock(mutex_);
  if (--under_way_ == 0) ended_.notify_all();
}

void Inbox::close() {
  std::vector<Task> dropped;
  std::unique_lock lock(mutex_);
  closed_ = true;
  dropped.swap(tasks_);
  ended_.wait(lock, [this] { return under_way_ == 0; });
}

}  // namespace orrery::realmode
