#include "engine/server/rest/negotiation.h"

#include <algorithm>
#include <vector>

#include "engine/base/ascii.h"
#include "engine/base/str.h"

namespace orrery::server {
namespace {

constexpr std::string_view kTypes = "application/json, application/yaml, application/vnd.kubernetes.protobuf";
constexpr std::string_view kStreamTypes = ", application/json;stream=watch, application/vnd.kubernetes.protobuf;stream=watch";

struct Clause {
  std::string type;
  double quality = 1;
  std::string as, version, group;
  bool pretty = false;
};

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> pieces;
  for (size_t at = 0; at <= text.size();) {
    const size_t end = std::min(text.find(separator, at), text.size());
    pieces.push_back(trimmed(text.substr(at, end - at)));
    at = end + 1;
  }
  return pieces;
}

double parse_quality(std::string_view text) {
  // q=0.5: a digit, a point, up to three digits.
  double value = 0, unit = 1;
  bool fraction = false;
  for (char c : text) {
    if (c == '.') {
      fraction = true;
    } else if (c >= '0' && c <= '9') {
      value = fraction ? value + (unit /= 10) * (c - '0') : value * 10 + (c - '0');
    }
  }
  return value;
}

std::vector<Clause> parse_accept(std::string_view accept) {
  std::vector<Clause> clauses;
  for (std::string_view piece : split(accept, ',')) {
    if (piece.empty()) continue;
    Clause clause;
    const auto fields = split(piece, ';');
    clause.type = bare_media_type(fields[0]);
    for (size_t i = 1; i < fields.size(); ++i) {
      const size_t equals = fields[i].find('=');
      if (equals == std::string_view::npos) continue;
      const std::string_view name = trimmed(fields[i].substr(0, equals)), value = trimmed(fields[i].substr(equals + 1));
      if (name == "q") clause.quality = parse_quality(value);
      if (name == "as") clause.as = value;
      if (name == "v") clause.version = value;
      if (name == "g") clause.group = value;
      if (name == "pretty") clause.pretty = value == "1";
    }
    clauses.push_back(std::move(clause));
  }
  std::stable_sort(clauses.begin(), clauses.end(), [](const Clause& a, const Clause& b) { return a.quality > b.quality; });
  return clauses;
}

std::optional<Format> accepted_format(std::string_view type) {
  if (type == "*/*" || type == "application/*" || type == "application/json") return Format::kJson;
  if (type == "application/yaml") return Format::kYaml;
  if (type == "application/vnd.kubernetes.protobuf") return Format::kProto;
  return std::nullopt;
}

// Whether the route serves the type: it knows no ranges but the one of all types.
// Source: go-restful, Route.matchesAccept.
bool is_served(std::string_view type) {
  return type == "*/*" || (type != "application/*" && accepted_format(type).has_value());
}

std::optional<Transform> accepted_transform(const Clause& clause) {
  if (clause.as.empty()) return Transform::kNone;
  if (clause.group != "meta.k8s.io" || (clause.version != "v1" && clause.version != "v1beta1")) return std::nullopt;
  if (clause.as == "Table") return Transform::kTable;
  if (clause.as == "PartialObjectMetadata") return Transform::kPartialMetadata;
  if (clause.as == "PartialObjectMetadataList") return Transform::kPartialMetadataList;
  return std::nullopt;
}

}  // namespace

std::string bare_media_type(std::string_view text) {
  std::string type(trimmed(text.substr(0, std::min(text.find(';'), text.size()))));
  for (char& c : type)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return type;
}

std::string_view Representation::content_type() const {
  switch (format) {
    case Format::kYaml: return "application/yaml";
    case Format::kProto: return "application/vnd.kubernetes.protobuf";
    default: return "application/json";
  }
}

std::string_view Representation::stream_content_type() const {
  switch (format) {
    case Format::kYaml: return "application/yaml";
    case Format::kProto: return "application/vnd.kubernetes.protobuf;stream=watch";
    default: return "application/json";
  }
}

bool route_accepts(std::string_view accept, std::string_view type) {
  if (trimmed(accept).empty()) return true;
  const std::vector<Clause> clauses = parse_accept(accept);
  return std::any_of(clauses.begin(), clauses.end(), [type](const Clause& clause) { return clause.type == "*/*" || clause.type == type; });
}

bool wants_pretty(std::string_view pretty, std::string_view user_agent) {
  constexpr std::string_view kTrue[] = {"1", "t", "T", "TRUE", "true", "True"};
  if (!pretty.empty()) return std::find(std::begin(kTrue), std::end(kTrue), pretty) != std::end(kTrue);
  return user_agent.starts_with("curl") || user_agent.starts_with("Wget") || user_agent.starts_with("Mozilla/5.0");
}

Result<Representation> negotiate(std::string_view accept, Transforms allowed, Route route) {
  if (trimmed(accept).empty()) return Representation{};
  const std::vector<Clause> clauses = parse_accept(accept);
  if (route != Route::kNone && std::none_of(clauses.begin(), clauses.end(), [](const Clause& clause) { return is_served(clause.type); }))
    return Status(Code::kNotAcceptable, str_cat("406: Not Acceptable\n\nAvailable representations: ", kTypes,
                                                route == Route::kList ? kStreamTypes : ""));
  for (const Clause& clause : clauses) {
    const auto format = accepted_format(clause.type);
    if (!format) continue;
    const auto transform = accepted_transform(clause);
    const Transforms needed = !transform || *transform == Transform::kNone ? Transforms::kNone
                              : *transform == Transform::kTable            ? Transforms::kAll
                                                                           : Transforms::kMetadata;
    if (!transform || needed > allowed) continue;
    Representation out;
    out.format = *format;
    out.transform = *transform;
    out.transform_version = clause.version;
    out.pretty = clause.pretty;
    return out;
  }
  return Status(Code::kNotAcceptable, str_cat("only the following media types are accepted: ", kTypes));
}

std::optional<Representation> negotiate_aggregated(std::string_view accept) {
  for (const Clause& clause : parse_accept(accept)) {
    const auto format = accepted_format(clause.type);
    if (!format) continue;
    if (clause.as.empty()) return std::nullopt;
    if (clause.as != "APIGroupDiscoveryList" || clause.group != "apidiscovery.k8s.io") continue;
    if (clause.version != "v2" && clause.version != "v2beta1") continue;
    Representation out;
    out.format = *format;
    out.transform_version = clause.version;
    return out;
  }
  return std::nullopt;
}

std::optional<size_t> best_media_type(std::string_view accept, std::span<const std::string_view> types) {
  if (trimmed(accept).empty()) accept = "*/*";
  for (const Clause& clause : parse_accept(accept)) {
    const std::string_view wanted = clause.type;
    for (size_t i = 0; i < types.size(); ++i) {
      const std::string_view main = types[i].substr(0, types[i].find('/'));
      if (wanted == types[i] || wanted == "*/*" || wanted == str_cat(main, "/*")) return i;
    }
  }
  return std::nullopt;
}

std::optional<Format> body_format(std::string_view content_type) {
  const std::string type = bare_media_type(content_type);
  if (type.empty() || type == "application/json") return Format::kJson;
  if (type == "application/yaml") return Format::kYaml;
  if (type == "application/vnd.kubernetes.protobuf") return Format::kProto;
  return std::nullopt;
}

Status unknown_body_format() {
  return {Code::kUnsupportedMediaType, "the body of the request was in an unknown format - accepted media types include: "
                                       "application/json, application/yaml, application/vnd.kubernetes.protobuf"};
}

}  // namespace orrery::server
