#include <algorithm>

#include "engine/api/codec_json.h"
#include "engine/base/check.h"
#include "engine/control/endpoint_slice_mirroring/endpoint_slice_mirroring_controller.h"
#include "engine/control/endpoint_slices/endpoint_slice_controller.h"
#include "engine/control/endpoints/endpoints_controller.h"
#include "tests/support/vectors.h"

using namespace orrery;
using api::Json;
using discoveryv1::EndpointSlice;

namespace {

const Time kNow = api::parse_time("2025-03-03T10:00:00Z")->time();

template <typename T>
api::Object object_of(const Json& json) {
  auto value = api::struct_from_json<T>(json);
  CHECK(value.is_ok()) << value.status().message();
  return api::Object::of(std::move(*value));
}

/// Runs a sync to its end; every request is answered with its object.
template <typename Sync>
Status play(Sync sync, std::vector<ApiRequest>& requests, std::vector<std::string>& events) {
  WriteLog log;
  for (;;) {
    log.rewind();
    Status status = sync(log);
    if (!log.pending()) {
      for (const auto& event : log.take_events()) events.push_back(str_cat(event.type, ' ', event.reason, ' ', event.message));
      return status;
    }
    const std::vector<ApiRequest> asked(log.outgoing().begin(), log.outgoing().end());
    log.sent();
    for (size_t i = 0; i < asked.size(); ++i) {
      ApiResponse response;
      response.object = asked[i].object;
      requests.push_back(asked[i]);
      (void)log.answer(i, response);
    }
  }
}

// As the recordings have it: without what is null.
Json bare(const api::Object& object) {
  Json out = api::to_json(object);
  out.erase("apiVersion");
  out.erase("kind");
  if (out["metadata"]["creationTimestamp"].is_null()) out.find("metadata")->erase("creationTimestamp");
  return out;
}

std::vector<api::Object> generated_pods(const Json& generate) {
  std::vector<api::Object> pods;
  const int64_t count = generate["pods"].as_int(), not_ready = generate["notReady"].as_int();
  for (int64_t k = 0; k < count; ++k) {
    corev1::Pod pod;
    pod.metadata.mut().name = Str(str_cat("p", k));
    pod.metadata.mut().namespace_ = "ns1";
    pod.metadata.mut().uid = "u";
    pod.spec.mut().node_name = "n1";
    corev1::Container container;
    if (k % 3 == 0) {
      corev1::ContainerPort port;
      port.name = "adm";
      port.container_port = 9443;
      port.protocol = "TCP";
      container.ports.push_back(std::move(port));
    }
    pod.spec.mut().containers.push_back(std::move(container));
    corev1::PodIP ip;
    ip.ip = Str(str_cat("10.", 100 + k / 40000, ".", k / 200 % 200, ".", k % 200 + 1));
    pod.status.mut().phase = "Running";
    pod.status.mut().pod_ip = ip.ip;
    pod.status.mut().pod_ips.push_back(std::move(ip));
    corev1::PodCondition ready;
    ready.type = "Ready";
    ready.status = k * 7919 % count < not_ready ? "False" : "True";
    pod.status.mut().conditions.push_back(std::move(ready));
    pods.push_back(api::Object::of(std::move(pod)));
  }
  return pods;
}

Json counts_of(const corev1::Endpoints& endpoints) {
  Json subsets = Json::array();
  const auto tell = [](Json& out, const auto& addresses, const char* count, const char* first, const char* last) {
    out.set(count, static_cast<int64_t>(addresses.size()));
    if (addresses.empty()) return;
    out.set(first, addresses[0].ip);
    out.set(last, addresses[addresses.size() - 1].ip);
  };
  for (const auto& subset : endpoints.subsets) {
    Json& one = subsets.push_back(Json::object());
    tell(one, subset.addresses, "ready", "firstReady", "lastReady");
    tell(one, subset.not_ready_addresses, "notReady", "firstNotReady", "lastNotReady");
    one.set("ports", api::to_json(api::Object::of(endpoints))["subsets"][subsets.size() - 1]["ports"]);
  }
  return subsets;
}

std::string check_endpoints(const Json& recorded) {
  const Json& input = recorded["input"];
  control::EndpointsInputs in;
  const std::string_view key = input["key"].text();
  in.ns = Str(key.substr(0, key.find('/')));
  in.name = Str(key.substr(key.find('/') + 1));
  const bool generated = input.find("generate") != nullptr;
  if (input.find("endpoints")) in.endpoints = object_of<corev1::Endpoints>(input["endpoints"]);
  if (input.find("service")) {
    in.service = object_of<corev1::Service>(input["service"]);
    const auto& service = in.service.get<corev1::Service>();
    for (const Json& json : input["pods"].items()) {
      api::Object pod = object_of<corev1::Pod>(json);
      if (control::selects_pod(service, pod.meta())) in.pods.push_back(std::move(pod));
    }
    if (generated) in.pods = generated_pods(input["generate"]);
    in.trigger = control::TriggerTimes().next(Str(key), service, in.pods);
  }
  std::vector<ApiRequest> requests;
  std::vector<std::string> events;
  const Status status = play([&](WriteLog& log) { return control::sync_endpoints(in, log, [] {}); }, requests, events);
  if (!status.is_ok()) return status.message();
  Json actual = Json::object();
  actual.set("action", "none");
  if (!requests.empty()) {
    const ApiRequest& request = requests[0];
    const bool deletes = request.verb == ApiVerb::kDelete;
    actual.set("action", deletes ? "delete" : request.verb == ApiVerb::kCreate ? "create" : "update");
    if (!deletes && generated) {
      actual.set("annotations", api::to_json(request.object)["metadata"]["annotations"]);
      actual.set("subsets", counts_of(request.object.get<corev1::Endpoints>()));
    } else if (!deletes) {
      Json sent = bare(request.object);
      if (request.verb == ApiVerb::kCreate) sent.find("metadata")->erase("namespace");
      if (sent["metadata"]["labels"].size() == 0) sent.find("metadata")->erase("labels");
      actual.set("endpoints", std::move(sent));
    }
  }
  return test::expect_equal("outcome", recorded["expect"], actual);
}

Json sorted(Json list) {
  std::sort(list.items().begin(), list.items().end(), [](const Json& a, const Json& b) { return a.dump_sorted() < b.dump_sorted(); });
  return list;
}

Json slice_json(const EndpointSlice& slice) {
  Json out = bare(api::Object::of(slice));
  for (const char* list : {"endpoints", "ports"}) out.set(list, out[list].is_array() ? sorted(out[list]) : Json::array());
  return out;
}

Json slices_json(const control::Slices& slices) {
  Json out = Json::array();
  for (const EndpointSlice& slice : slices) out.push_back(slice_json(slice));
  return sorted(out);
}

/// What there is in the end, by sets of ports.
std::map<std::string, Json> final_state(const control::SliceInputs& in, const control::SlicePlan& plan, bool hints) {
  std::map<Str, EndpointSlice> named;
  for (const auto& slice : in.slices) named[slice.metadata->name] = slice;
  for (const auto& slice : plan.update) named[slice.metadata->name] = slice;
  for (const Str& name : plan.remove) named.erase(name);
  control::Slices all = plan.create;
  for (const auto& [name, slice] : named) all.push_back(slice);
  std::map<std::string, Json> state;
  for (const EndpointSlice& slice : all) {
    Json json = slice_json(slice);
    Json& group = state[json["ports"].dump_sorted()];
    if (group.is_null()) {
      group.set("ports", json["ports"]);
      group.set("sizes", Json::array());
      group.set("endpoints", Json::array());
    }
    group.find("sizes")->push_back(static_cast<int64_t>(slice.endpoints.size()));
    for (Json& endpoint : json.find("endpoints")->items()) {
      if (!hints) endpoint.erase("hints");
      group.find("endpoints")->push_back(endpoint);
    }
  }
  for (auto& [ports, group] : state) {
    group.set("endpoints", sorted(group["endpoints"]));
    std::sort(group.find("sizes")->items().begin(), group.find("sizes")->items().end(),
              [](const Json& a, const Json& b) { return a.as_int() < b.as_int(); });
  }
  return state;
}

std::string check_final(const Json& groups, const std::map<std::string, Json>& actual) {
  if (groups.size() != actual.size()) return str_cat(groups.size(), " sets of ports expected, ", actual.size(), " found");
  for (Json group : groups.items()) {
    group.set("ports", sorted(group["ports"].is_array() ? group["ports"] : Json::array()));
    group.set("endpoints", sorted(group["endpoints"].is_array() ? group["endpoints"] : Json::array()));
    std::sort(group.find("sizes")->items().begin(), group.find("sizes")->items().end(),
              [](const Json& a, const Json& b) { return a.as_int() < b.as_int(); });
    const auto found = actual.find(group["ports"].dump_sorted());
    if (found == actual.end()) return str_cat("no slices with ports ", group["ports"].dump());
    if (auto difference = test::expect_equal("final state", group, found->second); !difference.empty()) return difference;
  }
  return "";
}

/// Hints by "zone>zone", or by the zone hinted at.
Json hint_counts(const control::SliceInputs& in, const control::SlicePlan& plan, bool totals) {
  std::map<std::string, int64_t> counts;
  for (const auto& [ports, group] : final_state(in, plan, true))
    for (const Json& endpoint : group["endpoints"].items())
      for (const Json& zone : endpoint["hints"]["forZones"].items())
        ++counts[totals ? std::string(zone["name"].text()) : str_cat(endpoint["zone"].text(), ">", zone["name"].text())];
  Json out = Json::object();
  for (const auto& [name, count] : counts) out.set(name, count);
  return out;
}

control::SliceInputs slice_inputs(const Json& input) {
  control::SliceInputs in;
  in.service = object_of<corev1::Service>(input["service"]);
  for (const Json& json : input["pods"].items()) in.pods.push_back(object_of<corev1::Pod>(json));
  for (const Json& json : input["nodes"].items()) in.nodes.push_back(object_of<corev1::Node>(json));
  for (const Json& json : input["slices"].items()) in.slices.push_back(object_of<EndpointSlice>(json).get<EndpointSlice>());
  in.shares = control::zone_shares(in.nodes);
  in.endpoints_max = static_cast<size_t>(input["maxEndpointsPerSlice"].as_int());
  in.trigger = kNow;
  in.had_hints = input["priorHints"].size() > 0;
  return in;
}

std::string check_slices(const Json& recorded) {
  const control::SliceInputs in = slice_inputs(recorded["input"]);
  std::vector<ApiRequest> requests;
  std::vector<std::string> events;
  const Status status = play([&](WriteLog& log) { return control::sync_slices(in, log, [](const auto&) {}, [](const auto&) {}); },
                             requests, events);
  const control::SlicePlan plan = control::plan_slices(in);
  const Json& expect = recorded["expect"];
  Json expected = Json::object(), actual = Json::object();
  const auto compare = [&](std::string_view name, Json value) {
    if (!expect.find(name)) return;
    expected.set(name, expect[name]);
    actual.set(name, std::move(value));
  };
  Json told = Json::array(), removed = Json::array(), counts = Json::object();
  for (const std::string& event : events) told.push_back(event);
  for (const Str& name : plan.remove) removed.push_back(name);
  counts.set("create", static_cast<int64_t>(plan.create.size()));
  counts.set("update", static_cast<int64_t>(plan.update.size()));
  counts.set("delete", static_cast<int64_t>(plan.remove.size()));
  compare("events", sorted(told));
  compare("error", status.message());
  compare("counts", counts);
  compare("hintCounts", hint_counts(in, plan, false));
  compare("hintTotals", hint_counts(in, plan, true));
  if (expect["exact"].as_bool()) {
    for (const char* list : {"create", "update"}) {
      Json wanted = Json::array();
      for (Json slice : expect[list].items()) {
        for (const char* inner : {"endpoints", "ports"}) slice.set(inner, slice[inner].is_array() ? sorted(slice[inner]) : Json::array());
        wanted.push_back(std::move(slice));
      }
      expected.set(list, sorted(wanted));
    }
    actual.set("create", slices_json(plan.create));
    actual.set("update", slices_json(plan.update));
    compare("delete", sorted(removed));
  }
  if (expected.find("events")) expected.set("events", sorted(expected["events"]));
  std::string difference = test::expect_equal("outcome", expected, actual);
  if (difference.empty() && expect.find("final")) difference = check_final(expect["final"], final_state(in, plan, true));
  if (difference.empty() && expect.find("finalWithoutHints")) difference = check_final(expect["finalWithoutHints"], final_state(in, plan, false));
  return difference;
}

std::string check_mirroring(const Json& recorded) {
  const Json& input = recorded["input"];
  control::MirrorInputs in;
  in.endpoints = object_of<corev1::Endpoints>(input["endpoints"]);
  in.ns = in.endpoints.meta().namespace_;
  in.name = in.endpoints.meta().name;
  in.addresses_max = static_cast<size_t>(input["maxEndpointsPerSubset"].as_int());
  for (const Json& json : input["slices"].items()) in.slices.push_back(object_of<EndpointSlice>(json).get<EndpointSlice>());
  std::vector<ApiRequest> requests;
  std::vector<std::string> events;
  const Status status = play([&](WriteLog& log) { return control::sync_mirror(in, log, [](const auto&) {}, [](const auto&) {}); }, requests, events);
  Json expected = Json::object(), actual = Json::object();
  for (const char* list : {"create", "update", "delete", "events"}) {
    Json wanted = Json::array();
    for (Json one : recorded["expect"][list].items()) {
      if (one.is_object())
        for (const char* inner : {"endpoints", "ports"}) one.set(inner, one[inner].is_array() ? sorted(one[inner]) : Json::array());
      wanted.push_back(std::move(one));
    }
    expected.set(list, sorted(wanted));
    actual.set(list, Json::array());
  }
  for (const ApiRequest& request : requests) {
    if (request.verb == ApiVerb::kDelete) actual.find("delete")->push_back(request.name);
    else actual.find(request.verb == ApiVerb::kCreate ? "create" : "update")->push_back(slice_json(request.object.get<EndpointSlice>()));
  }
  for (const std::string& event : events) actual.find("events")->push_back(event);
  for (auto& list : actual.members()) list.value = sorted(list.value);
  expected.set("error", recorded["expect"]["error"].text());
  actual.set("error", status.message());
  return test::expect_equal("outcome", expected, actual);
}

}  // namespace

int main(int argc, char** argv) {
  const auto family = [](const char* name, std::string (*check)(const Json&)) {
    return [=] { return test::run_family(name, test::read_vectors(str_cat("controllers/10-endpoints/", name, ".jsonl.gz")), check); };
  };
  return test::run_program(argc, argv, {{"endpoints", family("endpoints", check_endpoints)},
                                        {"endpointslices", family("endpointslices", check_slices)},
                                        {"mirroring", family("mirroring", check_mirroring)}});
}
