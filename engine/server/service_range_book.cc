#include "engine/server/service_range_book.h"

#include "engine/api/storage.h"

namespace orrery::server {
namespace {

// Go's big.Int in bytes: the highest first, none of them leading zeros.
std::string bitmap_bytes(const std::vector<bool>& used) {
  std::string bytes((used.size() + 7) / 8, '\0');
  for (size_t i = 0; i < used.size(); ++i)
    if (used[i]) bytes[bytes.size() - 1 - i / 8] = static_cast<char>(bytes[bytes.size() - 1 - i / 8] | 1 << i % 8);
  return bytes.substr(std::min(bytes.find_first_not_of('\0'), bytes.size()));
}

std::vector<bool> bitmap_of(std::string_view bytes, size_t count) {
  std::vector<bool> used(count);
  for (size_t i = 0; i < count && i / 8 < bytes.size(); ++i)
    used[i] = static_cast<unsigned char>(bytes[bytes.size() - 1 - i / 8]) >> i % 8 & 1;
  return used;
}

TakenByServices taken_by(const corev1::Service* service) {
  TakenByServices taken;
  if (service) taken.add(*service);
  return taken;
}

}  // namespace

ServiceRangeBook::ServiceRangeBook(const ServiceRanges& ranges) {
  if (ranges.cidr.empty()) return;
  const AddressRange addresses = AddressRange::of(ranges.cidr);
  const auto ports = static_cast<uint32_t>(ranges.node_port_max - ranges.node_port_min + 1);
  addresses_ = {"/registry/ranges/serviceips", Str(ranges.cidr), addresses.first, addresses.count, 0, {}};
  ports_ = {"/registry/ranges/servicenodeports", Str(str_cat(ranges.node_port_min, "-", ranges.node_port_max)),
            static_cast<uint32_t>(ranges.node_port_min), ports, 0, {}};
}

bool ServiceRangeBook::note(const KeyValue& kv) {
  Range* range = kv.key == addresses_.key ? &addresses_ : kv.key == ports_.key ? &ports_ : nullptr;
  if (!range || kv.key.empty()) return false;
  range->revision = kv.value.empty() ? 0 : kv.mod_revision;
  range->used.assign(range->count, false);
  api::Object object = kv.value.object;
  if (!object && !kv.value.bytes.empty())
    if (auto decoded = api::decode_storage(kv.value.bytes); decoded.is_ok()) object = std::move(*decoded);
  const auto* allocation = object ? object.as<corev1::RangeAllocation>() : nullptr;
  // Another range than ours: its bits say nothing, the services still do.
  if (allocation && allocation->range == range->name) range->used = bitmap_of(allocation->data, range->count);
  return true;
}

void ServiceRangeBook::add_taken(TakenByServices& taken) const {
  for (uint32_t i = 0; i < addresses_.used.size(); ++i)
    if (addresses_.used[i]) taken.addresses.insert(addresses_.first + i);
  for (uint32_t i = 0; i < ports_.used.size(); ++i)
    if (ports_.used[i]) taken.ports.insert(ports_.first + i);
}

void ServiceRangeBook::book(const corev1::Service* old, const corev1::Service* fresh, const TakenByServices& all,
                            std::vector<StoreCompare>& compares, std::vector<StoreOp>& writes) const {
  const TakenByServices released = taken_by(old), taken = taken_by(fresh);
  book(addresses_, released.addresses, taken.addresses, all.addresses, compares, writes);
  book(ports_, released.ports, taken.ports, all.ports, compares, writes);
}

void ServiceRangeBook::book(const Range& range, const std::unordered_set<uint32_t>& released,
                            const std::unordered_set<uint32_t>& taken, const std::unordered_set<uint32_t>& all,
                            std::vector<StoreCompare>& compares, std::vector<StoreOp>& writes) {
  if (range.count == 0 || released == taken) return;
  std::vector<bool> used = range.used;
  used.resize(range.count);
  const auto mark = [&](const std::unordered_set<uint32_t>& numbers, bool value) {
    for (uint32_t number : numbers)
      if (number - range.first < range.count) used[number - range.first] = value;
  };
  if (range.revision == 0) mark(all, true);
  mark(released, false);
  mark(taken, true);
  corev1::RangeAllocation allocation;
  allocation.metadata.mut();
  allocation.range = range.name;
  allocation.data = {Str(bitmap_bytes(used)), true};
  StoreOp write;
  write.range.key = range.key;
  write.value.object = api::Object::of(std::move(allocation));
  compares.push_back({range.key, StoreCompare::Target::kModRevision, StoreCompare::Op::kEqual, range.revision});
  writes.push_back(std::move(write));
}

}  // namespace orrery::server
