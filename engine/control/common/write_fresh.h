#pragma once

#include <string_view>

#include "engine/api/object.h"
#include "engine/runtime/api_requests.h"
#include "engine/runtime/replayed_sync.h"

namespace orrery::control {

/// Writes what `change` makes of an object, on newer states of it as long as that conflicts (five
/// times at most, as client-go's RetryOnConflict). change(api::Object&) answers whether there is
/// anything to write. An object that is gone is no failure.
template <typename Change>
Status write_fresh(const api::Object& cached, std::string_view subresource, WriteLog& log,
                   Change change) {
  constexpr int kAttempts = 5;
  const auto gone_is_fine = [](const Status& status) {
    return status.code() == Code::kNotFound ? Status() : status;
  };
  const Str ns = cached.meta().namespace_, name = cached.meta().name;
  api::Object object = cached;
  for (int attempt = 1;; ++attempt) {
    if (!change(object)) return Status();
    const Status& written = log.call([&] { return update_request(object, subresource); }).status;
    if (written.code() != Code::kConflict || attempt == kAttempts) return gone_is_fine(written);
    const ApiResponse& fresh = log.call([&] { return get_request(*cached.kind(), ns, name); });
    if (!fresh.status) return gone_is_fine(fresh.status);
    object = fresh.object;
  }
}

}  // namespace orrery::control
