#include "realmode/sqlite/mvcc.h"

namespace orrery::realmode {

void Mvcc::set_expiry(int64_t id, Lease& lease, Time now) {
  expiries_.erase({lease.expires, id});
  lease.expires = now + lease.ttl;
  expiries_.emplace(lease.expires, id);
}

Status Mvcc::lease_grant(Duration ttl, Time now, int64_t* id) {
  if (!begin()) return failure_;
  const Result<int64_t> added = file_->add_lease(ttl);
  if (!added.is_ok()) return fail(added.status());
  *id = *added;
  Lease& lease = leases_[*id];
  lease.ttl = ttl;
  set_expiry(*id, lease, now);
  return Status::ok();
}

Status Mvcc::lease_keep_alive(int64_t id, Time now) {
  const auto found = leases_.find(id);
  if (found == leases_.end()) return not_found("requested lease not found");
  set_expiry(id, found->second, now);
  return Status::ok();
}

// All keys go in one revision, in their order.
Status Mvcc::lease_revoke(int64_t id) {
  const auto found = leases_.find(id);
  if (found == leases_.end()) return not_found("requested lease not found");
  if (!begin_writes()) return failure_;
  ORRERY_TRY(fail(file_->remove_lease(id)));
  std::vector<Str> doomed;
  for (const Str& key : found->second.keys) {
    const Version* newest = index_.newest(key);
    if (newest && newest->lease == id) doomed.push_back(key);
  }
  expiries_.erase({found->second.expires, id});
  leases_.erase(found);
  ORRERY_TRY(erase_keys(doomed));
  end_writes();
  return Status::ok();
}

void Mvcc::expire(Time now) {
  while (failure_.is_ok() && next_expiry() <= now)
    static_cast<void>(lease_revoke(expiries_.begin()->second).is_ok());
}

Time Mvcc::next_expiry() const {
  return expiries_.empty() ? Time::max() : expiries_.begin()->first;
}

Status Mvcc::compact(int64_t revision) {
  if (revision > this->revision()) return bad_request("required revision is a future revision");
  if (revision <= compacted()) return {Code::kExpired, "required revision has been compacted"};
  if (!begin()) return failure_;
  StoreFile::Revisions revisions = revisions_;
  revisions.compacted = revision;
  ORRERY_TRY(fail(file_->set_revisions(revisions)));
  revisions_ = revisions;
  std::vector<int64_t> forgotten;
  index_.forget_until(revision, &forgotten);
  garbage_.insert(garbage_.end(), forgotten.begin(), forgotten.end());
  return Status::ok();
}

void Mvcc::sweep(size_t max) {
  if (garbage_.empty() || !begin()) return;
  for (; max > 0 && !garbage_.empty(); --max) {
    if (!fail(file_->forget(garbage_.front())).is_ok()) return;
    garbage_.pop_front();
  }
}

}  // namespace orrery::realmode
