#include "realmode/etcd/watch_stream.h"

#include <utility>

#include "realmode/etcd/messages.h"

namespace orrery::realmode {
namespace {

WatchBatch batch_of(const etcdserverpb::WatchResponse& response) {
  WatchBatch batch;
  batch.watch = response.watch_id();
  batch.revision = response.header().revision();
  batch.created = response.created();
  batch.canceled = response.canceled();
  batch.fragment = response.fragment();
  batch.compact_revision = response.compact_revision();
  batch.cancel_reason = response.cancel_reason();
  batch.events.reserve(static_cast<size_t>(response.events_size()));
  for (const auto& event : response.events()) batch.events.push_back(from_message(event));
  return batch;
}

}  // namespace

std::unique_ptr<WatchStream> WatchStream::open(Member& member, const std::string& token,
                                               Inbox* inbox, OnBatch on_batch, OnEnd on_end) {
  std::unique_ptr<WatchStream> stream(
      new WatchStream(inbox, std::move(on_batch), std::move(on_end)));
  stream->context_.AddMetadata("hasleader", "true");
  if (!token.empty()) stream->context_.AddMetadata("token", token);
  inbox->begin();
  member.watch->async()->Watch(&stream->context_, stream.get());
  // Held until the stream breaks: send() starts operations outside of gRPC's reactions.
  stream->AddHold();
  stream->StartRead(&stream->response_);
  stream->StartCall();
  return stream;
}

void WatchStream::send(etcdserverpb::WatchRequest request) {
  const etcdserverpb::WatchRequest* first;
  {
    const std::lock_guard lock(mutex_);
    if (broken_) return;
    requests_.push_back(std::move(request));
    if (requests_.size() > 1) return;
    first = &requests_.front();
    AddHold();
  }
  // Not under the lock: gRPC may run a reaction before it returns.
  StartWrite(first);
  RemoveHold();
}

void WatchStream::OnWriteDone(bool ok) {
  const etcdserverpb::WatchRequest* next;
  {
    const std::lock_guard lock(mutex_);
    requests_.pop_front();
    if (!ok) requests_.clear();
    if (requests_.empty()) return;
    next = &requests_.front();
  }
  StartWrite(next);
}

void WatchStream::OnReadDone(bool ok) {
  if (!ok) {
    {
      const std::lock_guard lock(mutex_);
      broken_ = true;
    }
    return RemoveHold();
  }
  auto batch = std::make_shared<WatchBatch>(batch_of(response_));
  inbox_->push([this, batch] { on_batch_(*batch); });
  StartRead(&response_);
}

void WatchStream::OnDone(const grpc::Status& status) {
  Inbox* const inbox = inbox_;
  inbox->push([this, status] { on_end_(status); });
  inbox->end();
}

}  // namespace orrery::realmode
