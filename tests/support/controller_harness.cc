#include "tests/support/controller_harness.h"

#include <algorithm>
#include <cstdlib>
#include <utility>

#include "engine/base/check.h"
#include "tests/support/vectors.h"

namespace orrery::test {
namespace {

using api::Json;

/// A version given out in the same step has another number there than here.
bool blur_version(Json& metadata, int64_t newest_known) {
  const Json* version = metadata.find("resourceVersion");
  if (!version || std::strtoll(version->as_string().c_str(), nullptr, 10) <= newest_known)
    return false;
  metadata.set("resourceVersion", "given out in this step");
  return true;
}

/// The same in what is written, and in a CronJob's references to what was made before.
void blur_versions(Json& write, int64_t newest_known) {
  if (Json* object = write.find("object"))
    if (Json* metadata = object->find("metadata")) blur_version(*metadata, newest_known);
  Json* status = write.find("status");
  Json* active = status ? status->find("active") : nullptr;
  if (!active || !active->is_array()) return;
  for (Json& reference : active->items())
    if (blur_version(reference, newest_known)) reference.set("uid", "given out in this step");
}

/// Objects as sent, through the codec: a recorded text and ours then differ in meaning only.
Json normal_write(const Json& recorded) {
  Json write = recorded;
  if (const Json* object = write.find("object")) {
    write.set("object", normal_json(*object)).erase("status");
  }
  if (const Json* status = write.find("status"))
    write.set("status", normal_status(write["resource"].as_string(), *status));
  return write;
}

/// Creates, patches and deletes that follow each other ran in parallel: their order means nothing.
/// (So did a Job's removals of pods: the patch of one beside the delete of another.)
void sort_parallel(std::vector<Json>& writes) {
  const auto group = [](const Json& w) {
    const std::string verb = w["verb"].as_string().str();
    return (verb == "patch" ? "delete" : verb) + w["resource"].as_string().str();
  };
  for (size_t i = 0; i < writes.size();) {
    size_t end = i + 1;
    while (end < writes.size() && group(writes[end]) == group(writes[i])) ++end;
    const Str& verb = writes[i]["verb"].as_string();
    if (verb == "create" || verb == "delete" || verb == "patch") {
      std::sort(writes.begin() + static_cast<ptrdiff_t>(i),
                writes.begin() + static_cast<ptrdiff_t>(end),
                [](const Json& a, const Json& b) { return a.dump_sorted() < b.dump_sorted(); });
    }
    i = end;
  }
}

void append_differences(const std::string& path, const Json& expected, const Json& actual,
                        std::string& text) {
  if (expected == actual) return;
  if (!expected.is_object() || !actual.is_object()) {
    text +=
        str_cat(' ', path, ": expected ", expected.dump_sorted(), ", got ", actual.dump_sorted());
    return;
  }
  for (const auto& member : expected.members())
    append_differences(str_cat(path, '.', member.key), member.value, actual[member.key], text);
  for (const auto& member : actual.members())
    if (!expected.find(member.key))
      text += str_cat(" unexpected ", path, '.', member.key, ' ', member.value.dump_sorted());
}

std::string compare_lists(const std::string& what, const std::vector<Json>& expected,
                          const std::vector<Json>& actual) {
  for (size_t i = 0; i < std::max(expected.size(), actual.size()); ++i) {
    const std::string at = str_cat(what, '[', i, ']');
    if (i >= actual.size()) return at + " missing: " + expected[i].dump_sorted().substr(0, 400);
    if (i >= expected.size()) return at + " too much: " + actual[i].dump_sorted().substr(0, 400);
    if (expected[i] == actual[i]) continue;
    std::string text = at;
    append_differences("", expected[i], actual[i], text);
    return text;
  }
  return "";
}

std::vector<Json> sorted(std::vector<Json> list) {
  std::sort(list.begin(), list.end(),
            [](const Json& a, const Json& b) { return a.dump_sorted() < b.dump_sorted(); });
  return list;
}

std::string compare_step(const Json& expected, const Json& actual, int64_t newest_known) {
  std::vector<Json> expected_writes, actual_writes = actual["writes"].items();
  for (const Json& write : expected["writes"].items())
    expected_writes.push_back(normal_write(write));
  for (auto* writes : {&expected_writes, &actual_writes})
    for (Json& write : *writes) blur_versions(write, newest_known);
  sort_parallel(expected_writes);
  sort_parallel(actual_writes);
  std::string text = compare_lists("writes", expected_writes, actual_writes);
  if (text.empty())
    text = compare_lists("events", sorted(expected["events"].items()),
                         sorted(actual["events"].items()));
  if (text.empty())
    text = compare_lists("requeueAfter", expected["requeueAfter"].items(),
                         actual["requeueAfter"].items());
  if (text.empty() && expected["error"].is_null() != actual["error"].is_null())
    text = "error: expected " + expected["error"].dump() + ", got " + actual["error"].dump();
  return text;
}

}  // namespace

Json ControllerHarness::run_step(const Json& step, const Str& key,
                                 const std::function<void()>& caches_caught_up) {
  const Result<api::Timestamp> now = api::parse_time(step["now"].as_string());
  CHECK(now.is_ok()) << now.status().message();
  now_ = now->time();
  const RecordedStore::Delta delta = store_.begin_step(step);
  for (const auto& object : delta.gone)
    deliver(object.kind(), {WatchEventType::kDeleted, object, Status()});
  for (const auto& object : delta.set)
    deliver(object.kind(), {WatchEventType::kModified, object, Status()});
  settle();
  caches_caught_up();
  events_.clear();
  requeues_.clear();
  controller_->sync_now(Ctx{now_}, key);
  settle();
  CHECK(controller_->syncs_in_flight() == 0);
  Json out = Json::object();
  out.set("writes", store_.writes());
  out.set("events", Json::array()).items() = events_;
  Json& requeues = out.set("requeueAfter", Json::array());
  for (const Duration delay : requeues_) requeues.push_back(static_cast<double>(delay.ns) / 1e9);
  if (!outcome_) out.set("error", outcome_.message());
  return out;
}

void ControllerHarness::deliver(const api::KindDesc* kind, WatchEvent event) {
  for (size_t i = 0; i < watches_.size(); ++i) {
    if (watches_[i].kind != kind) continue;
    watches_[i].pending.push_back(event);
    controller_->handle(Ctx{now_}, {EventKind::kWatch, 0, i + 1, 0});
  }
}

void ControllerHarness::settle() {
  for (size_t i = 0; i < posted_.size(); ++i) {
    const Event event = posted_[i];
    if (event.kind != EventKind::kWork) controller_->handle(Ctx{now_}, event);
  }
  posted_.clear();
}

void ControllerHarness::call(Ticket ticket, ApiRequest request) {
  const bool reported = request.kind->kind == "Event";
  ApiResponse response = reported ? ApiResponse() : store_.answer(request, now_);
  posted_.push_back({EventKind::kDone, 0, ticket.op, outcomes_.put(std::move(response))});
}

void ControllerHarness::on_event(const SyncEvent& event) {
  const auto& meta = event.about.meta();
  Json json = Json::object();
  json.set("type", event.type);
  json.set("reason", event.reason);
  json.set("message", event.message);
  json.set("object", str_cat(event.about.kind()->plural, '/', meta.namespace_, '/', meta.name));
  events_.push_back(std::move(json));
}

std::string play_recorded(const Json& recorded,
                          const std::function<ControllerUnderTest(const Env&)>& make,
                          const Str& key) {
  ControllerHarness harness;
  const ControllerUnderTest subject = make(harness.env());
  harness.attach(*subject.controller);
  const Json& input = recorded["input"];
  const auto& steps = input["steps"].items();
  const Str& synced = key.empty() ? input["key"].as_string() : key;
  for (size_t i = 0; i < steps.size(); ++i) {
    const Json actual = harness.run_step(steps[i], synced, subject.caught_up);
    const std::string difference =
        compare_step(recorded["expect"]["steps"][i], actual, harness.newest_known_version());
    if (!difference.empty()) return str_cat("step ", i, ": ", difference);
  }
  return "";
}

}  // namespace orrery::test
