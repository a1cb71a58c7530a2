#include "engine/server/admission/expression_types.h"

namespace orrery::server {
namespace {

using api::cel::Type;
using Kind = Type::Kind;

Type text() { return Type::of(Kind::kString); }
Type texts() { return Type::list(text()); }
Type text_map() { return Type::map(text(), text()); }

Type request_type() {
  const Type kind = Type::object("kubernetes.GroupVersionKind", {{"group", text()}, {"version", text()}, {"kind", text()}});
  const Type resource = Type::object("kubernetes.GroupVersionResource", {{"group", text()}, {"version", text()}, {"resource", text()}});
  const Type user = Type::object(
      "kubernetes.UserInfo", {{"username", text()}, {"uid", text()}, {"groups", texts()}, {"extra", Type::map(text(), texts())}});
  return Type::object("kubernetes.AdmissionRequest", {{"kind", kind},
                                                      {"resource", resource},
                                                      {"subResource", text()},
                                                      {"requestKind", kind},
                                                      {"requestResource", resource},
                                                      {"requestSubResource", text()},
                                                      {"name", text()},
                                                      {"namespace", text()},
                                                      {"operation", text()},
                                                      {"userInfo", user},
                                                      {"dryRun", Type::of(Kind::kBool)},
                                                      {"options", Type()}});
}

Type namespace_type() {
  const Type time = Type::of(Kind::kTimestamp), number = Type::of(Kind::kInt);
  const Type condition = Type::object(
      "kubernetes.NamespaceCondition",
      {{"status", text()}, {"type", text()}, {"lastTransitionTime", time}, {"message", text()}, {"reason", text()}});
  const Type metadata = Type::object("kubernetes.NamespaceMetadata", {{"name", text()},
                                                                      {"generateName", text()},
                                                                      {"namespace", text()},
                                                                      {"labels", text_map()},
                                                                      {"annotations", text_map()},
                                                                      {"UID", text()},
                                                                      {"creationTimestamp", time},
                                                                      {"deletionGracePeriodSeconds", number},
                                                                      {"deletionTimestamp", time},
                                                                      {"generation", number},
                                                                      {"resourceVersion", text()},
                                                                      {"finalizers", texts()}});
  const Type status = Type::object("kubernetes.NamespaceStatus", {{"conditions", Type::list(condition)}, {"phase", text()}});
  return Type::object("kubernetes.Namespace", {{"metadata", metadata},
                                               {"spec", Type::object("kubernetes.NamespaceSpec", {{"finalizers", texts()}})},
                                               {"status", status}});
}

}  // namespace

std::vector<api::cel::Declaration> admission_declarations(const ExpressionNames& names) {
  std::vector<api::cel::Declaration> all = {
      {"object", Type()}, {"oldObject", Type()}, {"request", request_type()}, {"namespaceObject", namespace_type()}};
  if (names.params) all.push_back({"params", Type()});
  if (names.authorizer) {
    all.push_back({"authorizer", Type::opaque("kubernetes.authorization.Authorizer")});
    all.push_back({"authorizer.requestResource", Type::opaque("kubernetes.authorization.ResourceCheck")});
  }
  if (names.variables) {
    Type::Fields fields(names.variables->begin(), names.variables->end());
    all.push_back({"variables", Type::object("kubernetes.variables", std::move(fields))});
  }
  return all;
}

Result<Type> compile_admission_expression(std::string_view source, const ExpressionNames& names) {
  const auto parsed = api::cel::parse(source);
  Result<Type> type = parsed.is_ok() ? api::cel::check(**parsed, source, admission_declarations(names)) : Result<Type>(parsed.status());
  return type.is_ok() ? type : Result<Type>(bad_request(str_cat("compilation failed: ", type.status().message())));
}

}  // namespace orrery::server
