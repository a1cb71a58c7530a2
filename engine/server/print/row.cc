#include "engine/server/print/row.h"

#include <algorithm>
#include <unordered_map>

#include "engine/api/names.h"

namespace orrery::server {

PrintFunction find_printer(const api::TypeDesc& type) {
  static const auto kPrinters = [] {
    std::vector<Printer> all;
    for (const auto area : {pod_printers, workload_printers, network_printers, cluster_printers, policy_printers,
                            storage_printers, event_printers, autoscaling_printers})
      for (const Printer& printer : area()) all.push_back(printer);
    return all;
  }();
  const auto it = std::find_if(kPrinters.begin(), kPrinters.end(), [&](const Printer& p) { return p.type == &type; });
  return it == kPrinters.end() ? nullptr : it->print;
}

std::string format_labels(const Map<Str>& labels) {
  std::string out;
  for (const auto& [name, value] : labels) str_append(out, str_cat(out.empty() ? "" : ",", name, "=", value));
  return out.empty() ? "<none>" : out;
}

std::string with_more(const std::vector<std::string>& shown, size_t count, size_t max) {
  std::string out = api::join(shown, ",");
  if (count > max) out += str_cat(" + ", uint64_t{count - max}, " more...");
  return out;
}

void add_containers(const List<corev1::Container>& containers, Row& row) {
  std::vector<std::string> names, images;
  for (const auto& container : containers) {
    names.push_back(container.name.str());
    images.push_back(container.image.str());
  }
  row.add(api::join(names, ","), api::join(images, ","));
}

std::string text_of(const api::IntOrString& value) {
  return value.is_text ? value.text.str() : str_cat(int64_t{value.number});
}

}  // namespace orrery::server
