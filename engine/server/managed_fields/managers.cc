#include "engine/server/managed_fields/managers.h"

#include <algorithm>
#include <tuple>

#include "engine/api/names.h"
#include "engine/server/managed_fields/fields_v1.h"

namespace orrery::server::managed {
namespace {

constexpr size_t kUpdatesMax = 10;
constexpr std::string_view kAncient = "ancient-changes";

int64_t seconds(const Manager& manager) { return manager.time && manager.time->set ? manager.time->seconds : 0; }

std::string_view operation(const Manager& manager) { return manager.applied ? "Apply" : "Update"; }

Result<Manager> decode(const metav1::ManagedFieldsEntry& entry, uint64_t index, FieldSetPool& pool) {
  if (entry.operation != "Apply" && entry.operation != "Update")
    return internal_error("operation must be `Apply` or `Update`");
  if (entry.api_version.empty()) return internal_error("apiVersion must not be empty");
  if (entry.fields_type.empty())
    return internal_error(str_cat("missing fieldsType in managed fields entry ", index));
  if (entry.fields_type != "FieldsV1")
    return internal_error(str_cat("invalid fieldsType ", api::quoted(entry.fields_type), " in managed fields entry ", index));
  Manager manager;
  manager.name = entry.manager;
  manager.api_version = entry.api_version;
  manager.subresource = entry.subresource;
  manager.applied = entry.operation == "Apply";
  if (entry.time) manager.time = *entry.time;
  if (entry.fields_v1) {
    manager.text = entry.fields_v1->text;
    ORRERY_ASSIGN(manager.set, parse_fields_v1(manager.text, pool));
  }
  return manager;
}

metav1::ManagedFieldsEntry encode(const Manager& manager) {
  static const Str kFieldsV1 = Str::literal("FieldsV1"), kApply = Str::literal("Apply"), kUpdate = Str::literal("Update");
  metav1::ManagedFieldsEntry entry;
  entry.manager = manager.name;
  entry.operation = manager.applied ? kApply : kUpdate;
  entry.api_version = manager.api_version;
  if (manager.time) entry.time = *manager.time;
  entry.fields_type = kFieldsV1;
  entry.fields_v1 = api::RawJson{manager.text.empty() ? Str(write_fields_v1(manager.set)) : manager.text};
  entry.subresource = manager.subresource;
  return entry;
}

// Updates in the order of upstream's identifiers, which are JSON texts.
bool older(const Manager& a, const Manager& b) {
  return std::tuple(seconds(a), a.name.view(), a.api_version.view(), a.subresource.view()) <
         std::tuple(seconds(b), b.name.view(), b.api_version.view(), b.subresource.view());
}

}  // namespace

Result<Managers> decode_managers(const List<metav1::ManagedFieldsEntry>& entries, FieldSetPool& pool) {
  Managers managers;
  managers.reserve(entries.size() + 1);
  for (size_t i = 0; i < entries.size(); ++i) {
    ORRERY_ASSIGN(Manager manager, decode(entries[i], i, pool));
    if (Manager* same = find_manager(managers, manager)) {
      *same = std::move(manager);
    } else {
      managers.push_back(std::move(manager));
    }
  }
  return managers;
}

List<metav1::ManagedFieldsEntry> encode_managers(Managers managers) {
  std::sort(managers.begin(), managers.end(), [](const Manager& a, const Manager& b) {
    return std::tuple(operation(a), seconds(a), a.name.view(), a.api_version.view(), a.subresource.view()) <
           std::tuple(operation(b), seconds(b), b.name.view(), b.api_version.view(), b.subresource.view());
  });
  List<metav1::ManagedFieldsEntry> entries;
  entries.reserve(managers.size());
  for (const Manager& manager : managers) entries.push_back(encode(manager));
  return entries;
}

bool is_reset(const List<metav1::ManagedFieldsEntry>& entries) {
  if (entries.empty()) return !entries.is_nil();
  const metav1::ManagedFieldsEntry& entry = entries[0];
  return entries.size() == 1 && entry.manager.empty() && entry.operation.empty() && entry.api_version.empty() &&
         !entry.time && entry.fields_type.empty() && !entry.fields_v1 && entry.subresource.empty();
}

namespace {

// The bucket of updates in the version of `first`: it exists already, or `first` becomes it.
size_t bucket_of(Managers& managers, size_t first) {
  Manager bucket;
  bucket.name = Str(kAncient);
  bucket.api_version = managers[first].api_version;
  if (const Manager* found = find_manager(managers, bucket)) return static_cast<size_t>(found - managers.data());
  managers[first].name = bucket.name;
  managers[first].subresource = Str();
  return first;
}

}  // namespace

void cap_updates(Managers& managers, FieldSetPool& pool) {
  std::vector<size_t> updates;
  for (size_t i = 0; i < managers.size(); ++i)
    if (!managers[i].applied) updates.push_back(i);
  if (updates.size() <= kUpdatesMax) return;
  std::sort(updates.begin(), updates.end(), [&](size_t a, size_t b) { return older(managers[a], managers[b]); });
  size_t left = updates.size();
  std::vector<size_t> firsts;  // the oldest of each version
  std::vector<bool> gone(managers.size());
  for (size_t i = 0; i < updates.size() && left > kUpdatesMax; ++i) {
    const size_t oldest = updates[i];
    const auto first = std::find_if(firsts.begin(), firsts.end(), [&](size_t f) {
      return managers[f].api_version == managers[oldest].api_version;
    });
    if (first == firsts.end()) {
      firsts.push_back(oldest);
      continue;
    }
    Manager& bucket = managers[bucket_of(managers, *first)];
    bucket.set_fields(pool.unite(managers[oldest].set, bucket.set));
    bucket.time = managers[oldest].time;
    gone[oldest] = true;
    --left;
  }
  Managers kept;
  for (size_t i = 0; i < managers.size(); ++i)
    if (!gone[i]) kept.push_back(std::move(managers[i]));
  managers = std::move(kept);
}

Manager* find_manager(Managers& managers, const Manager& manager) {
  for (Manager& other : managers)
    if (other.same_identity(manager)) return &other;
  return nullptr;
}

std::string describe(const Manager& manager) {
  std::string text = api::quoted(manager.name);
  if (!manager.subresource.empty()) text += str_cat(" with subresource ", api::quoted(manager.subresource));
  if (!manager.applied) text += str_cat(" using ", manager.api_version);
  return text;
}

}  // namespace orrery::server::managed
