#include "engine/server/watch_cache.h"

#include <algorithm>

#include "engine/api/gen/batchv1.h"
#include "engine/api/gen/certificatesv1.h"
#include "engine/api/gen/appsv1.h"
#include "engine/api/gen/corev1.h"
#include "engine/server/custom/custom_kinds.h"
#include "engine/server/storage.h"

namespace orrery::server {
namespace {

std::optional<Str> pod_field(const corev1::Pod& pod, std::string_view field) {
  if (field == "spec.nodeName" || field == "spec.host") return pod.spec->node_name;
  if (field == "spec.restartPolicy") return pod.spec->restart_policy;
  if (field == "spec.schedulerName") return pod.spec->scheduler_name;
  if (field == "spec.serviceAccountName") return pod.spec->service_account_name;
  if (field == "spec.hostNetwork") return Str(pod.spec->host_network ? "true" : "false");
  if (field == "status.phase") return pod.status->phase;
  if (field == "status.podIP" || field == "status.podIPs") return pod.status->pod_ip;
  if (field == "status.nominatedNodeName") return pod.status->nominated_node_name;
  return std::nullopt;
}

std::optional<Str> event_field(const corev1::Event& event, std::string_view field) {
  // events.k8s.io calls it by another name.
  constexpr std::string_view kRegarding = "regarding.";
  if (field.starts_with(kRegarding)) return event_field(event, str_cat("involvedObject.", field.substr(kRegarding.size())));
  if (field == "reportingController") return event.reporting_component;
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

// Texts as they are, numbers and flags in JSON's words.
std::optional<Str> custom_field(const api::Object& object, std::string_view field) {
  for (const std::string& path : custom_version(*object.kind()).selectable_fields) {
    if (std::string_view(path).substr(1) != field) continue;
    const auto parsed = JsonPath::parse(path);
    const api::Json rest = api::custom_rest(object);
    const auto found = parsed.is_ok() ? parsed->find(rest) : std::vector<const api::Json*>();
    if (found.empty() || found[0]->is_null()) return Str();
    return found[0]->is_string() ? found[0]->as_string() : Str(found[0]->dump());
  }
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
  if (api::is_custom(*object.kind())) return custom_field(object, field);
  if (const auto* pod = object.as<corev1::Pod>()) return pod_field(*pod, field);
  if (const auto* event = object.as<corev1::Event>()) return event_field(*event, field);
  if (const auto* node = object.as<corev1::Node>(); node && field == "spec.unschedulable")
    return Str(node->spec->unschedulable ? "true" : "false");
  if (const auto* ns = object.as<corev1::Namespace>(); ns && field == "status.phase") return ns->status->phase;
  if (const auto* secret = object.as<corev1::Secret>(); secret && field == "type") return secret->type;
  if (const auto* service = object.as<corev1::Service>()) {
    if (field == "spec.clusterIP") return service->spec->cluster_ip;
    if (field == "spec.type") return service->spec->type;
  }
  if (const auto* rc = object.as<corev1::ReplicationController>(); rc && field == "status.replicas")
    return Str(str_cat(int64_t{rc->status->replicas}));
  if (const auto* csr = object.as<certificatesv1::CertificateSigningRequest>(); csr && field == "spec.signerName")
    return csr->spec->signer_name;
  if (const auto* job = object.as<batchv1::Job>(); job && field == "status.successful")
    return Str(str_cat(job->status->succeeded));
  return std::nullopt;
}

// The two versions of events have names of their own for what is the same; kinds of the cluster with
// fields of their own know no namespace. Source: Kubernetes v1.32 pkg/apis/*/v1/conversion.go.
bool has_field_label(const api::KindDesc& kind, std::string_view field) {
  if (field == "metadata.namespace")
    return kind.kind != "Namespace" && kind.kind != "Node" && kind.kind != "CertificateSigningRequest";
  if (kind.kind != "Event") return true;
  if (kind.api_version == "v1") return !field.starts_with("regarding.") && field != "reportingController";
  return !field.starts_with("involvedObject.") && field != "reportingComponent" && field != "source";
}

bool is_selectable_field(const api::KindDesc& kind, std::string_view field) {
  if (!has_field_label(kind, field)) return false;
  return selectable_field(api::Object::make(*storage_kind(kind).type), field).has_value();
}

namespace {

// Kinds with fields of their own name what they do not know differently.
Status unknown_field(const api::KindDesc& kind, std::string_view field) {
  static constexpr std::string_view kOwnFields[] = {"Pod", "Event", "Node", "Namespace", "Secret", "Job", "Service",
                                                    "ReplicationController", "CertificateSigningRequest"};
  if (api::is_custom(kind) || std::find(std::begin(kOwnFields), std::end(kOwnFields), kind.kind) != std::end(kOwnFields))
    return bad_request(str_cat("field label not supported: ", field));
  return bad_request(str_cat("\"", field, "\" is not a known field selector: only \"metadata.name\", \"metadata.namespace\""));
}

}  // namespace

bool Selection::matches(const api::Object& object) const {
  const auto& meta = object.meta();
  if (!ns.empty() && meta.namespace_ != ns) return false;
  if (!labels.empty() && !labels.matches(meta.labels)) return false;
  return fields.empty() || fields.matches([&](const Str& f) { return selectable_field(object, f).value_or(Str()); });
}

bool Selection::is_of(std::string_view prefix, std::string_view key) const {
  const auto name = fields.exact_match("metadata.name");
  return name && key.starts_with(prefix) && key.substr(prefix.size()) == *name;
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
    if (!is_selectable_field(kind, term.field)) return unknown_field(kind, term.field);
  return selection;
}

const WatchCache::Entry* WatchCache::find(const Str& key) const {
  const auto it = objects_.find(key);
  return it == objects_.end() ? nullptr : &it->second;
}

const WatchCache::Entry* WatchCache::find_sharing(Str& key) const {
  const auto it = objects_.find(key);
  if (it == objects_.end()) return nullptr;
  key = it->first;
  return &it->second;
}

const std::vector<Str>& WatchCache::keys() const {
  return ordered_.keys([this](const Str& key) { return objects_.contains(key); });
}

std::vector<api::Object> WatchCache::list(const Selection& selection) const {
  return page(selection, "", "", 0).items;
}

std::vector<Str> WatchCache::keys_on_node(const Str& node) const {
  if (!node_lists_) {
    node_lists_ = true;
    for (const auto& [key, entry] : objects_)
      if (!node_of(entry.object).empty()) on_node_[node_of(entry.object)].insert(key);
  }
  const auto it = on_node_.find(node);
  if (it == on_node_.end()) return {};
  return {it->second.begin(), it->second.end()};
}

WatchCache::Page WatchCache::page(const Selection& selection, std::string_view prefix, std::string_view from,
                                  int64_t limit) const {
  Page page;
  const auto node = selection.fields.exact_match("spec.nodeName");
  const bool by_node = node && !node->empty();
  std::vector<Str> found;
  if (by_node) found = keys_on_node(*node);
  const std::vector<Str>& keys = by_node ? found : this->keys();
  const std::string_view first = std::max(prefix, from);
  auto it = std::lower_bound(keys.begin(), keys.end(), first, [](const Str& key, std::string_view f) { return key.view() < f; });
  for (; it != keys.end() && it->view().starts_with(prefix); ++it) {
    if (limit > 0 && static_cast<int64_t>(page.items.size()) == limit) break;
    const api::Object& object = objects_.at(*it).object;
    if (!selection.matches(object)) continue;
    page.items.push_back(object);
    page.last = *it;
  }
  if (limit <= 0 || static_cast<int64_t>(page.items.size()) < limit || selection.is_of(prefix, page.last)) return page;
  const std::vector<Str>& all = this->keys();
  const auto next = std::upper_bound(all.begin(), all.end(), page.last);
  page.rest = std::partition_point(next, all.end(), [&](const Str& key) { return key.view().starts_with(prefix); }) - next;
  return page;
}

const api::Object& WatchCache::Change::last() const {
  if (!ended) {
    ended = before;
    ended.mut_meta().resource_version = Str(str_cat(revision));
  }
  return ended;
}

// An object that enters the selection is added, one that leaves it is deleted.
bool WatchCache::event_of(const Selection& selection, const Change& change, WatchEvent& event) {
  const bool was = change.before && selection.matches(change.before);
  const bool is = change.after && selection.matches(change.after);
  if (!was && !is) return false;
  event.type = is ? (was ? WatchEventType::kModified : WatchEventType::kAdded) : WatchEventType::kDeleted;
  event.object = is ? change.after : change.last();
  event.revision = change.revision;
  return true;
}

void WatchCache::tell(uint64_t id, const Change& change, Deliveries& out) const {
  const Watcher& watcher = watchers_.at(id);
  if (change.revision <= watcher.after) return;
  WatchEvent event;
  if (event_of(watcher.selection, change, event)) out.emplace_back(id, std::move(event));
}

void WatchCache::tell_index(const Index& index, const Str& before, const Str& after, const Change& change,
                            Deliveries& out) const {
  const auto visit = [&](const Str& value) {
    if (value.empty()) return;
    const auto it = index.find(value);
    if (it == index.end()) return;
    for (uint64_t id : it->second) tell(id, change, out);
  };
  visit(before);
  if (after != before) visit(after);
}

bool WatchCache::replay(const Selection& selection, int64_t revision, std::vector<WatchEvent>& out) const {
  if (revision < history_begin_) return false;
  const auto from = std::upper_bound(history_.begin(), history_.end(), revision,
                                     [](int64_t r, const Change& change) { return r < change.revision; });
  for (auto it = from; it != history_.end(); ++it) {
    WatchEvent event;
    if (event_of(selection, *it, event)) out.push_back(std::move(event));
  }
  return true;
}

void WatchCache::remember(const Change& change) {
  last_change_ = change.revision;
  if (history_max_ == 0) {
    history_begin_ = change.revision;
    return;
  }
  history_.push_back(change);
  if (history_.size() <= history_max_) return;
  history_begin_ = history_.front().revision;
  history_.pop_front();
}

void WatchCache::index_node(const Str& key, const Change& change) {
  const Str &before = node_of(change.before), &after = node_of(change.after);
  if (before == after) return;
  if (!before.empty()) {
    const auto it = on_node_.find(before);
    it->second.erase(key);
    if (it->second.empty()) on_node_.erase(it);
  }
  if (!after.empty()) on_node_[after].insert(key);
}

void WatchCache::apply(const Str& key, const api::Object& object, int64_t revision, Deliveries& out) {
  const auto it = objects_.find(key);
  const Change change{revision, it == objects_.end() ? api::Object() : it->second.object, object, {}};
  if (!change.before && !object) return;
  remember(change);
  if (node_lists_) index_node(key, change);
  for (uint64_t id : unindexed_) tell(id, change, out);
  if (!by_node_.empty()) tell_index(by_node_, node_of(change.before), node_of(object), change, out);
  if (!by_name_.empty()) {
    const Str& name = (object ? object : change.before).meta().name;
    tell_index(by_name_, name, name, change, out);
  }
  if (!object) {
    objects_.erase(it);
    ordered_.removed();
  } else if (it != objects_.end()) {
    it->second = {object, revision};
  } else {
    objects_.emplace(key, Entry{object, revision});
    note_added(key);
  }
}

// Where clients list, the first of them does not sort what all creates before have left.
void WatchCache::note_added(const Str& key) {
  constexpr size_t kUnsortedMax = 2048;
  ordered_.add(key, objects_.size(), [this](const Str& k) { return objects_.contains(k); });
  if (history_max_ == 0) return;
  if (ordered_.unsorted() >= kUnsortedMax) keys();
  if (!node_lists_) keys_on_node(Str());
}

void WatchCache::revise(const std::function<void(api::Object&)>& change) {
  for (auto& [key, entry] : objects_) change(entry.object);
}

void WatchCache::add_watch(uint64_t id, Selection selection, int64_t after) {
  Watcher watcher;
  watcher.after = after;
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
