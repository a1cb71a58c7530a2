#include "realmode/sqlite/mvcc.h"

#include <algorithm>
#include <unordered_set>

namespace orrery::realmode {
namespace {

// As etcd's --max-request-bytes.
constexpr size_t kRequestBytesMax = 3 * 512 * 1024;

Status compacted_error() { return {Code::kExpired, "required revision has been compacted"}; }
Status future_error() { return bad_request("required revision is a future revision"); }
Status no_lease_error() { return not_found("requested lease not found"); }

}  // namespace

Result<std::unique_ptr<Mvcc>> Mvcc::open(const std::string& path, Time now) {
  ORRERY_ASSIGN(std::unique_ptr<StoreFile> file, StoreFile::open(path));
  std::unique_ptr<Mvcc> mvcc(new Mvcc(std::move(file)));
  ORRERY_TRY(mvcc->load(now).with_context(path));
  return mvcc;
}

Status Mvcc::load(Time now) {
  index_ = {};
  leases_.clear();
  expiries_.clear();
  garbage_.clear();
  ORRERY_ASSIGN(revisions_, file_->load_revisions());
  ORRERY_TRY(file_->load_leases([&](int64_t id, Duration ttl) {
    Lease& lease = leases_[id];
    lease.ttl = ttl;
    set_expiry(id, lease, now);
  }));
  ORRERY_TRY(file_->load_versions([&](const Str& key, const Version& version) {
    index_.append(key, version);
    const auto lease = leases_.find(version.lease);
    if (lease != leases_.end()) lease->second.keys.insert(key);
  }));
  std::vector<int64_t> forgotten;
  index_.forget_until(revisions_.compacted, &forgotten);
  garbage_.assign(forgotten.begin(), forgotten.end());
  return Status::ok();
}

Status Mvcc::fail(Status status) {
  if (!status.is_ok() && failure_.is_ok()) failure_ = status;
  return status;
}

bool Mvcc::begin() {
  if (failure_.is_ok() && !open_) open_ = fail(file_->begin()).is_ok();
  return failure_.is_ok();
}

bool Mvcc::begin_writes() {
  order_ = 0;
  writing_ = revision() + 1;
  return begin();
}

void Mvcc::end_writes() {
  if (order_ > 0) revisions_.revision = writing_;
  writing_ = 0;
}

Status Mvcc::commit() {
  if (!failure_.is_ok()) return failure_;
  if (!open_) return Status::ok();
  open_ = false;
  return fail(file_->commit());
}

void Mvcc::roll_back(Time now) {
  file_->rollback();
  open_ = false;
  writing_ = 0;
  failure_ = load(now);
}

Result<KeyValue> Mvcc::read(const Str& key, const Version& version, bool with_value) {
  KeyValue kv{key, {}, version.create_revision, version.revision(), version.version, version.lease};
  if (!with_value || !version.live()) return kv;
  Result<Str> value = file_->value(version.id);
  if (!value.is_ok()) return fail(value.status());
  kv.value.bytes = std::move(*value);
  return kv;
}

Status Mvcc::range(const RangeRequest& request, RangeResponse* response) {
  const int64_t at = request.revision == 0 ? std::max(revision(), writing_) : request.revision;
  if (request.revision > revision()) return future_error();
  if (at < compacted()) return compacted_error();
  std::vector<std::pair<Str, Version>> found;
  index_.each(request.key, request.range_end, at, [&](const Str& key, const Version& version) {
    ++response->count;
    if (request.count_only) return;
    if (request.limit == 0 || static_cast<int64_t>(found.size()) < request.limit) {
      found.emplace_back(key, version);
    } else {
      response->more = true;
    }
  });
  response->kvs.reserve(found.size());
  for (const auto& [key, version] : found) {
    ORRERY_ASSIGN(KeyValue kv, read(key, version, !request.keys_only));
    response->kvs.push_back(std::move(kv));
  }
  return Status::ok();
}

bool Mvcc::holds(const StoreCompare& compare) const {
  using Target = StoreCompare::Target;
  static const Version kAbsent;
  const Version* newest = index_.newest(compare.key);
  const Version& v = newest ? *newest : kAbsent;
  const int64_t number = compare.target == Target::kModRevision      ? v.revision()
                         : compare.target == Target::kCreateRevision ? v.create_revision
                                                                     : v.version;
  switch (compare.op) {
    case StoreCompare::Op::kEqual:
      return number == compare.number;
    case StoreCompare::Op::kGreater:
      return number > compare.number;
    case StoreCompare::Op::kLess:
      return number < compare.number;
    default:
      return number != compare.number;
  }
}

Status Mvcc::check_writes(const std::vector<StoreOp>& ops) const {
  std::unordered_set<Str> written;
  size_t bytes = 0;
  for (const StoreOp& op : ops) {
    if (op.kind == StoreOp::Kind::kRange && op.range.revision > revision()) return future_error();
    if (op.kind == StoreOp::Kind::kRange && op.range.revision != 0 &&
        op.range.revision < compacted())
      return compacted_error();
    if (op.kind != StoreOp::Kind::kPut) continue;
    if (op.lease != 0 && !leases_.contains(op.lease)) return no_lease_error();
    if (ops.size() > 1 && !written.insert(op.range.key).second)
      return bad_request("duplicate key given in txn request");
    bytes += op.range.key.size() + op.value.bytes.size();
  }
  if (bytes > kRequestBytesMax) return {Code::kRequestTooLarge, "request is too large"};
  return Status::ok();
}

Status Mvcc::txn(const TxnRequest& request, TxnResponse* response) {
  response->succeeded = std::all_of(request.compares.begin(), request.compares.end(),
                                    [this](const StoreCompare& c) { return holds(c); });
  const auto& ops = response->succeeded ? request.success : request.failure;
  ORRERY_TRY(check_writes(ops));
  const bool writes = std::any_of(
      ops.begin(), ops.end(), [](const StoreOp& op) { return op.kind != StoreOp::Kind::kRange; });
  if (writes && !begin_writes()) return failure_;
  for (const StoreOp& op : ops) {
    TxnResponse::OpResult result;
    switch (op.kind) {
      case StoreOp::Kind::kPut:
        ORRERY_TRY(put(op));
        break;
      case StoreOp::Kind::kDelete:
        ORRERY_TRY(erase(op.range, &result.deleted));
        break;
      case StoreOp::Kind::kRange:
        ORRERY_TRY(range(op.range, &result.range));
        break;
    }
    response->results.push_back(std::move(result));
  }
  if (writes) end_writes();
  return Status::ok();
}

Status Mvcc::put(const StoreOp& op) {
  const Version* current = index_.newest(op.range.key);
  Version next;
  next.create_revision = current ? current->create_revision : writing_;
  next.version = (current ? current->version : 0) + 1;
  next.lease = op.lease;
  if (op.lease != 0) leases_.at(op.lease).keys.insert(op.range.key);
  return write(op.range.key, next, op.value);
}

Status Mvcc::erase(const RangeRequest& range, int64_t* deleted) {
  std::vector<Str> doomed;
  index_.each(range.key, range.range_end, writing_,
              [&](const Str& key, const Version&) { doomed.push_back(key); });
  *deleted = static_cast<int64_t>(doomed.size());
  return erase_keys(doomed);
}

Status Mvcc::erase_keys(const std::vector<Str>& keys) {
  for (const Str& key : keys) ORRERY_TRY(write(key, Version(), StoreValue()));
  return Status::ok();
}

Status Mvcc::write(const Str& key, Version version, StoreValue value) {
  CHECK(order_ < int64_t{1} << Version::kOrderBits) << "writes in one revision";
  version.id = Version::first_id(writing_) + order_++;
  ORRERY_TRY(fail(file_->put(key, version, value.bytes)));
  index_.append(key, version);
  if (!on_write_) return Status::ok();
  const KeyValue kv{
      key,          std::move(value), version.create_revision, version.revision(), version.version,
      version.lease};
  on_write_(kv, index_.before(key, version.id));
  return Status::ok();
}

Status Mvcc::replay(int64_t revision, const OnWrite& visit) {
  return fail(file_->history(
      Version::first_id(revision), [&](const Str& key, const Version& v, const Str& value) {
        KeyValue kv{key, {}, v.create_revision, v.revision(), v.version, v.lease};
        kv.value.bytes = value;
        visit(kv, index_.before(key, v.id));
      }));
}

}  // namespace orrery::realmode
