#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/api/gen/corev1.h"
#include "engine/api/json_value.h"
#include "engine/api/object.h"
#include "engine/server/print/human_duration.h"

namespace orrery::server {

/// One row of a table while a printer fills it.
class Row {
 public:
  explicit Row(Time now) : now_(now) {}

  template <typename... Values>
  void add(Values&&... values) {
    (cells.push_back(cell(std::forward<Values>(values))), ...);
  }
  std::string age(const api::Timestamp& t) const { return age_text(t, now_); }
  Time now() const { return now_; }

  std::vector<api::Json> cells;
  /// The row's condition of type Completed; "" for none.
  std::string_view completed_reason, completed_message;

 private:
  template <typename Value>
  static api::Json cell(Value&& value) {
    if constexpr (std::is_same_v<std::decay_t<Value>, bool> || std::is_convertible_v<Value, std::string_view>) {
      return api::Json(std::forward<Value>(value));
    } else if constexpr (std::is_integral_v<std::decay_t<Value>>) {
      return api::Json(static_cast<int64_t>(value));
    } else {
      return api::Json(std::forward<Value>(value));
    }
  }

  Time now_;
};

/// Fills all cells of a kind's columns, those of wide output included. Source of all printers:
/// Kubernetes v1.32 pkg/printers/internalversion/printers.go.
using PrintFunction = void (*)(const api::Object& object, Row& row);
struct Printer {
  const api::TypeDesc* type;
  PrintFunction print;
};
/// nullptr for kinds without a printer.
PrintFunction find_printer(const api::TypeDesc& type);

template <typename T, void (*kPrint)(const T&, Row&)>
Printer printer_of() {
  return {&T::descriptor(), [](const api::Object& object, Row& row) { kPrint(object.get<T>(), row); }};
}

/// The printers of one area each.
std::vector<Printer> pod_printers();
std::vector<Printer> workload_printers();
std::vector<Printer> network_printers();
std::vector<Printer> cluster_printers();
std::vector<Printer> policy_printers();
std::vector<Printer> storage_printers();
std::vector<Printer> event_printers();
std::vector<Printer> autoscaling_printers();

/// "a=b,c=d", or "<none>".
std::string format_labels(const Map<Str>& labels);
/// "a,b,c + 2 more..." of a list whose first `max` items are shown.
std::string with_more(const std::vector<std::string>& shown, size_t count, size_t max);
/// Names and images of containers, each joined by commas.
void add_containers(const List<corev1::Container>& containers, Row& row);
std::string text_of(const api::IntOrString& value);

}  // namespace orrery::server
