#include "engine/server/watch_cache.h"

#include <algorithm>

#include "engine/api/gen/batchv1.h"
#include "engine/api/gen/corev1.h"

namespace orrery::server {
namespace {

std::optional<Str> pod_field(const corev1::Pod& pod, std::string_view field) {
  if (field == "spec.nodeName") return pod.spec->node_name;
  if (field == "spec.restartPolicy") return pod.spec->restart_policy;
  if (field == "spec.schedulerName") return pod.spec->scheduler_name;
  if (field == "spec.serviceAccountName") return pod.spec->service_account_name;
  if (field == "spec.hostNetwork") return Str(pod.spec->host_network ? "true" : "false");
  if (field == "status.phase") return pod.status->phase;
  if (field == "status.podIP") return pod.status->pod_ip;
  if (field == "status.nominatedNodeName") return pod.status->nominated_node_name;
  return std::nullopt;
}

std::optional<Str> event_field(const corev1::Event& event, std::string_view field) {
  if (field == "involvedObject.kind") return event.involved_object.kind;
  if (field == "involvedObject.namespace") return event.involved_object.namespace_;
  if (field == "involvedObject.name") return event.involved_object.name;
  if (field == "involvedObject.uid") return event.involved_object.uid;
  if (field == "involvedObject.apiVersion") return event.involved_object.api_version;
  if (field == "involvedObject.resourceVersion") return event.involved_object.resource_version;
  if (field == "involvedObject.fieldPath") return event.involved_object.field_path;
  if (field == "reason") return event.reason;
  if (field == "reportingComponent") return event.reporting_component;
  if (field == "source") return event.source.component.empty() ? event.reporting_component : event.source.component;
  if (field == "type") return event.type;
  return std::nullopt;
}

const Str& node_of(const api::Object& object) {
  static const Str kNone;
  const auto* pod = object ? object.as<corev1::Pod>() : nullptr;
  return pod ? pod->spec->node_name : kNone;
}

}  // namespace

std::optional<Str> selectable_field(const api::Object& object, std::string_view field) {
  if (field == "metadata.name") return object.meta().name;
  if (field == "metadata.namespace") return object.meta().namespace_;
  if (const auto* pod = object.as<corev1::Pod>()) return pod_field(*pod, field);
  if (const auto* event = object.as<corev1::Event>()) return event_field(*event, field);
  if (const auto* node = object.as<corev1::Node>(); node && field == "spec.unschedulable")
    return Str(node->spec->unschedulable ? "true" : "false");
  if (const auto* ns = object.as<corev1::Namespace>(); ns && field == "status.phase") return ns->status->phase;
  if (const auto* secret = object.as<corev1::Secret>(); secret && field == "type") return secret->type;
  if (const auto* job = object.as<batchv1::Job>(); job && field == "status.successful")
    return Str(str_cat(job->status->succeeded));
  return std::nullopt;
}

bool is_selectable_field(const api::KindDesc& kind, std::string_view field) {
  return selectable_field(api::Object::make(*kind.type), field).has_value();
}

bool Selection::matches(const api::Object& object) const {
  const auto& meta = object.meta();
  if (!ns.empty() && meta.namespace_ != ns) return false;
  if (!labels.empty() && !labels.matches(meta.labels)) return false;
  return fields.empty() || fields.matches([&](const Str& f) { return selectable_field(object, f).value_or(Str()); });
}

Result<Selection> Selection::make(const api::KindDesc& kind, Str ns, std::string_view labels, std::string_view fields) {
  Selection selection;
  selection.ns = std::move(ns);
  auto parsed_labels = api::Selector::parse(labels);
  if (!parsed_labels.is_ok()) return parsed_labels.status();
  selection.labels = std::move(*parsed_labels);
  auto parsed_fields = api::FieldSelector::parse(fields);
  if (!parsed_fields.is_ok()) return parsed_fields.status();
  selection.fields = std::move(*parsed_fields);
  for (const auto& term : selection.fields.terms())
    if (!is_selectable_field(kind, term.field))
      return bad_request(str_cat("field label not supported: ", term.field));
  return selection;
}

const WatchCache::Entry* WatchCache::find(const Str& key) const {
  const auto it = objects_.find(key);
  return it == objects_.end() ? nullptr : &it->second;
}

std::vector<Str> WatchCache::keys() const {
  std::vector<Str> out;
  for (const auto& [key, entry] : objects_) out.push_back(key);
  std::sort(out.begin(), out.end());
  return out;
}

std::vector<api::Object> WatchCache::list(const Selection& selection) const {
  std::vector<std::pair<Str, api::Object>> found;
  for (const auto& [key, entry] : objects_)
    if (selection.matches(entry.object)) found.emplace_back(key, entry.object);
  std::sort(found.begin(), found.end(), [](const auto& a, const auto& b) { return a.first.view() < b.first.view(); });
  std::vector<api::Object> out;
  out.reserve(found.size());
  for (auto& [key, object] : found) out.push_back(std::move(object));
  return out;
}

// An object that enters the selection is added, one that leaves it is deleted.
void WatchCache::tell(uint64_t id, const api::Object& before, const api::Object& after, Deliveries& out) const {
  const Selection& selection = watchers_.at(id).selection;
  const bool was = before && selection.matches(before);
  const bool is = after && selection.matches(after);
  if (!was && !is) return;
  WatchEvent event;
  event.type = is ? (was ? WatchEventType::kModified : WatchEventType::kAdded) : WatchEventType::kDeleted;
  event.object = after ? after : before;
  out.emplace_back(id, std::move(event));
}

void WatchCache::tell_index(const Index& index, const Str& before, const Str& after, const api::Object& old,
                            const api::Object& fresh, Deliveries& out) const {
  const auto visit = [&](const Str& value) {
    if (value.empty()) return;
    const auto it = index.find(value);
    if (it == index.end()) return;
    for (uint64_t id : it->second) tell(id, old, fresh, out);
  };
  visit(before);
  if (after != before) visit(after);
}

void WatchCache::apply(const Str& key, const api::Object& object, int64_t revision, Deliveries& out) {
  const auto it = objects_.find(key);
  const api::Object before = it == objects_.end() ? api::Object() : it->second.object;
  if (!before && !object) return;
  for (uint64_t id : unindexed_) tell(id, before, object, out);
  if (!by_node_.empty()) tell_index(by_node_, node_of(before), node_of(object), before, object, out);
  if (!by_name_.empty()) {
    const Str& name = (object ? object : before).meta().name;
    tell_index(by_name_, name, name, before, object, out);
  }
  if (!object) {
    objects_.erase(it);
  } else if (it != objects_.end()) {
    it->second = {object, revision};
  } else {
    objects_.emplace(key, Entry{object, revision});
  }
}

void WatchCache::add_watch(uint64_t id, Selection selection) {
  Watcher watcher;
  const auto node = selection.fields.exact_match("spec.nodeName");
  const auto name = selection.fields.exact_match("metadata.name");
  watcher.selection = std::move(selection);
  if (node && !node->empty()) {
    watcher.index = IndexKind::kNode;
    watcher.value = *node;
    by_node_[*node].push_back(id);
  } else if (name && !name->empty()) {
    watcher.index = IndexKind::kName;
    watcher.value = *name;
    by_name_[*name].push_back(id);
  } else {
    unindexed_.push_back(id);
  }
  watchers_.emplace(id, std::move(watcher));
}

bool WatchCache::remove_watch(uint64_t id) {
  const auto it = watchers_.find(id);
  if (it == watchers_.end()) return false;
  if (it->second.index == IndexKind::kAll) {
    std::erase(unindexed_, id);
  } else {
    Index& index = it->second.index == IndexKind::kNode ? by_node_ : by_name_;
    auto& ids = index[it->second.value];
    std::erase(ids, id);
    if (ids.empty()) index.erase(it->second.value);
  }
  watchers_.erase(it);
  return true;
}

const Selection* WatchCache::selection(uint64_t id) const {
  const auto it = watchers_.find(id);
  return it == watchers_.end() ? nullptr : &it->second.selection;
}

}  // namespace orrery::server
