#include "engine/control/common/protection.h"

#include "engine/runtime/api_requests.h"

namespace orrery::control {

bool is_deletion_candidate(const metav1::ObjectMeta& meta, std::string_view finalizer) {
  return meta.deletion_timestamp && api::has_finalizer(meta, finalizer);
}

bool lacks_finalizer(const metav1::ObjectMeta& meta, std::string_view finalizer) {
  return !meta.deletion_timestamp && !api::has_finalizer(meta, finalizer);
}

Status protect(const api::Object& object, std::string_view finalizer,
               const std::function<Result<bool>()>& is_used, WriteLog& log) {
  const bool goes = is_deletion_candidate(object.meta(), finalizer);
  if (!goes && !lacks_finalizer(object.meta(), finalizer)) return Status();
  if (goes) {
    ORRERY_ASSIGN(const bool used, is_used());
    if (used) return Status();
  }
  api::Object changed = object;
  auto& finalizers = changed.mut_meta().finalizers;
  if (goes) {
    finalizers.erase_if([&](const Str& one) { return one == finalizer; });
  } else {
    finalizers.push_back(Str(finalizer));
  }
  return log.call([&] { return update_request(std::move(changed)); }).status;
}

}  // namespace orrery::control
