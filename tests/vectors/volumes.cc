#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "engine/api/codec_json.h"
#include "engine/api/gen/storagev1.h"
#include "engine/base/check.h"
#include "engine/control/attach_detach/attach_state.h"
#include "engine/control/attach_detach/csi_volumes.h"
#include "engine/control/attach_detach/pod_volumes.h"
#include "engine/control/common/pod_claims.h"
#include "engine/control/persistent_volume_binder/claim_sync.h"
#include "engine/control/persistent_volume_binder/volume_match.h"
#include "engine/control/persistent_volume_binder/volume_sync.h"
#include "engine/control/pv_protection/pv_protection_controller.h"
#include "engine/control/pvc_protection/pvc_protection_controller.h"
#include "tests/support/vectors.h"

using namespace orrery;
using api::Json;

namespace {

template <typename T>
api::Object object_of(const Json& json) {
  auto value = api::struct_from_json<T>(json);
  CHECK(value.is_ok()) << value.status().message();
  return api::Object::of(std::move(*value));
}

Json text_list(std::vector<std::string> texts) {
  std::sort(texts.begin(), texts.end());
  Json list = Json::array();
  for (const std::string& text : texts) list.push_back(text);
  return list;
}

/// Runs a sync to its end; `answer` is asked for each request.
template <typename Sync, typename Answer>
Status play(Sync sync, std::vector<std::string>& events, Answer answer) {
  WriteLog log;
  for (;;) {
    log.rewind();
    Status status = sync(log);
    for (const auto& event : log.take_events()) events.push_back(str_cat(event.type, ' ', event.reason, ' ', event.message));
    if (!log.pending()) return status;
    const std::vector<ApiRequest> asked(log.outgoing().begin(), log.outgoing().end());
    log.sent();
    for (size_t i = 0; i < asked.size(); ++i) (void)log.answer(i, answer(asked[i]));
  }
}

/// What a sync of protection does: nothing, or an update of the finalizers.
template <typename Sync>
std::string check_protection(const Json& recorded, const std::vector<api::Object>& live_pods, Sync sync) {
  Json actual = Json::object();
  actual.set("action", "none");
  std::vector<std::string> events;
  const Status status = play(sync, events, [&](const ApiRequest& request) {
    ApiResponse response;
    if (request.verb == ApiVerb::kList) response.items = live_pods;
    if (request.verb != ApiVerb::kUpdate) return response;
    actual.set("action", "update");
    Json& finalizers = actual.set("finalizers", Json::array());
    for (const Str& finalizer : request.object.meta().finalizers) finalizers.push_back(finalizer);
    response.object = request.object;
    return response;
  });
  if (!status.is_ok()) return status.message();
  return test::expect_equal("outcome", recorded["expect"], actual);
}

std::string check_pvc_protection(const Json& recorded) {
  const Json& input = recorded["input"];
  control::PvcProtectionInputs in;
  in.claim = object_of<corev1::PersistentVolumeClaim>(input["claim"]);
  std::vector<api::Object> live;
  for (const Json& json : input["pods"].items()) {
    const api::Object pod = object_of<corev1::Pod>(json);
    const auto is_in = [&](const char* list) {
      for (const Json& name : input[list].items())
        if (name.text() == pod.meta().name.view()) return true;
      return false;
    };
    if (is_in("livePods")) live.push_back(pod);
    if (is_in("cachedPods"))
      in.used = in.used || control::uses_claim(pod.get<corev1::Pod>(), in.claim.get<corev1::PersistentVolumeClaim>());
  }
  return check_protection(recorded, live, [&](WriteLog& log) { return control::sync_pvc_protection(in, log); });
}

std::string check_pv_protection(const Json& recorded) {
  const control::PvProtectionInputs in{object_of<corev1::PersistentVolume>(recorded["input"]["volume"])};
  return check_protection(recorded, {}, [&](WriteLog& log) { return control::sync_pv_protection(in, log); });
}

std::string check_ephemeral_claim(const Json& recorded) {
  const Json& input = recorded["input"];
  const api::Object pod = object_of<corev1::Pod>(input["pod"]);
  corev1::Volume volume;
  volume.name = Str(input["volume"].text());
  volume.ephemeral.mut();
  Json actual = Json::object(), meta = Json::object(), claim = Json::object();
  const Str name = control::claim_name(pod.get<corev1::Pod>(), volume);
  actual.set("claimName", name);
  meta.set("namespace", pod.meta().namespace_);
  meta.set("name", name);
  meta.set("ownerReferences", input["claimOwners"]);
  claim.set("metadata", std::move(meta));
  const api::Object found = object_of<corev1::PersistentVolumeClaim>(claim);
  const Status owned = control::check_claim_owner(pod.get<corev1::Pod>(), found.get<corev1::PersistentVolumeClaim>());
  if (!owned) actual.set("ownerError", owned.message());
  return test::expect_equal("outcome", recorded["expect"], actual);
}

int ephemeral_claims() {
  auto recorded = test::read_vectors("controllers/22-volume-payload/names.jsonl.gz");
  std::erase_if(recorded, [](const Json& one) { return one["input"].find("claimOwners") == nullptr; });
  return test::run_family("ephemeral-claims", recorded, check_ephemeral_claim);
}

std::string check_match(const Json& recorded) {
  const Json& input = recorded["input"];
  const api::Object claim = object_of<corev1::PersistentVolumeClaim>(input["claim"]);
  control::VolumeMatch match(claim.get<corev1::PersistentVolumeClaim>(), input["delayBinding"].as_bool());
  for (const Json& volume : input["volumes"].items()) match.consider(object_of<corev1::PersistentVolume>(volume));
  Json actual = Json::object();
  actual.set("volume", match.best() ? match.best().meta().name : Str());
  if (!match.failure()) actual.set("error", match.failure().message());
  return test::expect_equal("outcome", recorded["expect"], actual);
}

// As the recordings have it: without what is null.
Json bare(const api::Object& object) {
  Json out = api::to_json(object);
  out.erase("apiVersion");
  out.erase("kind");
  if (out["metadata"]["creationTimestamp"].is_null()) out.find("metadata")->erase("creationTimestamp");
  return out;
}

/// Volumes and claims of one recording, whose syncs see all that has been written.
class BinderWorld final : public control::BinderView {
 public:
  explicit BinderWorld(const Json& input) {
    for (const Json& json : input["volumes"].items()) put(volumes, object_of<corev1::PersistentVolume>(json));
    for (const Json& json : input["claims"].items()) put(claims, object_of<corev1::PersistentVolumeClaim>(json));
    for (const Json& json : input["classes"].items()) classes_.push_back(object_of<storagev1::StorageClass>(json));
    for (const Json& json : input["pods"].items()) pods_.push_back(object_of<corev1::Pod>(json));
  }

  /// `key` is a name for volumes, with its namespace for claims.
  Status sync(bool about_volume, std::string_view key) {
    const control::BinderInputs in = about_volume ? control::volume_inputs(*this, key) : control::claim_inputs(*this, key);
    const control::BinderHooks hooks = {[](const api::Object&) {}, [&](const Str& claim) { enqueued = claim; }};
    const auto run = [&](WriteLog& log) {
      return about_volume ? control::VolumeSync(in, log, hooks).run() : control::ClaimSync(in, log, hooks).run();
    };
    return play(run, events, [&](const ApiRequest& request) { return answer(request); });
  }
  /// Syncs all, again and again until nothing changes; the number of rounds that changed something.
  int64_t converge();

  std::map<Str, api::Object> volumes, claims;  // by key
  std::vector<std::string> events;
  Str enqueued;  // the claim that a volume's sync asks for

 private:
  static void put(std::map<Str, api::Object>& objects, const api::Object& object) { objects[api::object_key(object.meta())] = object; }
  static api::Object find(const std::map<Str, api::Object>& objects, std::string_view key) {
    const auto found = objects.find(Str(key));
    return found == objects.end() ? api::Object() : found->second;
  }
  api::Object find_claim(std::string_view key) const override { return find(claims, key); }
  api::Object find_volume(std::string_view name) const override { return find(volumes, name); }
  void for_each_volume(const std::function<void(const api::Object&)>& see) const override {
    for (const auto& [name, volume] : volumes) see(volume);
  }
  std::vector<api::Object> classes() const override { return classes_; }
  std::vector<api::Object> pods_with_claims(const Str& ns) const override {
    std::vector<api::Object> found;
    for (const api::Object& pod : pods_)
      if (pod.meta().namespace_ == ns) found.push_back(pod);
    return found;
  }

  ApiResponse answer(const ApiRequest& request) {
    auto& objects = request.kind == corev1::PersistentVolume::descriptor().kind ? volumes : claims;
    ApiResponse response;
    if (request.verb == ApiVerb::kUpdate) put(objects, request.object);
    response.object = find(objects, request.ns.empty() ? request.name : api::object_key(request.ns, request.name));
    if (!response.object) response.status = not_found("not found");
    return response;
  }

  std::vector<api::Object> classes_, pods_;
};

Json objects_json(const std::map<Str, api::Object>& objects, const std::map<Str, api::Object>& before) {
  Json out = Json::object();
  for (const auto& [name, object] : objects) {
    const auto known = before.find(name);
    Json json = bare(object);
    if (known == before.end() || !(json == bare(known->second))) out.set(object.meta().name, std::move(json));
  }
  return out;
}

int64_t BinderWorld::converge() {
  int64_t rounds = 0;
  for (bool changed = true; changed;) {
    const auto volumes_before = volumes, claims_before = claims;
    for (const auto& [key, claim] : claims_before) (void)sync(false, key);
    for (const auto& [name, volume] : volumes_before) (void)sync(true, name);
    changed = objects_json(volumes, volumes_before).size() + objects_json(claims, claims_before).size() > 0;
    rounds += changed;
  }
  return rounds;
}

std::string check_sync(const Json& recorded) {
  const Json& input = recorded["input"];
  BinderWorld world(input);
  const auto volumes = world.volumes, claims = world.claims;
  const std::string_view key = input["sync"].text(), name = key.substr(key.find('/') + 1);
  const bool about_volume = key.starts_with("volume/");
  const Status status = world.sync(about_volume, about_volume ? std::string(name) : str_cat("ns1/", name));
  Json actual = Json::object(), events = Json::array();
  for (const std::string& event : world.events) events.push_back(event);
  actual.set("volumes", objects_json(world.volumes, volumes));
  actual.set("claims", objects_json(world.claims, claims));
  actual.set("deletedVolumes", Json::array());
  actual.set("events", std::move(events));
  if (!status.is_ok()) actual.set("error", status.message());
  return test::expect_equal("outcome", recorded["expect"], actual);
}

std::string check_converge(const Json& recorded) {
  BinderWorld world(recorded["input"]);
  const int64_t rounds = world.converge();
  Json actual = Json::object();
  actual.set("volumes", objects_json(world.volumes, {}));
  actual.set("claims", objects_json(world.claims, {}));
  actual.set("rounds", rounds);
  return test::expect_equal("outcome", recorded["expect"], actual);
}

void drop_nulls(Json& json) {
  if (json.is_object()) {
    std::erase_if(json.members(), [](const auto& member) { return member.value.is_null(); });
    for (auto& member : json.members()) drop_nulls(member.value);
  } else if (json.is_array()) {
    for (Json& item : json.items()) drop_nulls(item);
  }
}

// As the second set of recordings has it: without what is empty, and without versions.
Json bare_list(const std::map<Str, api::Object>& objects, const std::map<Str, api::Object>& before) {
  Json out = Json::array();
  Json changed = objects_json(objects, before);
  for (auto& member : changed.members()) {
    Json& object = out.push_back(std::move(member.value));
    drop_nulls(object);
    Json* spec = object.find("spec");
    if (object["status"].size() == 0) object.erase("status");
    if (spec && spec->find("claimRef")) spec->find("claimRef")->erase("resourceVersion");
    if (spec && (*spec)["resources"].size() == 0) spec->erase("resources");
  }
  return out;
}

std::string check_plugin_sync(const Json& recorded) {
  const Json& input = recorded["input"];
  BinderWorld world(input);
  const auto volumes = world.volumes, claims = world.claims;
  Status status;
  const bool all = input["sync"].text() == "all";
  if (all) {
    (void)world.converge();
  } else {
    const bool about_volume = input["sync"].text() == "volume";
    const std::string_view name = input["name"].text();
    status = world.sync(about_volume, about_volume ? std::string(name) : str_cat("default/", name));
  }
  Json actual = Json::object();
  const auto tell = [&](const char* name, Json list) {
    if (list.size() > 0) actual.set(name, std::move(list));
  };
  tell("volumes", bare_list(world.volumes, volumes));
  tell("claims", bare_list(world.claims, claims));
  if (!all) tell("events", text_list(world.events));
  if (!world.enqueued.empty() && !all) actual.set("enqueuedClaim", world.enqueued);
  if (!status.is_ok()) actual.set("error", status.message());
  Json expected = recorded["expect"];
  if (Json* events = expected.find("events")) std::sort(events->items().begin(), events->items().end(), [](const Json& a, const Json& b) { return a.text() < b.text(); });
  return test::expect_equal("outcome", expected, actual);
}

std::string check_binder(const Json& recorded) {
  return recorded["input"].find("sync") ? check_sync(recorded) : check_converge(recorded);
}

/// Nodes, and volumes whose attaching and detaching ends at once.
class AttachWorld {
 public:
  explicit AttachWorld(const Json& input) : input_(input), state_(limits_of(input)) {}

  void apply(const Json& op) {
    const std::string_view what = op["op"].text();
    const Str node(op["node"].text()), volume(op["volume"].text());
    if (what == "node") {
      nodes_[node] = {op["ready"].as_bool(), op["outOfService"].as_bool()};
    } else if (what == "podAdded") {
      const std::string_view mode = input_["volumes"][volume.view()].text();
      const bool shared = mode == "ReadWriteMany" || mode == "ReadOnlyMany";
      auto& volumes = pods_[pod_key(op)];
      volumes.push_back({{volume, node}, volume, shared});
      state_.set_pod(pod_key(op), volumes);
    } else if (what == "podDeleted") {
      pods_.erase(pod_key(op));
      state_.set_pod(pod_key(op), {});
    } else if (what == "volumesInUse") {
      std::set<Str> volumes;
      for (const Json& name : op["volumes"].items()) volumes.insert(Str(name.text()));
      state_.report_in_use(node, volumes);
    } else {
      auto& failing = what == "attachFails" ? attach_fails_ : detach_fails_;
      op["fails"].as_bool() ? (void)failing.insert(volume) : (void)failing.erase(volume);
    }
  }

  Json reconcile(Time now) {
    std::vector<std::string> attach, detach, events, attached;
    control::AttachActions actions;
    actions.node = [&](const Str& name) { return nodes_[name]; };
    actions.is_busy = [](const auto&, bool) { return false; };
    actions.detach = [&](const control::VolumeOnNode& where, bool checked) {
      detach.push_back(str_cat(where.volume, " from ", where.node, checked ? "" : " forced"));
      if (detach_fails_.contains(where.volume)) return false;
      state_.detached(where);
      return true;
    };
    actions.attach = [&](const control::VolumeOnNode& where) {
      attach.push_back(str_cat(where.volume, " to ", where.node));
      if (!attach_fails_.contains(where.volume)) state_.attached(where);
    };
    actions.warn = [&](const Str&, const std::string& message) { events.push_back(str_cat("Warning FailedAttachVolume ", message)); };
    state_.reconcile(now, actions);
    for (const auto& where : state_.all()) attached.push_back(str_cat(where.volume, "@", where.node));
    Json out = Json::object(), reports = Json::object();
    out.set("attach", text_list(attach));
    out.set("detach", text_list(detach));
    out.set("events", text_list(events));
    out.set("attached", text_list(attached));
    for (const auto& [node, volumes] : state_.take_reports()) {
      Json& list = reports.set(node, Json::array());
      for (const Str& volume : volumes) list.push_back(volume);
    }
    out.set("reportAttached", std::move(reports));
    return out;
  }

 private:
  static control::AttachLimits limits_of(const Json& input) {
    return {Duration::seconds(input["maxWaitForUnmountSeconds"].as_int()), !input["disableForceDetachOnTimeout"].as_bool()};
  }
  static Str pod_key(const Json& op) { return api::object_key("ns1", op["pod"].text()); }

  const Json& input_;
  control::AttachState state_;
  std::map<Str, control::AttachActions::Node> nodes_;
  std::map<Str, std::vector<control::AttachState::WantedVolume>> pods_;
  std::set<Str> attach_fails_, detach_fails_;
};

std::string check_attach_detach(const Json& recorded) {
  AttachWorld world(recorded["input"]);
  Json passes = Json::array(), actual = Json::object();
  for (const Json& op : recorded["input"]["ops"].items()) {
    if (op["op"].text() == "reconcile") {
      passes.push_back(world.reconcile(Time{} + Duration::seconds(op["t"].as_int())));
    } else {
      world.apply(op);
    }
  }
  actual.set("reconciles", std::move(passes));
  return test::expect_equal("outcome", recorded["expect"], actual);
}

/// What one recorded pass of the attach/detach controller looks at.
class AttachObjects final : public control::AttachView {
 public:
  explicit AttachObjects(const Json& input) {
    for (const Json& json : input["nodes"].items()) put(object_of<corev1::Node>(json));
    for (const Json& json : input["claims"].items()) put(object_of<corev1::PersistentVolumeClaim>(json));
    for (const Json& json : input["volumes"].items()) put(object_of<corev1::PersistentVolume>(json));
    for (const Json& json : input["csiDrivers"].items()) put(object_of<storagev1::CSIDriver>(json));
  }
  const corev1::Node* find_node(const Str& name) const override { return find<corev1::Node>(name); }
  const corev1::PersistentVolumeClaim* find_claim(const Str& ns, const Str& name) const override {
    return find<corev1::PersistentVolumeClaim>(api::object_key(ns, name));
  }
  const corev1::PersistentVolume* find_volume(const Str& name) const override { return find<corev1::PersistentVolume>(name); }
  const storagev1::CSIDriver* find_driver(const Str& name) const override { return find<storagev1::CSIDriver>(name); }

 private:
  void put(const api::Object& object) { objects_[{object.kind(), api::object_key(object.meta())}] = object; }
  template <typename T>
  const T* find(const Str& key) const {
    const auto found = objects_.find({T::descriptor().kind, key});
    return found == objects_.end() ? nullptr : &found->second.template get<T>();
  }
  std::map<std::pair<const api::KindDesc*, Str>, api::Object> objects_;
};

Json place_json(const control::VolumeOnNode& where) {
  Json out = Json::object();
  out.set("volume", where.volume);
  out.set("node", where.node);
  return out;
}

Json sorted_list(Json list) {
  std::sort(list.items().begin(), list.items().end(), [](const Json& a, const Json& b) { return a.dump_sorted() < b.dump_sorted(); });
  return list;
}

control::AttachState attach_state(const Json& input, const AttachObjects& objects) {
  const Duration wait = input["unmountTimeoutExpired"].as_bool() ? Duration{-1} : Duration::seconds(360);
  control::AttachState state({wait, !input["disableForceDetachOnTimeout"].as_bool()});
  std::map<Str, std::set<Str>> in_use;
  for (const Json& json : input["attached"].items()) {
    const auto* volume = objects.find_volume(Str(json["volume"].text()));
    const control::VolumeOnNode where{control::csi_volume_name(*volume->spec->csi), Str(json["node"].text())};
    json["state"].text() == "attached" ? state.attached(where) : state.uncertain(where);
    auto& used = in_use[where.node];
    if (json["mounted"].as_bool()) used.insert(where.volume);
  }
  for (const auto& [node, volumes] : in_use) state.report_in_use(node, volumes);
  return state;
}

std::string check_attach_pass(const Json& recorded) {
  const Json& input = recorded["input"];
  const AttachObjects objects(input);
  control::AttachState state = attach_state(input, objects);
  std::set<control::VolumeOnNode> wanted;
  for (const Json& json : input["pods"].items()) {
    const api::Object pod = object_of<corev1::Pod>(json);
    const auto volumes = control::wanted_volumes(objects, pod.get<corev1::Pod>());
    for (const auto& volume : volumes) wanted.insert(volume.where);
    state.set_pod(api::object_key(pod.meta()), volumes);
  }
  Json desired = Json::array(), attach = Json::array(), detach = Json::array(), reports = Json::object();
  for (const auto& where : wanted) {
    Json& entry = desired.push_back(place_json(where));
    Json& pods = entry.set("pods", Json::array());
    for (const Str& pod : state.pods_of(where)) pods.push_back(Str(pod.view().substr(pod.view().find('/') + 1)));
  }
  std::vector<std::string> events;
  control::AttachActions actions;
  actions.node = [&](const Str& name) {
    const auto* node = objects.find_node(name);
    return node ? control::health_of(*node) : control::AttachActions::Node();
  };
  actions.is_busy = [](const auto&, bool) { return false; };
  actions.attach = [&](const control::VolumeOnNode& where) { attach.push_back(place_json(where)); };
  actions.detach = [&](const control::VolumeOnNode& where, bool checked) {
    detach.push_back(place_json(where)).set("verifySafeToDetach", checked);
    return true;
  };
  actions.warn = [&](const Str&, const std::string& message) { events.push_back(str_cat("Warning FailedAttachVolume ", message)); };
  state.reconcile(Time{}, actions);
  for (const auto& [node, volumes] : state.take_reports()) {
    if (volumes.empty()) continue;
    Json& list = reports.set(node, Json::array());
    for (const Str& volume : volumes) list.push_back(volume);
  }
  Json actual = Json::object(), expected = Json::object();
  actual.set("desired", sorted_list(desired));
  actual.set("attach", sorted_list(attach));
  actual.set("detach", sorted_list(detach));
  actual.set("reportedAttached", reports);
  actual.set("events", text_list(events));
  for (const auto& [name, list] : recorded["expect"].members()) expected.set(name, list.is_array() ? sorted_list(list) : list);
  if (!expected.find("events")) expected.set("events", Json::array());
  return test::expect_equal("outcome", expected, actual);
}

// Those without volumes that CSI drivers have taken over from in-tree plugins.
int attach_passes() {
  auto recorded = test::read_vectors("controllers/20-volume-plugins/attachdetach.jsonl.gz");
  std::erase_if(recorded, [](const Json& one) { return one["input"].dump().find("gcePersistentDisk") != std::string::npos; });
  return test::run_family("attach-passes", recorded, check_attach_pass);
}

// Those without a volume plugin: there are none in our trees.
int volume_syncs() {
  auto recorded = test::read_vectors("controllers/20-volume-plugins/sync.jsonl.gz");
  std::erase_if(recorded, [](const Json& one) { return one["input"].find("plugin") != nullptr; });
  return test::run_family("volume-syncs", recorded, check_plugin_sync);
}

}  // namespace

int main(int argc, char** argv) {
  const auto family = [](const char* name, const char* file, std::string (*check)(const Json&)) {
    return [=] { return test::run_family(name, test::read_vectors(str_cat("controllers/", file, ".jsonl.gz")), check); };
  };
  return test::run_program(argc, argv, {{"attach-detach", family("attach-detach", "14-pv-binder/attachdetach", check_attach_detach)},
                                        {"attach-passes", attach_passes},
                                        {"volume-syncs", volume_syncs},
                                        {"ephemeral-claims", ephemeral_claims},
                                        {"volume-match", family("volume-match", "14-pv-binder/match", check_match)},
                                        {"volume-binder", family("volume-binder", "14-pv-binder/sync", check_binder)},
                                        {"pvc-protection", family("pvc-protection", "14-pv-binder/pvcprotection", check_pvc_protection)},
                                        {"pv-protection", family("pv-protection", "14-pv-binder/pvprotection", check_pv_protection)}});
}
