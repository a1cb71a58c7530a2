#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "engine/ports/api.h"

namespace orrery {

/// An event that a sync reports about an object (corev1.Event).
struct SyncEvent {
  api::Object about;
  Str type;  // Normal, Warning
  Str reason;
  Str message;
};

/// How sequential code waits for writes without blocking: a sync is run from its start each time an
/// answer has come, with the same inputs and this log, which answers the calls that were answered
/// before. The first call without an answer is recorded as outgoing and answered with a failure
/// (code kCancelled); so are all calls after it. The caller of the sync looks at pending() before
/// it looks at the result, so code written in the usual style (`if (!status) return status;`)
/// needs no special care:
///
///     const ApiResponse& made = log.call([&] { return create_request(build()); });
///     if (!made.status) return made.status;
///
/// A sync must be a function of (inputs, answers): no other state may decide what it calls, and
/// state is changed inside once() only. Everything here is copyable data.
class WriteLog {
 public:
  // --- for syncs ---

  /// One request; `make` builds it, and runs only when the request is sent.
  template <typename Make>
  const ApiResponse& call(Make make) {
    const auto answers = batch(1, [&](size_t) { return make(); });
    return answers.empty() ? unanswered() : answers[0];
  }
  const ApiResponse& call(ApiRequest request) {
    return call([&] { return std::move(request); });
  }
  /// The same for a sync's last request: if it succeeds, the sync has succeeded and is not run
  /// again. To be used only where nothing would follow.
  template <typename Make>
  const ApiResponse& call_last(Make make) {
    const bool fresh = !pending_ && step_ == steps_.size();
    const ApiResponse& response = call(make);
    if (fresh) steps_.back().last = true;
    return response;
  }
  /// `count` requests in flight together; the answers by index, or nothing while pending.
  template <typename Make>
  std::span<const ApiResponse> batch(size_t count, Make make) {
    if (pending_ || count == 0) return {};
    if (step_ < steps_.size()) {
      Step& step = steps_[step_++];
      if (step.missing == 0) return step.answers;
    } else {
      steps_.push_back({std::vector<ApiResponse>(count), count, false});
      ++step_;
      outgoing_.reserve(count);
      for (size_t i = 0; i < count; ++i) outgoing_.push_back(make(i));
    }
    pending_ = true;
    return {};
  }
  /// Runs `effect` the first time the sync comes here, never in a replay.
  template <typename Effect>
  void once(Effect effect) {
    if (first_time()) effect();
  }
  /// Reports about an object. `message` is a text, or builds one when it is needed.
  template <typename Message>
  void event(const api::Object& about, std::string_view type, std::string_view reason,
             const Message& message) {
    if (!first_time()) return;
    if constexpr (std::is_invocable_v<const Message&>) {
      events_.push_back({about, type, reason, message()});
    } else {
      events_.push_back({about, type, reason, message});
    }
  }
  /// Asks for another sync of this key after `delay`, whatever the outcome of this one.
  void requeue_after(Duration delay) {
    if (first_time()) requeues_.push_back(delay);
  }
  /// The sync waits for answers: what it returns means nothing yet.
  bool pending() const { return pending_; }

  // --- for who runs the sync ---

  /// To be called before each run.
  void rewind() {
    step_ = 0;
    effect_ = 0;
    pending_ = false;
  }
  /// What the last run wants sent; request i of the span is answered by answer(i).
  std::span<ApiRequest> outgoing() { return outgoing_; }
  void sent() { outgoing_.clear(); }
  enum class Next { kWait, kRunAgain, kDone };
  /// What the sync does after this answer: waits for others, is run again, or has succeeded.
  Next answer(size_t index, ApiResponse response) {
    Step& step = steps_.back();
    step.answers[index] = std::move(response);
    if (--step.missing > 0) return Next::kWait;
    return step.last && step.answers[0].status ? Next::kDone : Next::kRunAgain;
  }
  /// Effects of the runs since the last take.
  std::vector<SyncEvent> take_events() { return std::exchange(events_, {}); }
  std::vector<Duration> take_requeues() { return std::exchange(requeues_, {}); }
  /// For another sync; keeps its memory.
  void reset() {
    steps_.clear();
    outgoing_.clear();
    events_.clear();
    requeues_.clear();
    effects_done_ = 0;
    rewind();
  }

 private:
  struct Step {
    std::vector<ApiResponse> answers;
    size_t missing;
    bool last = false;
  };
  static const ApiResponse& unanswered();
  bool first_time() {
    if (pending_) return false;
    if (++effect_ <= effects_done_) return false;
    ++effects_done_;
    return true;
  }

  std::vector<Step> steps_;
  std::vector<ApiRequest> outgoing_;
  std::vector<SyncEvent> events_;
  std::vector<Duration> requeues_;
  size_t step_ = 0;
  size_t effect_ = 0;
  size_t effects_done_ = 0;
  bool pending_ = false;
};

}  // namespace orrery
