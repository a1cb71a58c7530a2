#include "engine/server/openapi/resource_paths.h"

#include <algorithm>

#include "engine/base/str.h"
#include "engine/server/openapi/custom_schemas.h"
#include "engine/server/openapi/operations.h"
#include "engine/server/openapi/parameters.h"

namespace orrery::server {
namespace {

using api::Json;

constexpr std::string_view kMeta = "io.k8s.apimachinery.pkg.apis.meta.v1.";
constexpr std::string_view kListTypes[] = {
    "application/json", "application/yaml", "application/vnd.kubernetes.protobuf",
    "application/json;stream=watch", "application/vnd.kubernetes.protobuf;stream=watch"};
constexpr std::string_view kCustomTypes[] = {"application/json", "application/yaml"};
constexpr std::string_view kPatchTypes[] = {
    "application/json-patch+json", "application/merge-patch+json",
    "application/strategic-merge-patch+json", "application/apply-patch+yaml"};
constexpr std::string_view kCustomPatchTypes[] = {
    "application/json-patch+json", "application/merge-patch+json", "application/apply-patch+yaml"};
constexpr std::string_view kLogTypes[] = {"text/plain", "application/json", "application/yaml",
                                          "application/vnd.kubernetes.protobuf"};
constexpr std::string_view kAnyType[] = {"*/*"};
constexpr std::string_view kCodes[] = {"200", "201", "202"};
constexpr std::string_view kDeleteCodes[] = {"200", "202"};

bool takes(const std::vector<std::string>& verbs, std::string_view verb) {
  return std::find(verbs.begin(), verbs.end(), verb) != verbs.end();
}

std::span<const std::string_view> codes_of(std::string_view action, bool custom) {
  if (action == "post") return kCodes;
  if (action == "put" || (action == "patch" && !custom)) return std::span(kCodes).first(2);
  if (action == "delete") return kDeleteCodes;
  return std::span(kCodes).first(1);
}

std::string_view id_verb(std::string_view action) {
  if (action == "get") return "read";
  if (action == "post") return "create";
  if (action == "put") return "replace";
  if (action == "deletecollection") return "delete";
  if (action == "watchlist") return "watch";
  return action;
}

// A group, version and kind with the name of its schema.
struct Kind {
  std::string group, version, kind;
};

class ResourcePaths {
 public:
  ResourcePaths(const ServedResource& resource, bool custom, Schemas& schemas, Json& paths)
      : r_(resource),
        custom_(custom),
        schemas_(schemas),
        paths_(paths),
        tag_(str_cat(group_tag(r_.group), "_", r_.version)),
        group_version_(capitalised(group_tag(r_.group)) + capitalised(r_.version)) {}

  void add() {
    const std::string root = version_path(r_.group, r_.version);
    const std::string space = r_.namespaced ? "/namespaces/{namespace}/" : "/";
    if (r_.namespaced && takes(r_.verbs, "list"))
      add_path(str_cat(root, "/", r_.plural), {"list"}, "ForAllNamespaces");
    add_path(
        str_cat(root, space, r_.plural),
        chosen({{"list", "list"}, {"create", "post"}, {"deletecollection", "deletecollection"}}));
    const std::string one = str_cat(root, space, r_.plural, "/{name}");
    add_path(one,
             chosen({{"get", "get"}, {"update", "put"}, {"delete", "delete"}, {"patch", "patch"}}));
    for (const ServedSubresource& s : r_.subresources) add_subresource(one, s);
    if (!takes(r_.verbs, "watch") || custom_) return;
    if (r_.namespaced)
      add_path(str_cat(root, "/watch/", r_.plural), {"watchlist"}, "ForAllNamespaces");
    add_path(str_cat(root, "/watch", space, r_.plural), {"watchlist"});
    add_path(str_cat(root, "/watch", space, r_.plural, "/{name}"), {"watch"});
  }

 private:
  using Actions = std::vector<std::string_view>;

  Actions chosen(
      std::initializer_list<std::pair<std::string_view, std::string_view>> actions_of_verbs) const {
    Actions out;
    for (const auto& [verb, action] : actions_of_verbs)
      if (takes(r_.verbs, verb)) out.push_back(action);
    return out;
  }

  void add_path(const std::string& path, const Actions& actions, std::string_view suffix = {},
                const ServedSubresource* sub = nullptr) {
    if (actions.empty()) return;
    Json methods = Json::object();
    std::vector<Parameters> parameters;
    for (std::string_view action : actions) {
      const std::string_view method = action == "list" || action.starts_with("watch") ? "get"
                                      : action == "deletecollection"                  ? "delete"
                                                                                      : action;
      methods.set(method, action_operation(action, suffix, sub));
      const auto query = query_parameters(action, custom_);
      Parameters& all = parameters.emplace_back(query.begin(), query.end());
      if (sub && sub->name == "log")
        all = option_parameters(*api::find_type("io.k8s.api.core.v1.PodLogOptions"));
      all.push_back({"pretty", "string"});
      add_path_parameters(path, all);
    }
    place_parameters(methods, parameters);
    paths_.set(path, std::move(methods));
  }

  static void add_path_parameters(std::string_view path, Parameters& parameters) {
    for (std::string_view name :
         {std::string_view("name"), std::string_view("namespace"), std::string_view("path")})
      if (path.find(str_cat("{", name, "}")) != path.npos)
        parameters.push_back({name, "string", true});
  }

  std::string operation_id(std::string_view verb, std::string_view after_version,
                           std::string_view suffix, const ServedSubresource* sub) const {
    const bool everywhere = suffix == "ForAllNamespaces";
    return str_cat(verb, group_version_, after_version,
                   r_.namespaced && !everywhere ? "Namespaced" : "", r_.kind,
                   sub ? capitalised(sub->name) : "");
  }

  Kind kind_of(const ServedSubresource* sub) const {
    if (!sub) return {r_.group, r_.version, r_.kind};
    const bool own = sub->group.empty() && sub->version.empty();
    return {own ? r_.group : sub->group, own ? r_.version : sub->version, sub->kind};
  }

  Json entry_of(const ServedSubresource* sub) const {
    const Kind kind = kind_of(custom_ ? nullptr : sub);
    return kind_entry(kind.group, kind.version, kind.kind);
  }

  Json schema_of(const Kind& kind) {
    const api::KindDesc* known = api::find_kind(
        kind.group.empty() ? kind.version : str_cat(kind.group, "/", kind.version), kind.kind);
    if (known) return schemas_.reference(known->type->name);
    return custom_reference(r_, kind.kind != r_.kind, schemas_);
  }

  Json answer_of(std::string_view action, const Kind& kind) {
    std::span<const std::string_view> types = kObjectTypes;
    if (custom_) types = kCustomTypes;
    if (action == "list") {
      const Json list = schema_of({kind.group, kind.version, kind.kind + "List"});
      return content_of(custom_ ? types : kListTypes, list);
    }
    if (action.starts_with("watch"))
      return content_of(kListTypes, schemas_.reference(str_cat(kMeta, "WatchEvent")));
    const bool status =
        action == "deletecollection" || (action == "delete" && !returns_deleted(r_.group, r_.kind));
    return content_of(types,
                      status ? schemas_.reference(str_cat(kMeta, "Status")) : schema_of(kind));
  }

  // Null: it takes none.
  Json body_of(std::string_view action, const Kind& kind) {
    if (action == "get" || action == "list" || action.starts_with("watch")) return {};
    if (custom_ && action == "deletecollection") return {};
    const bool deletes = action.starts_with("delete");
    std::span<const std::string_view> types = kAnyType;
    if (custom_) types = kCustomTypes;
    if (action == "patch") types = kPatchTypes;
    if (action == "patch" && custom_) types = kCustomPatchTypes;
    Json body = Json::object();
    const std::string_view meta = action == "patch" ? "Patch" : deletes ? "DeleteOptions" : "";
    body.set("content", content_of(types, meta.empty() ? schema_of(kind)
                                                       : schemas_.reference(str_cat(kMeta, meta))));
    if (!deletes) body.set("required", true);
    return body;
  }

  Json action_operation(std::string_view action, std::string_view suffix,
                        const ServedSubresource* sub) {
    const Kind kind = kind_of(sub);
    const std::string_view collection = action == "deletecollection" ? "Collection" : "";
    const std::string id = str_cat(operation_id(id_verb(action), collection, suffix, sub),
                                   action == "watchlist" ? "List" : "", suffix);
    Json content =
        sub && sub->name == "log" ? content_of(kLogTypes, text_schema()) : answer_of(action, kind);
    Json out = operation(tag_, id, codes_of(action, custom_), content);
    if (Json body = body_of(action, kind); body.is_object())
      out.set("requestBody", std::move(body));
    out.set("x-kubernetes-action", action);
    out.set("x-kubernetes-group-version-kind", entry_of(sub));
    return out;
  }

  static Json text_schema() {
    Json schema = Json::object();
    schema.set("type", "string");
    return schema;
  }

  void add_subresource(const std::string& one, const ServedSubresource& s) {
    const std::string path = str_cat(one, "/", s.name);
    if (const api::TypeDesc* options = s.kind.ends_with("Options")
                                           ? api::find_type(str_cat("io.k8s.api.core.v1.", s.kind))
                                           : nullptr) {
      add_connect(path, s, *options, "");
      if (s.name == "proxy") add_connect(path + "/{path}", s, *options, "WithPath");
      return;
    }
    Actions actions;
    for (const auto& [verb, action] : {std::pair("get", "get"), std::pair("create", "post"),
                                       std::pair("update", "put"), std::pair("patch", "patch")})
      if (takes(s.verbs, verb)) actions.push_back(action);
    add_path(path, actions, {}, &s);
  }

  // Subresources that lead on to somewhere else take any method they know.
  void add_connect(const std::string& path, const ServedSubresource& s,
                   const api::TypeDesc& options, std::string_view suffix) {
    Json methods = Json::object();
    std::vector<Parameters> parameters;
    Actions names = {"get", "post"};
    if (s.name == "proxy") names = {"get", "put", "post", "delete", "options", "head", "patch"};
    for (std::string_view method : names) {
      Json op =
          operation(tag_, str_cat(operation_id("connect", capitalised(method), {}, &s), suffix),
                    codes_of("get", custom_), content_of(kAnyType, text_schema()));
      op.set("x-kubernetes-action", "connect");
      op.set("x-kubernetes-group-version-kind", entry_of(&s));
      methods.set(method, std::move(op));
      Parameters& all = parameters.emplace_back(option_parameters(options));
      add_path_parameters(path, all);
    }
    place_parameters(methods, parameters);
    paths_.set(path, std::move(methods));
  }

  const ServedResource& r_;
  const bool custom_;
  Schemas& schemas_;
  Json& paths_;
  const std::string tag_, group_version_;
};

}  // namespace

std::string version_path(std::string_view group, std::string_view version) {
  return group.empty() ? str_cat("/api/", version) : str_cat("/apis/", group, "/", version);
}

void add_resource_paths(const ServedResource& resource, bool custom, Schemas& schemas,
                        Json& paths) {
  ResourcePaths(resource, custom, schemas, paths).add();
}

}  // namespace orrery::server
