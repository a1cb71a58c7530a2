#include "engine/api/gen/eventsv1.h"
#include "engine/base/ascii.h"
#include "engine/server/print/row.h"

namespace orrery::server {
namespace {

/// What both API versions of events say.
struct EventView {
  const metav1::ObjectMeta& meta;
  const corev1::ObjectReference& object;
  const Str &type, &reason, &message;
  const corev1::EventSource& source;
  const Str &controller, &instance;
  const api::Timestamp &first, &last, &event_time;
  bool has_series;
  api::Timestamp series_last;
  int32_t series_count, count;
};

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return out;
}

void print(const EventView& event, Row& row) {
  const std::string first = row.age(event.first ? event.first : event.event_time);
  std::string last = event.last ? row.age(event.last) : first;
  int32_t count = event.count == 0 ? 1 : event.count;
  if (event.has_series) {
    last = row.age(event.series_last);
    count = event.series_count;
  }
  std::string target = lower(event.object.kind);
  if (!event.object.name.empty()) target += "/" + event.object.name.str();
  const Str& component = event.source.component.empty() ? event.controller : event.source.component;
  const Str& instance = event.source.host.empty() ? event.instance : event.source.host;
  row.add(last, event.type, event.reason, target, event.object.field_path,
          instance.empty() ? component.str() : str_cat(component, ", ", instance), trimmed(event.message, " \t\n\v\f\r"), first, count,
          event.meta.name);
}

void print_core_event(const corev1::Event& e, Row& row) {
  const bool series = static_cast<bool>(e.series);
  print({*e.metadata, e.involved_object, e.type, e.reason, e.message, e.source, e.reporting_component,
         e.reporting_instance, e.first_timestamp, e.last_timestamp, e.event_time, series, e.series->last_observed_time,
         e.series->count, e.count},
        row);
}

void print_event(const eventsv1::Event& e, Row& row) {
  const bool series = static_cast<bool>(e.series);
  print({*e.metadata, e.regarding, e.type, e.reason, e.note, e.deprecated_source, e.reporting_controller,
         e.reporting_instance, e.deprecated_first_timestamp, e.deprecated_last_timestamp, e.event_time, series,
         e.series->last_observed_time, e.series->count, e.deprecated_count},
        row);
}

}  // namespace

std::vector<Printer> event_printers() {
  return {printer_of<corev1::Event, print_core_event>(), printer_of<eventsv1::Event, print_event>()};
}

}  // namespace orrery::server
