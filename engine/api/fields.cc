#include "engine/api/fields.h"

#include <algorithm>
#include <iterator>

#include "engine/api/names.h"
#include "engine/api/quantity.h"
#include "engine/api/scalars.h"
#include "engine/base/time.h"

namespace orrery::api {
namespace {

// So that sums over the largest cluster fit into 64 bits.
constexpr int64_t kQuantityMax = 1'000'000'000'000'000;

// Edits between two words (Levenshtein): for "did you mean".
size_t distance(std::string_view a, std::string_view b) {
  std::vector<size_t> row(b.size() + 1);
  for (size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (size_t i = 1; i <= a.size(); ++i) {
    size_t diagonal = row[0];
    row[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      const size_t substitute = diagonal + (a[i - 1] != b[j - 1]);
      diagonal = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, substitute});
    }
  }
  return row[b.size()];
}

std::string shown(const Json& json) {
  if (json.is_object() || json.is_array()) return "a " + std::string(json.type_name() == "array" ? "list" : "mapping");
  return json.dump();
}

}  // namespace

Fields::Fields(const Json& json, std::string path, std::string file, Reference* reference)
    : json_(json), path_(std::move(path)), file_(std::move(file)), reference_(reference) {
  if (!reference_ && !json_.is_object() && !json_.is_null()) fail("", "found " + shown(json_) + ", must be a mapping");
}

void Fields::fail(std::string_view name, std::string_view what) {
  if (!problem_.is_ok()) return;
  const Json* member = name.empty() ? nullptr : json_.find(name);
  const uint32_t line = member ? member->line() : json_.line();
  const std::string where = name.empty() ? (path_.empty() ? "the file" : path_) : path_of(name);
  const std::string place = line ? str_cat(file_, ":", uint64_t{line}) : file_;  // what is absent has no line
  problem_ = bad_request(str_cat(place, ": ", where, ": ", what));
}

void Fields::mismatch(std::string_view name, const Json& found, std::string_view allowed) {
  fail(name, str_cat("found ", shown(found), ", must be ", allowed));
}

const Json* Fields::find(std::string_view name, std::string_view about, std::string_view type, std::string_view otherwise) {
  known_.push_back(std::string(name));
  if (reference_) {
    reference_->push_back(str_cat(path_of(name), " (", type, otherwise.empty() ? "" : ", default ", otherwise, "): ", about));
    return nullptr;
  }
  const Json* found = json_.find(name);
  return found && !found->is_null() ? found : nullptr;
}

std::string Fields::text(std::string_view name, std::string otherwise, std::string_view about, const std::vector<std::string>& allowed) {
  std::string type = allowed.empty() ? "text" : join(allowed, " | ");
  if (type.starts_with(" | ")) type.erase(0, 3);
  const Json* found = find(name, about, type, otherwise);
  if (!found) return otherwise;
  if (!found->is_string() && !found->is_number() && !found->is_bool()) {
    mismatch(name, *found, "text");
    return otherwise;
  }
  const std::string value = found->is_string() ? found->as_string().str() : found->dump();
  if (allowed.empty() || std::find(allowed.begin(), allowed.end(), value) != allowed.end()) return value;
  std::vector<std::string> shown;
  std::copy_if(allowed.begin(), allowed.end(), std::back_inserter(shown), [](const std::string& a) { return !a.empty(); });
  fail(name, str_cat("found ", quoted(value), ", must be one of ", join(shown, ", ")));
  return value;
}

std::string Fields::object_name(std::string_view name, std::string otherwise, std::string_view about) {
  const std::string value = text(name, std::move(otherwise), about);
  const auto problems = check_dns1123_subdomain(value);
  if (!problems.empty()) fail(name, str_cat("found ", quoted(value), ": ", problems[0]));
  return value;
}

int64_t Fields::integer(std::string_view name, int64_t otherwise, int64_t low, int64_t high, std::string_view about) {
  const Json* found = find(name, about, "whole number", std::to_string(otherwise));
  if (!found) return otherwise;
  if (!found->is_int() || found->as_int() < low || found->as_int() > high) {
    mismatch(name, *found, str_cat("a whole number in ", low, "..", high));
    return otherwise;
  }
  return found->as_int();
}

double Fields::number(std::string_view name, double otherwise, double low, double high, std::string_view about) {
  const Json* found = find(name, about, "number", Json(otherwise).dump());
  if (!found) return otherwise;
  if (!found->is_number() || !(found->as_double() >= low && found->as_double() <= high)) {
    mismatch(name, *found, str_cat("a number in ", Json(low).dump(), "..", Json(high).dump()));
    return otherwise;
  }
  return found->as_double();
}

bool Fields::boolean(std::string_view name, bool otherwise, std::string_view about) {
  const Json* found = find(name, about, "true | false", otherwise ? "true" : "false");
  if (!found) return otherwise;
  if (!found->is_bool()) {
    mismatch(name, *found, "true or false");
    return otherwise;
  }
  return found->as_bool();
}

int64_t Fields::duration_ns(std::string_view name, std::string_view otherwise, std::string_view about) {
  const Json* found = find(name, about, "duration", otherwise);
  const int64_t fallback = otherwise.empty() ? 0 : parse_go_duration(otherwise).value().ns;
  if (!found) return fallback;
  int64_t ns = -1;
  if (found->is_number()) ns = duration_from_seconds(found->as_double()).ns;
  if (found->is_string())
    if (const auto parsed = parse_go_duration(found->as_string()); parsed.is_ok()) ns = parsed->ns;
  if (ns < 0 || ns > kDurationMax.ns) {
    mismatch(name, *found, "a duration such as 90s or 1h30m, or seconds; not negative, at most 50 years");
    return fallback;
  }
  return ns;
}

int64_t Fields::quantity(std::string_view name, std::string_view otherwise, bool milli, std::string_view about) {
  const Json* found = find(name, about, "quantity", otherwise);
  std::string text(otherwise);
  if (found && (found->is_string() || found->is_number())) text = found->is_string() ? found->as_string().str() : found->dump();
  const auto parsed = Quantity::parse(text.empty() ? "0" : text);
  const bool wrong_type = found && !found->is_string() && !found->is_number();
  if (wrong_type || !parsed.is_ok() || parsed->sign() < 0 || parsed->compare_int(kQuantityMax) > 0) {
    mismatch(name, found ? *found : json_, "a quantity such as 500m or 32Gi, not negative, at most 1P");
    return 0;
  }
  return milli ? parsed->milli_value() : parsed->value();
}

const Json& Fields::any(std::string_view name, std::string_view about) {
  static const Json kNull;
  const Json* found = find(name, about, "see below", "");
  return found ? *found : kNull;
}

std::vector<std::string> Fields::texts(std::string_view name, std::string_view about) {
  std::vector<std::string> out;
  each(name, about, [&](const Json& item, const std::string& path) {
    if (referencing()) return;
    if (!item.is_string() || item.as_string().empty()) {
      const std::string place = item.line() ? str_cat(file_, ":", uint64_t{item.line()}) : file_;
      return absorb(bad_request(str_cat(place, ": ", path, ": found ", shown(item), ", must be text")));
    }
    out.push_back(item.as_string().str());
  });
  return out;
}

Status Fields::done() {
  if (reference_) return problem_;
  // A misspelt name is often why something else is missing, so it is reported first.
  for (const auto& member : json_.members()) {
    if (std::find(known_.begin(), known_.end(), member.key.view()) != known_.end()) continue;
    std::string hint;
    size_t nearest = 4;
    for (const std::string& k : known_)
      if (const size_t d = distance(k, member.key); d < nearest) {
        nearest = d;
        hint = str_cat("; did you mean ", k, "?");
      }
    std::vector<std::string> sorted = known_;
    std::sort(sorted.begin(), sorted.end());
    return bad_request(str_cat(file_, ":", member.value.line(), ": ", path_of(member.key), ": unknown field", hint.empty() ? "; allowed are " + join(sorted, ", ") : hint));
  }
  return problem_;
}

}  // namespace orrery::api
