#include <algorithm>
#include <set>

#include "engine/api/codec_json.h"
#include "engine/base/check.h"
#include "engine/control/garbage_collector/attempts.h"
#include "engine/control/garbage_collector/owner_graph.h"
#include "tests/support/vectors.h"

using namespace orrery;
using api::Json;
using control::AttemptInputs;
using control::Identity;
using control::OwnerGraph;

namespace {

template <typename Texts>
Json list_of(const Texts& texts) {
  Json list = Json::array();
  for (const std::string& text : texts) list.push_back(text);
  return list;
}

std::string name_of(const Identity& id) { return str_cat(id.kind, '/', id.name); }

Json names_of(const std::map<std::string, Identity>& ids) {
  std::multiset<std::string> names;
  for (const auto& [text, id] : ids) names.insert(name_of(id));
  return list_of(names);
}

/// One recorded case: a graph built from what the informers have reported, and an API that records
/// calls and answers them.
class Case final : public control::AttemptEffects {
 public:
  explicit Case(const Json& input) : input_(input) {
    for (const Json& json : input["objects"].items()) {
      const auto object = api::object_from_json(json);
      CHECK(object.is_ok()) << object.status().message();
      objects_.emplace(object->meta().uid.str(), *object);
    }
    for (const Json& uid : input["inAPI"].items()) in_api_.insert(uid.as_string().str());
  }

  Json build_graph() {
    // A node that has got other coordinates waits under both.
    std::map<std::string, Identity> deletes, orphans;
    std::multiset<std::string> events;
    for (const Json& uid : input_["inGraph"].items()) {
      graph_.seen(objects_.at(uid.as_string().str()), [](const auto&, const Str&) { return api::Object(); });
      for (const auto& wish : graph_.take_wishes()) {
        const Identity& id = graph_.node(graph_.find(wish.uid)).identity;
        (wish.orphan ? orphans : deletes).emplace(id.text(), id);
      }
      for (const auto& wrong : graph_.take_wrong_namespaces())
        events.insert(str_cat("Warning OwnerRefInvalidNamespace ownerRef ", wrong.owner.text(),
                              " does not exist in namespace \"", wrong.dependent.ns, '"'));
    }
    Json out = Json::object();
    out.set("attemptToDelete", names_of(deletes));
    out.set("attemptToOrphan", names_of(orphans));
    if (!events.empty()) out.set("events", list_of(events));
    return out;
  }

  /// False: no such node.
  bool has_item() const { return graph_.find(input_["item"].as_string()) != OwnerGraph::kNone; }

  Json attempt_delete() {
    Json out = Json::object();
    classify(out);
    const Status status = run(out, false, [&](const AttemptInputs& item, WriteLog& log) {
      return control::attempt_to_delete(item, log, *this);
    });
    if (!status) out.set("error", status.message());
    if (!not_found_.empty()) out.set("virtualDeleteEvent", not_found_);
    return out;
  }

  Json attempt_orphan() {
    Json out = Json::object();
    const Status status = run(out, true, [&](const AttemptInputs& item, WriteLog& log) {
      return control::attempt_to_orphan(item, log);
    });
    out.set("result", status ? "forget" : "requeue");
    return out;
  }

  void on_absent(const Identity&) override {}
  void on_not_found(const Identity& item) override { not_found_ = item.uid; }
  void on_blocking(const Identity& dependent) override { queued_.insert(name_of(dependent)); }

 private:
  AttemptInputs inputs(bool orphan) const {
    const auto kind_of = [](const Identity& id) { return api::find_kind(id.api_version, id.kind); };
    const auto& node = graph_.node(graph_.find(input_["item"].as_string()));
    AttemptInputs item;
    item.identity = node.identity;
    item.kind = kind_of(node.identity);
    item.is_virtual = node.is_virtual;
    item.going = node.going;
    item.deletes_dependents = node.deletes_dependents;
    item.owners = node.owners;
    item.has_dependents = !node.dependents.empty();
    for (const uint32_t slot : node.dependents)
      item.dependent_deletes |= graph_.node(slot).deletes_dependents;
    for (const uint32_t slot : orphan ? node.dependents : graph_.blocking_dependents(node)) {
      const auto& one = graph_.node(slot);
      item.dependents.push_back({one.identity, kind_of(one.identity), one.deletes_dependents});
    }
    return item;
  }

  template <typename Attempt>
  Status run(Json& out, bool orphan, Attempt attempt) {
    calls_ = Json::array();
    const AttemptInputs item = inputs(orphan);
    WriteLog log;
    const Status status = play(log, [&] { return attempt(item, log); });
    out.set("calls", calls_);
    out.set("attemptToDelete", list_of(queued_));
    std::set<std::string> blocking;
    const auto& node = graph_.node(graph_.find(input_["item"].as_string()));
    for (const uint32_t slot : graph_.blocking_dependents(node))
      blocking.insert(name_of(graph_.node(slot).identity));
    out.set("blockingDependents", list_of(blocking));
    out.set("virtual", node.is_virtual);
    return status;
  }

  template <typename Sync>
  Status play(WriteLog& log, Sync sync) {
    for (;;) {
      log.rewind();
      const Status status = sync();
      if (!log.pending()) return status;
      std::vector<ApiRequest> requests(log.outgoing().begin(), log.outgoing().end());
      log.sent();
      for (size_t i = 0; i < requests.size(); ++i) (void)log.answer(i, answer(requests[i]));
    }
  }

  void classify(Json& out) {
    const AttemptInputs item = inputs(false);
    const auto object = objects_.find(input_["item"].as_string().str());
    const auto references =
        object == objects_.end() ? item.owners : object->second.meta().owner_references;
    control::OwnerClasses classes;
    WriteLog log;
    const Status status = play(log, [&] {
      classes = {};
      return control::classify_owners(item, references, log, *this, classes);
    });
    if (!status) {
      out.set("classifyError", status.message());
      return;
    }
    const auto uids = [](const std::vector<Str>& list) {
      Json json = Json::array();
      for (const Str& uid : list) json.push_back(uid);
      return json;
    };
    Json& classified = out.set("classified", Json::object());
    classified.set("solid", uids(classes.solid));
    classified.set("dangling", uids(classes.dangling));
    classified.set("waitingForDependentsDeletion", uids(classes.waiting));
  }

  void record(const ApiRequest& request) {
    const api::KindDesc& kind = *request.kind;
    Json call = Json::object();
    call.set("name", request.name);
    call.set("namespace", request.ns);
    call.set("resource", kind.group.empty() ? std::string(kind.plural) : str_cat(kind.plural, '.', kind.group));
    call.set("verb", request.verb == ApiVerb::kGet ? "get" : request.verb == ApiVerb::kDelete ? "delete" : "patch");
    if (request.verb == ApiVerb::kPatch) {
      const bool strategic = request.patch_kind == PatchKind::kStrategic;
      call.set("patchType", strategic ? "application/strategic-merge-patch+json" : "application/merge-patch+json");
      Json patch = *Json::parse(request.patch);
      Json& metadata = *patch.find("metadata");
      for (const char* member : {"finalizers", "ownerReferences"})
        if (metadata[member].is_null()) metadata.erase(member);
      call.set("patch", patch);
    }
    if (request.verb == ApiVerb::kDelete) {
      Json& options = call.set("options", Json::object());
      options.set("preconditions", Json::object()).set("uid", request.delete_options.uid.value_or(Str()));
      options.set("propagationPolicy", request.delete_options.propagation_policy);
    }
    calls_.push_back(std::move(call));
  }

  ApiResponse answer(const ApiRequest& request) {
    record(request);
    ApiResponse response;
    if (request.verb == ApiVerb::kPatch && request.patch_kind == PatchKind::kStrategic &&
        input_["strategicMergeUnsupported"].is_bool()) {
      response.status = Status(Code::kUnsupportedMediaType, "no strategic merge");
      return response;
    }
    for (const auto& [uid, object] : objects_) {
      const auto& meta = object.meta();
      if (object.kind() != request.kind || meta.name != request.name || meta.namespace_ != request.ns) continue;
      if (!in_api_.contains(uid)) continue;
      response.object = object;
      if (input_["uidChangedInAPI"].is_string() && input_["uidChangedInAPI"].as_string().view() == uid)
        response.object.mut_meta().uid = "another";
      return response;
    }
    response.status = Status(Code::kNotFound, str_cat(request.name, " not found"));
    return response;
  }

  const Json& input_;
  std::map<std::string, api::Object> objects_;
  std::set<std::string> in_api_;
  OwnerGraph graph_;
  Json calls_ = Json::array();
  std::set<std::string> queued_;
  Str not_found_;
};

std::string compare(const Json& expected, Json actual, const Json& graph) {
  actual.set("graph", graph);
  for (const auto& member : expected.members()) {
    const std::string text = test::expect_equal(std::string(member.key), member.value, actual[member.key]);
    if (!text.empty()) return text;
  }
  for (const auto& member : actual.members())
    if (!expected.find(member.key)) return str_cat("unexpected ", member.key, ": ", member.value.dump());
  return "";
}

template <Json (Case::*Attempt)()>
std::string check(const Json& recorded) {
  Case one(recorded["input"]);
  const Json graph = one.build_graph();
  if (one.has_item()) {
    Json actual = (one.*Attempt)();
    Json expected = recorded["expect"];
    if (actual.find("result")) {
      // Dependents are handled in parallel: their calls are a set.
      for (Json* side : {&actual, &expected})
        std::sort(side->find("calls")->items().begin(), side->find("calls")->items().end(),
                  [](const Json& a, const Json& b) { return a.dump_sorted() < b.dump_sorted(); });
    }
    return compare(expected, std::move(actual), graph);
  }
  Json actual = Json::object();
  actual.set("item", "not in graph");
  return compare(recorded["expect"], std::move(actual), graph);
}

int run(const std::string& group, std::string (*check_one)(const Json&)) {
  std::vector<Json> cases;
  for (Json& one : test::read_vectors("controllers/11-gc-pdb-eviction/gc.jsonl.gz"))
    if (one["name"].as_string().view().starts_with(group)) cases.push_back(std::move(one));
  return test::run_family("gc-" + group, cases, check_one);
}

}  // namespace

int main(int argc, char** argv) {
  return test::run_program(argc, argv,
                           {{"gc-delete", [] { return run("delete", check<&Case::attempt_delete>); }},
                            {"gc-orphan", [] { return run("orphan", check<&Case::attempt_orphan>); }}});
}
