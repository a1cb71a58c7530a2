#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "engine/api/codec_json.h"
#include "engine/api/default_class.h"
#include "engine/api/gen/storagev1.h"
#include "engine/base/check.h"
#include "engine/control/attach_detach/attach_state.h"
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

std::string check_match(const Json& recorded) {
  const Json& input = recorded["input"];
  const api::Object claim = object_of<corev1::PersistentVolumeClaim>(input["claim"]);
  auto match = control::VolumeMatch::of(claim.get<corev1::PersistentVolumeClaim>(), input["delayBinding"].as_bool());
  if (match.is_ok())
    for (const Json& volume : input["volumes"].items()) match->consider(object_of<corev1::PersistentVolume>(volume));
  Json actual = Json::object();
  actual.set("volume", match.is_ok() && match->best() ? match->best().meta().name : Str());
  if (!match.is_ok()) actual.set("error", match.status().message());
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
class BinderWorld {
 public:
  explicit BinderWorld(const Json& input) {
    for (const Json& json : input["volumes"].items()) put(volumes, object_of<corev1::PersistentVolume>(json));
    for (const Json& json : input["claims"].items()) put(claims, object_of<corev1::PersistentVolumeClaim>(json));
    for (const Json& json : input["classes"].items()) classes_.push_back(object_of<storagev1::StorageClass>(json));
    for (const Json& json : input["pods"].items()) pods_.push_back(object_of<corev1::Pod>(json));
  }

  Status sync(bool about_volume, const Str& name) {
    control::BinderInputs in;
    in.about_volume = about_volume;
    about_volume ? gather_volume(name, in) : gather_claim(name, in);
    const control::BinderHooks hooks = {[](const api::Object&) {}, [](const Str&) {}};
    const auto run = [&](WriteLog& log) {
      return about_volume ? control::VolumeSync(in, log, hooks).run() : control::ClaimSync(in, log, hooks).run();
    };
    return play(run, events, [&](const ApiRequest& request) { return answer(request); });
  }

  std::map<Str, api::Object> volumes, claims;
  std::vector<std::string> events;

 private:
  static void put(std::map<Str, api::Object>& objects, const api::Object& object) { objects[object.meta().name] = object; }
  static api::Object find(const std::map<Str, api::Object>& objects, const Str& name) {
    const auto found = objects.find(name);
    return found == objects.end() ? api::Object() : found->second;
  }

  ApiResponse answer(const ApiRequest& request) {
    auto& objects = request.kind == corev1::PersistentVolume::descriptor().kind ? volumes : claims;
    ApiResponse response;
    if (request.verb == ApiVerb::kUpdate) put(objects, request.object);
    response.object = find(objects, request.name);
    if (!response.object) response.status = not_found("not found");
    return response;
  }

  void gather_volume(const Str& name, control::BinderInputs& in) {
    in.volume = find(volumes, name);
    const auto* ref = in.volume.get<corev1::PersistentVolume>().spec->claim_ref.get();
    if (!ref) return;
    in.claim = find(claims, ref->name);
    in.pods = pods_of(ref->name, true);
  }

  void gather_claim(const Str& name, control::BinderInputs& in) {
    in.claim = find(claims, name);
    const auto& claim = in.claim.get<corev1::PersistentVolumeClaim>();
    in.volume = find(volumes, claim.spec->volume_name);
    for (const api::Object& one : classes_)
      if (one.meta().name == control::class_of(claim)) in.storage_class = one;
    in.delay_binding = in.storage_class && in.storage_class.get<storagev1::StorageClass>().volume_binding_mode == Str("WaitForFirstConsumer");
    auto match = control::VolumeMatch::of(claim, in.delay_binding);
    CHECK(match.is_ok()) << match.status().message();
    for (const auto& [key, volume] : volumes) match->consider(volume);
    in.best_volume = match->best();
    if (const auto found = api::newest_default(classes_, api::kDefaultStorageClass)) in.default_class = found.meta().name;
    in.pods = pods_of(name, false);
  }

  std::vector<Str> pods_of(const Str& claim, bool of_volume) const {
    std::vector<Str> names;
    for (const api::Object& object : pods_) {
      const auto& pod = object.get<corev1::Pod>();
      const auto keys = control::claim_keys(pod);
      if (control::has_left_its_volumes(pod) || std::find(keys.begin(), keys.end(), api::object_key("ns1", claim)) == keys.end()) continue;
      if (of_volume) names.push_back(api::object_key(object.meta()));
      else if (pod.spec->node_name.empty()) names.push_back(object.meta().name);
    }
    std::sort(names.begin(), names.end());
    return names;
  }

  std::vector<api::Object> classes_, pods_;
};

Json objects_json(const std::map<Str, api::Object>& objects, const std::map<Str, api::Object>& before) {
  Json out = Json::object();
  for (const auto& [name, object] : objects) {
    const auto known = before.find(name);
    Json json = bare(object);
    if (known == before.end() || !(json == bare(known->second))) out.set(name, std::move(json));
  }
  return out;
}

std::string check_sync(const Json& recorded) {
  const Json& input = recorded["input"];
  BinderWorld world(input);
  const auto volumes = world.volumes, claims = world.claims;
  const std::string_view key = input["sync"].text();
  const Status status = world.sync(key.starts_with("volume/"), Str(key.substr(key.find('/') + 1)));
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
  int64_t rounds = 0;
  for (bool changed = true; changed;) {
    const auto volumes = world.volumes, claims = world.claims;
    for (const auto& [name, claim] : claims) (void)world.sync(false, name);
    for (const auto& [name, volume] : volumes) (void)world.sync(true, name);
    changed = objects_json(world.volumes, volumes).size() + objects_json(world.claims, claims).size() > 0;
    rounds += changed;
  }
  Json actual = Json::object();
  actual.set("volumes", objects_json(world.volumes, {}));
  actual.set("claims", objects_json(world.claims, {}));
  actual.set("rounds", rounds);
  return test::expect_equal("outcome", recorded["expect"], actual);
}

std::string check_binder(const Json& recorded) {
  return recorded["input"].find("sync") ? check_sync(recorded) : check_converge(recorded);
}

Json text_list(std::vector<std::string> texts) {
  std::sort(texts.begin(), texts.end());
  Json list = Json::array();
  for (const std::string& text : texts) list.push_back(text);
  return list;
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

}  // namespace

int main(int argc, char** argv) {
  const auto family = [](const char* name, const char* file, std::string (*check)(const Json&)) {
    return [=] { return test::run_family(name, test::read_vectors(str_cat("controllers/14-pv-binder/", file, ".jsonl.gz")), check); };
  };
  return test::run_program(argc, argv, {{"attach-detach", family("attach-detach", "attachdetach", check_attach_detach)},
                                        {"volume-match", family("volume-match", "match", check_match)},
                                        {"volume-binder", family("volume-binder", "sync", check_binder)},
                                        {"pvc-protection", family("pvc-protection", "pvcprotection", check_pvc_protection)},
                                        {"pv-protection", family("pv-protection", "pvprotection", check_pv_protection)}});
}
