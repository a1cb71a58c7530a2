#pragma once

#include <string>
#include <string_view>

#include "engine/api/gen/coordinationv1.h"
#include "engine/base/time.h"

namespace orrery {

/// Annotation of a lease that is renewed without being written: it is renewed every so many seconds
/// from spec.renewTime on; "0": it was, and spec.renewTime is its last renewal.
inline constexpr std::string_view kLazyLease = "orrery.dev/renewed-every-seconds";
std::string lazy_lease_text(Duration period);

/// A lease's last renewal as of `now`.
struct LeaseRenewal {
  Time at;
  bool lazy = false;     // nobody saw a write at that time
  bool goes_on = false;  // will be renewed again without a write
};
/// Absent if there is no lease or it was never renewed.
Opt<LeaseRenewal> lease_renewal(const coordinationv1::Lease* lease, Time now);

}  // namespace orrery
