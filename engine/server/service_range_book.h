#pragma once

#include <cstdint>
#include <string>
#include <unordered_set>
#include <vector>

#include "engine/api/gen/corev1.h"
#include "engine/ports/store.h"
#include "engine/server/service_allocation.h"

namespace orrery::server {

/// What the store says of the cluster IPs and node ports in use: one RangeAllocation each, with a
/// bitmap that every write of a service brings up to date in its own transaction. So all servers on
/// a store allocate from the same state, and of two that take one address at once the second has to
/// try again. Plain copyable state.
/// Source: Kubernetes v1.32 pkg/registry/core/service (allocator/storage, ipallocator,
/// portallocator): keys, ranges and numbering of the bits.
class ServiceRangeBook {
 public:
  explicit ServiceRangeBook(const ServiceRanges& ranges);
  /// A value or a deletion of the store; false if the key is none of ours.
  bool note(const KeyValue& kv);
  /// Adds what the bitmaps say is in use.
  void add_taken(TakenByServices& taken) const;
  /// The bitmaps exist: what is in use need not be told to book().
  bool knows_all() const { return addresses_.revision != 0 && ports_.revision != 0; }
  /// What a transaction that makes `fresh` of `old` (either may be null) has to compare and write.
  /// `all` that is in use begins the bitmaps, and is not looked at if there are some.
  void book(const corev1::Service* old, const corev1::Service* fresh, const TakenByServices& all,
            std::vector<StoreCompare>& compares, std::vector<StoreOp>& writes) const;

 private:
  struct Range {
    Str key;
    Str name;  // RangeAllocation.range
    uint32_t first = 0;
    uint32_t count = 0;
    int64_t revision = 0;  // of the value; 0: there is none
    std::vector<bool> used;
  };
  static void book(const Range& range, const std::unordered_set<uint32_t>& released,
                   const std::unordered_set<uint32_t>& taken, const std::unordered_set<uint32_t>& all,
                   std::vector<StoreCompare>& compares, std::vector<StoreOp>& writes);

  Range addresses_;
  Range ports_;
};

}  // namespace orrery::server
