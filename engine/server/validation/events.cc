// Events, written as core/v1 and as events.k8s.io/v1. Source: Kubernetes v1.32
// pkg/apis/core/validation/events.go.
#include "engine/api/gen/corev1.h"
#include "engine/api/gen/eventsv1.h"
#include "engine/server/validation/go_time.h"
#include "engine/server/validation/metadata.h"
#include "engine/server/validation/registry.h"

namespace orrery::server {
namespace {

using corev1::Event;

bool is_unset(const api::Timestamp& time) { return time == api::Timestamp(); }

void check_text(const Str& text, size_t bytes_max, bool required, std::string_view field, Findings& findings) {
  const Path at(field);
  if (required && text.empty()) findings.required(at);
  if (text.size() > bytes_max) findings.invalid(at, "", str_cat("can have at most ", uint64_t{bytes_max}, " characters"));
}

void check_reporting(const Event& event, std::string_view controller, Findings& findings) {
  constexpr size_t kShortMax = 128, kNoteMax = 1024;
  const Path reporter(controller);
  if (event.reporting_component.empty()) findings.required(reporter);
  check_qualified(event.reporting_component, reporter, findings);
  check_text(event.reporting_instance, kShortMax, true, "reportingInstance", findings);
  check_text(event.action, kShortMax, true, "action", findings);
  check_text(event.reason, kShortMax, true, "reason", findings);
  check_text(event.message, kNoteMax, false, "message", findings);
}

// The rules of both versions.
void check_event(const Event& event, std::string_view controller, Findings& findings) {
  const Str &ns = event.metadata->namespace_, &about = event.involved_object.namespace_;
  constexpr std::string_view kElsewhere = "does not match event.namespace";
  constexpr Path kAbout("involvedObject.namespace");
  if (is_unset(event.event_time)) {
    const bool fits = about.empty() ? ns.empty() || ns == "default" : about == ns;
    if (!fits) findings.invalid(kAbout, about, kElsewhere);
  } else {
    if (about.empty() && !is_one_of(ns, {"default", "kube-system"})) findings.invalid(kAbout, about, kElsewhere);
    check_reporting(event, controller, findings);
  }
  check_subdomain(ns, Path("namespace"), findings);
}

void check_core_create(const Event& event, Findings& findings) { check_event(event, "reportingComponent", findings); }
void check_core_update(const Event& event, const Event&, Findings& findings) { check_core_create(event, findings); }

void check_series(const Event& event, Findings& findings) {
  if (!event.series) return;
  if (event.series->count < 2) findings.invalid(Path("series.count"), "", "should be at least 2");
  if (is_unset(event.series->last_observed_time)) findings.required(Path("series.lastObservedTime"));
}

void check_create(const Event& event, Findings& findings) {
  check_event(event, "reportingController", findings);
  check_object_meta(*event.metadata, true, name_is_subdomain, findings);
  check_series(event, findings);
  if (is_unset(event.event_time)) findings.required(Path("eventTime"));
  if (!is_one_of(event.type, {"Normal", "Warning"})) findings.invalid(Path("type"), "", str_cat("has invalid value: ", event.type));
  const auto unset = [&](bool is, std::string_view field) {
    if (!is) findings.invalid(Path(field), "", "needs to be unset");
  };
  unset(is_unset(event.first_timestamp), "firstTimestamp");
  unset(is_unset(event.last_timestamp), "lastTimestamp");
  unset(event.count == 0, "count");
  unset(event.source.component.empty() && event.source.host.empty(), "source");
}

template <typename T>
Shown shown_or_null(const Ref<T>& value) {
  return value ? Shown::object(*value) : Shown("null");
}

void check_update(const Event& event, const Event& old, Findings& findings) {
  check_event(event, "reportingController", findings);
  check_object_meta_update(*event.metadata, *old.metadata, findings);
  const bool same_series = static_cast<bool>(event.series) == static_cast<bool>(old.series) &&
                           (!event.series || api::semantic_equal(*event.series, *old.series));
  if (!same_series) check_series(event, findings);
  const auto text = [&](const Str& now, const Str& before, std::string_view field) {
    check_immutable(now, before, Path(field), now, findings);
  };
  const auto time = [&](const api::Timestamp& now, const api::Timestamp& before, std::string_view field) {
    if (!(now == before)) findings.invalid(Path(field), Shown::raw(go_time(now)), Findings::kImmutable);
  };
  check_immutable_struct(event.involved_object, old.involved_object, Path("involvedObject"), findings);
  text(event.reason, old.reason, "reason");
  text(event.message, old.message, "message");
  check_immutable_struct(event.source, old.source, Path("source"), findings);
  time(event.first_timestamp, old.first_timestamp, "firstTimestamp");
  time(event.last_timestamp, old.last_timestamp, "lastTimestamp");
  check_immutable(event.count, old.count, Path("count"), event.count, findings);
  text(event.reason, old.reason, "reason");
  text(event.type, old.type, "type");
  time(event.event_time, old.event_time, "eventTime");
  text(event.action, old.action, "action");
  check_immutable_struct(event.related, old.related, Path("related"), findings);
  text(event.reporting_component, old.reporting_component, "reportingController");
  text(event.reporting_instance, old.reporting_instance, "reportingInstance");
}

}  // namespace

std::span<const CheckRow> event_checks() {
  static const CheckRow kRows[] = {
      check_row<Event, check_core_create, check_core_update>(),
      // Such events are checked in the form in which they are stored.
      {&eventsv1::Event::descriptor, check_row<Event, check_create, check_update>().checks},
  };
  return kRows;
}

}  // namespace orrery::server
