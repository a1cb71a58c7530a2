#include "engine/control/common/claim.h"

#include <algorithm>
#include <optional>
#include <string>

#include "engine/api/json_value.h"
#include "engine/api/semantic.h"
#include "engine/runtime/api_requests.h"

namespace orrery::control {
namespace {

using api::Json;

Json finalizer_list(std::span<const Str> finalizers) {
  Json list = Json::array();
  for (const Str& finalizer : finalizers) list.push_back(finalizer);
  return list;
}

std::string release_patch(const api::Object& owner, const Str& uid,
                          std::span<const Str> finalizers) {
  Json ref = Json::object();
  ref.set("$patch", "delete");
  ref.set("uid", owner.meta().uid);
  Json metadata = Json::object();
  metadata.set("uid", uid);
  metadata.set("ownerReferences", Json::array()).push_back(std::move(ref));
  if (!finalizers.empty())
    metadata.set("$deleteFromPrimitiveList/finalizers", finalizer_list(finalizers));
  Json patch = Json::object();
  patch.set("metadata", std::move(metadata));
  return patch.dump();
}

/// One run of claim_objects.
class Claimer {
 public:
  Claimer(const api::Object& owner, const api::Selector& selector, WriteLog& log,
          std::span<const Str> finalizers, const std::function<bool(const api::Object&)>& is_member)
      : owner_(owner),
        selector_(selector),
        log_(log),
        finalizers_(finalizers),
        is_member_(is_member) {}

  /// Whether the object is the owner's in the end.
  Result<bool> claim(const api::Object& object) {
    const bool matches =
        selector_.matches(object.meta().labels) && (!is_member_ || is_member_(object));
    const bool owner_goes = owner_.meta().deletion_timestamp.has_value();
    if (const auto* controller = api::controller_of(object.meta())) {
      if (controller->uid != owner_.meta().uid) return false;
      if (matches) return true;
      if (owner_goes) return false;
      ORRERY_TRY(release(object));
      return false;
    }
    const auto& meta = object.meta();
    if (owner_goes || !matches || meta.deletion_timestamp ||
        meta.namespace_ != owner_.meta().namespace_)
      return false;
    return adopt(object);
  }

 private:
  Status release(const api::Object& object) {
    const Status& status =
        patch(object, [&] { return release_patch(owner_, object.meta().uid, finalizers_); });
    // Invalid: it has no such owner any more, or is another object of that name.
    if (status.code() == Code::kNotFound || status.code() == Code::kInvalid) return Status();
    return status;
  }
  Result<bool> adopt(const api::Object& object) {
    if (!may_adopt_) may_adopt_ = check_may_adopt(owner_, log_);
    const auto& meta = object.meta();
    if (!*may_adopt_)
      return Status(may_adopt_->code(),
                    str_cat("can't adopt ", object.kind()->kind, ' ', meta.namespace_, '/',
                            meta.name, " (", meta.uid, "): ", may_adopt_->message()));
    const Status& status =
        patch(object, [&] { return adoption_patch(owner_, meta.uid, finalizers_); });
    if (status.code() == Code::kNotFound) return false;
    if (!status) return status;
    return true;
  }
  template <typename Make>
  const Status& patch(const api::Object& object, Make text) {
    const auto& meta = object.meta();
    return log_
        .call([&] {
          return patch_request(*object.kind(), meta.namespace_, meta.name, PatchKind::kStrategic,
                               text());
        })
        .status;
  }

  const api::Object& owner_;
  const api::Selector& selector_;
  WriteLog& log_;
  std::span<const Str> finalizers_;
  const std::function<bool(const api::Object&)>& is_member_;
  std::optional<Status> may_adopt_;
};

}  // namespace

bool same_controller(const api::Object& a, const api::Object& b) {
  const auto* one = api::controller_of(a.meta());
  const auto* other = api::controller_of(b.meta());
  return one == other || (one && other && api::semantic_equal(*one, *other));
}

void sort_by_name(std::vector<api::Object>& objects) {
  std::sort(objects.begin(), objects.end(), [](const api::Object& a, const api::Object& b) {
    return a.meta().name < b.meta().name;
  });
}

metav1::OwnerReference controller_reference(const api::Object& owner) {
  metav1::OwnerReference ref;
  ref.api_version = owner.kind()->api_version;
  ref.kind = owner.kind()->kind;
  ref.name = owner.meta().name;
  ref.uid = owner.meta().uid;
  ref.controller = true;
  ref.block_owner_deletion = true;
  return ref;
}

bool may_claim(const api::Object& owner, const api::Object& object) {
  const auto* controller = api::controller_of(object.meta());
  return !controller || controller->uid == owner.meta().uid;
}

Status claim_objects(const api::Object& owner, const api::Selector& selector,
                     std::span<const api::Object> candidates, WriteLog& log,
                     std::vector<api::Object>& claimed, std::span<const Str> finalizers,
                     const std::function<bool(const api::Object&)>& is_member) {
  Claimer claimer(owner, selector, log, finalizers, is_member);
  std::vector<Status> failures;
  for (const api::Object& object : candidates) {
    const Result<bool> mine = claimer.claim(object);
    if (!mine) {
      failures.push_back(mine.status());
    } else if (*mine) {
      claimed.push_back(object);
    }
  }
  return join_failures(failures);
}

std::string adoption_patch(const api::Object& owner, const Str& uid,
                           std::span<const Str> finalizers) {
  Json ref = Json::object();
  ref.set("apiVersion", owner.kind()->api_version);
  ref.set("kind", owner.kind()->kind);
  ref.set("name", owner.meta().name);
  ref.set("uid", owner.meta().uid);
  ref.set("controller", true);
  ref.set("blockOwnerDeletion", true);
  Json metadata = Json::object();
  metadata.set("ownerReferences", Json::array()).push_back(std::move(ref));
  metadata.set("uid", uid);
  if (!finalizers.empty()) metadata.set("finalizers", finalizer_list(finalizers));
  Json patch = Json::object();
  patch.set("metadata", std::move(metadata));
  return patch.dump();
}

Status check_may_adopt(const api::Object& owner, WriteLog& log) {
  const auto& meta = owner.meta();
  const ApiResponse& fresh =
      log.call([&] { return get_request(*owner.kind(), meta.namespace_, meta.name); });
  if (!fresh.status) return fresh.status;
  if (fresh.object.meta().uid != meta.uid)
    return not_found(str_cat("original ", owner.kind()->kind, ' ', meta.namespace_, '/', meta.name,
                             " is gone: got uid ", fresh.object.meta().uid, ", wanted ", meta.uid));
  if (fresh.object.meta().deletion_timestamp)
    return bad_request(str_cat(meta.namespace_, '/', meta.name, " has just been deleted at ",
                               api::format_time(*fresh.object.meta().deletion_timestamp)));
  return Status();
}

Status join_failures(std::span<const Status> failures) {
  if (failures.empty()) return Status();
  std::vector<std::string> messages;
  for (const Status& failure : failures)
    if (std::find(messages.begin(), messages.end(), failure.message()) == messages.end())
      messages.push_back(failure.message());
  if (messages.size() == 1) return failures[0];
  std::string text = "[";
  for (size_t i = 0; i < messages.size(); ++i) text += (i ? ", " : "") + messages[i];
  return Status(failures[0].code(), text + "]");
}

}  // namespace orrery::control
