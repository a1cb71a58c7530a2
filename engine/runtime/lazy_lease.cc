#include "engine/runtime/lazy_lease.h"

#include <charconv>

namespace orrery {

std::string lazy_lease_text(Duration period) { return std::to_string(period.ns / 1'000'000'000); }

Opt<LeaseRenewal> lease_renewal(const coordinationv1::Lease* lease, Time now) {
  if (!lease || !lease->spec->renew_time) return {};
  LeaseRenewal renewal;
  renewal.at = lease->spec->renew_time->time();
  const Str* text = lease->metadata->annotations.find(kLazyLease);
  if (!text) return renewal;
  renewal.lazy = true;
  int64_t seconds = 0;
  std::from_chars(text->data(), text->data() + text->size(), seconds);
  if (seconds <= 0) return renewal;
  renewal.goes_on = true;
  const Duration period = Duration::seconds(seconds);
  if (now > renewal.at) renewal.at = renewal.at + period * ((now - renewal.at).ns / period.ns);
  return renewal;
}

}  // namespace orrery
