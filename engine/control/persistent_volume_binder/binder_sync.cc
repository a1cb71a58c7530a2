#include "engine/control/persistent_volume_binder/binder_sync.h"

#include "engine/runtime/api_requests.h"

namespace orrery::control {

Status BinderSync::write(api::Object& object, std::string_view subresource) {
  const ApiResponse& answer = log_.call([&] { return update_request(object, subresource); });
  if (!answer.status) return answer.status;
  object = answer.object;
  log_.once([&] { hooks_.written(object); });
  return Status();
}

Status BinderSync::set_volume_phase(std::string_view phase, std::string_view message) {
  if (volume().status->phase == phase) return Status();
  auto& status = volume_.mut<corev1::PersistentVolume>().status.mut();
  status.phase = phase;
  status.message = message;
  return write(volume_, "status");
}

}  // namespace orrery::control
