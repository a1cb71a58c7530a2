#include "engine/server/openapi/operations.h"

#include "engine/base/str.h"

namespace orrery::server {
namespace {

using api::Json;

std::string_view phrase(std::string_view code) {
  return code == "200" ? "OK" : code == "201" ? "Created" : "Accepted";
}

}  // namespace

std::string capitalised(std::string_view name) {
  std::string out(name);
  if (!out.empty() && out[0] >= 'a' && out[0] <= 'z')
    out[0] = static_cast<char>(out[0] - 'a' + 'A');
  return out;
}

std::string group_tag(std::string_view group) {
  if (group.empty()) return "core";
  if (group.ends_with(".k8s.io")) group.remove_suffix(7);
  std::string out;
  for (bool first = true; !group.empty(); first = false) {
    const size_t end = std::min(group.find('.'), group.size());
    out += first ? std::string(group.substr(0, end)) : capitalised(group.substr(0, end));
    group.remove_prefix(std::min(end + 1, group.size()));
  }
  return out;
}

Json kind_entry(std::string_view group, std::string_view version, std::string_view kind) {
  Json out = Json::object();
  out.set("group", group);
  out.set("kind", kind);
  out.set("version", version);
  return out;
}

Json content_of(std::span<const std::string_view> media_types, const Json& schema) {
  Json out = Json::object();
  for (std::string_view type : media_types) out.set(type, Json::object()).set("schema", schema);
  return out;
}

Json operation(std::string_view tag, std::string_view id, std::span<const std::string_view> codes,
               const Json& content) {
  Json out = Json::object();
  out.set("tags", Json::array()).push_back(tag);
  out.set("operationId", id);
  Json& responses = out.set("responses", Json::object());
  for (std::string_view code : codes) {
    Json& response = responses.set(code, Json::object());
    response.set("description", phrase(code));
    response.set("content", content);
  }
  responses.set("401", Json::object()).set("description", "Unauthorized");
  return out;
}

}  // namespace orrery::server
