#include "engine/server/metrics/histogram.h"

#include <algorithm>
#include <charconv>

#include "engine/base/str.h"

namespace orrery::server {

std::string metric_number(double number) {
  char text[32];
  const auto [end, error] = std::to_chars(text, text + sizeof(text), number);
  return error == std::errc() ? std::string(text, end) : "NaN";
}

std::string metric_head(std::string_view name, std::string_view type, std::string_view help) {
  return str_cat("# HELP ", name, " ", help, "\n# TYPE ", name, " ", type, "\n");
}

void Histogram::observe(double seconds) {
  const auto* bound = std::lower_bound(kBounds.begin(), kBounds.end(), seconds);
  if (bound != kBounds.end()) ++counts_[static_cast<size_t>(bound - kBounds.begin())];
  ++count_;
  sum_ += seconds;
}

void Histogram::append(std::string& out, std::string_view name, std::string_view labels) const {
  const std::string_view comma = labels.empty() ? "" : ",";
  uint64_t below = 0;
  for (size_t i = 0; i < kBounds.size(); ++i) {
    below += counts_[i];
    out += str_cat(name, "_bucket{", labels, comma, "le=\"", metric_number(kBounds[i]), "\"} ", below, "\n");
  }
  out += str_cat(name, "_bucket{", labels, comma, "le=\"+Inf\"} ", count_, "\n");
  out += str_cat(name, "_sum{", labels, "} ", metric_number(sum_), "\n");
  out += str_cat(name, "_count{", labels, "} ", count_, "\n");
}

}  // namespace orrery::server
