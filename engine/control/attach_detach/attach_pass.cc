// How a pass tells what it has decided, and how drivers' work ends.
#include <algorithm>

#include "engine/api/codec_json.h"
#include "engine/api/names.h"
#include "engine/control/attach_detach/attach_detach_controller.h"
#include "engine/runtime/api_requests.h"

namespace orrery::control {
namespace {

ApiRequest report_request(const Str& node, const std::vector<Str>& volumes) {
  api::Json list = api::Json::array();
  for (const Str& volume : volumes) {
    api::Json& entry = list.push_back(api::Json::object());
    entry.set("name", volume);
    entry.set("devicePath", "");
  }
  api::Json patch = api::Json::object();
  patch.set("status", api::Json::object()).set("volumesAttached", std::move(list));
  return patch_request(kind_of<corev1::Node>(), {}, node, PatchKind::kMerge, patch.dump(),
                       "status");
}

bool contains(const std::vector<Str>& names, const Str& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

bool uses(const ApiResponse& answer, const Str& volume) {
  if (!answer.status) return answer.status.code() != Code::kNotFound;
  const auto& in_use = answer.object.get<corev1::Node>().status->volumes_in_use;
  return std::find(in_use.begin(), in_use.end(), volume) != in_use.end();
}

}  // namespace

Status AttachDetachController::sync(const AttachInputs& in, WriteLog& log) {
  const std::vector<Str> unreported = report_to_nodes(in, log);
  const auto detaches = checked_detaches(in, unreported, log);
  const auto removed = log.batch(detaches.size(), [&](size_t i) {
    return delete_request(kind_of<storagev1::VolumeAttachment>(), {}, detaches[i].attachment);
  });
  log.once([&] {
    for (size_t i = 0; i < removed.size(); ++i)
      look_at_answer(detaches[i].where, detaches[i].attachment, removed[i].status);
  });
  const auto made = log.batch(in.attaches.size(),
                              [&](size_t i) { return create_request(in.attaches[i].attachment); });
  log.once([&] {
    for (size_t i = 0; i < made.size(); ++i)
      look_at_answer(in.attaches[i].where, in.attaches[i].attachment.meta().name, made[i].status);
  });
  return Status();
}

/// Answers the nodes that could not be told.
std::vector<Str> AttachDetachController::report_to_nodes(const AttachInputs& in, WriteLog& log) {
  const auto answers = log.batch(in.reports.size(), [&](size_t i) {
    return report_request(in.reports[i].first, in.reports[i].second);
  });
  std::vector<Str> unreported;
  for (size_t i = 0; i < answers.size(); ++i)
    if (!answers[i].status && answers[i].status.code() != Code::kNotFound)
      unreported.push_back(in.reports[i].first);
  log.once([&] {
    for (const Str& node : unreported) state_.report_again(node);
  });
  return unreported;
}

/// Those that may go on: the node has been told, and does not use the volume.
std::vector<AttachInputs::Detach> AttachDetachController::checked_detaches(
    const AttachInputs& in, const std::vector<Str>& unreported, WriteLog& log) {
  std::vector<AttachInputs::Detach> told, refused, good;
  for (const auto& detach : in.detaches)
    (contains(unreported, detach.where.node) ? refused : told).push_back(detach);
  const auto nodes = log.batch(told.size(), [&](size_t i) {
    return get_request(kind_of<corev1::Node>(), {}, told[i].where.node);
  });
  for (size_t i = 0; i < nodes.size(); ++i)
    (told[i].checked && uses(nodes[i], told[i].where.volume) ? refused : good).push_back(told[i]);
  log.once([&] {
    for (const auto& detach : refused) {
      operations_.failed(detach.where, now());
      by_attachment_.erase(detach.attachment);
      state_.keep(detach.where);
    }
  });
  return good;
}

/// An answer may end an operation; mostly it is the driver that does, by a change of its
/// attachment.
void AttachDetachController::look_at_answer(const VolumeOnNode& where, const Str& attachment,
                                            const Status& status) {
  const auto kind = operations_.under_way(where);
  if (!kind) return;
  const bool attaches = *kind == Kind::kAttach;
  if (!attaches && status.code() == Code::kNotFound) return succeed(where);
  if (!status && status.code() != Code::kAlreadyExists) return fail(where, status.message());
  const api::Object* known = informer(kAttachments).find({}, attachment);
  if (attaches && known) attachment_changed({*known, *known, {}});
}

void AttachDetachController::attachment_changed(const Change& change) {
  const auto found = by_attachment_.find(change.newest().meta().name);
  if (found == by_attachment_.end()) return;
  const VolumeOnNode where = found->second;
  const auto kind = operations_.under_way(where);
  if (!kind) return;
  const bool attaches = *kind == Kind::kAttach;
  if (!change.after)
    return attaches ? fail(where, "volume attachment has been deleted") : succeed(where);
  const auto& status = *change.after.get<storagev1::VolumeAttachment>().status;
  const auto& error = attaches ? status.attach_error : status.detach_error;
  if (attaches && status.attached) return succeed(where);
  if (error) fail(where, error->message);
}

void AttachDetachController::succeed(const VolumeOnNode& where) {
  const bool attaches = operations_.under_way(where) == Kind::kAttach;
  operations_.succeeded(where);
  by_attachment_.erase(attachment_name(where, sha256_));
  if (attaches) {
    state_.attached(where);
    tell_pods(where, true, "");
  } else {
    state_.detached(where);
  }
  enqueue("pass");
}

/// Whether it is attached is not known then.
void AttachDetachController::fail(const VolumeOnNode& where, std::string_view why) {
  const bool attaches = operations_.under_way(where) == Kind::kAttach;
  operations_.failed(where, now());
  by_attachment_.erase(attachment_name(where, sha256_));
  state_.uncertain(where);
  if (attaches) tell_pods(where, false, str_cat(": ", why));
  enqueue("pass");
}

void AttachDetachController::tell_pods(const VolumeOnNode& where, bool good,
                                       std::string_view what) {
  const Str* name = state_.name_of(where);
  if (!name) return;
  const std::string message = str_cat("AttachVolume.Attach ", good ? "succeeded" : "failed",
                                      " for volume ", api::quoted(*name), " ", what);
  for (const Str& pod : state_.pods_of(where)) tell_pod(pod, good, message);
}

void AttachDetachController::tell_pod(const Str& pod, bool good, std::string_view message) {
  const api::Object* found = informer(kPods).find(pod.view());
  if (!found) return;
  report(now(), {*found, good ? "Normal" : "Warning",
                 good ? "SuccessfulAttachVolume" : "FailedAttachVolume", Str(message)});
}

}  // namespace orrery::control
