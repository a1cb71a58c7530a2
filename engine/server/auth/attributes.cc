#include "engine/server/auth/attributes.h"

#include "engine/api/names.h"

namespace orrery::server {
namespace {

std::string qualified(std::string_view group, std::string_view name) {
  return group.empty() ? std::string(name) : str_cat(name, ".", group);
}

std::string forbidden_text(const Attributes& a) {
  const std::string user = api::quoted(a.user.name);
  if (!a.is_resource)
    return str_cat("User ", user, " cannot ", a.verb, " path ", api::quoted(a.path));
  const std::string resource =
      a.subresource.empty() ? a.resource.str() : str_cat(a.resource, "/", a.subresource);
  const std::string scope =
      a.ns.empty() ? "at the cluster scope" : str_cat("in the namespace ", api::quoted(a.ns));
  return str_cat("User ", user, " cannot ", a.verb, " resource ", api::quoted(resource),
                 " in API group ", api::quoted(a.group), " ", scope);
}

}  // namespace

Refusal forbidden(const Attributes& attributes, std::string_view reason) {
  std::string why = forbidden_text(attributes);
  if (!reason.empty()) why = str_cat(why, ": ", reason);
  return forbidden(attributes.group, attributes.resource, attributes.name, why);
}

Refusal forbidden(std::string_view group, std::string_view resource, std::string_view name,
                  std::string_view why) {
  std::string text;
  if (group.empty() && resource.empty()) {
    text = str_cat("forbidden: ", why);
  } else if (name.empty()) {
    text = str_cat(qualified(group, resource), " is forbidden: ", why);
  } else {
    text = str_cat(qualified(group, resource), " ", api::quoted(name), " is forbidden: ", why);
  }
  return {Status(Code::kForbidden, std::move(text)), Str(group), Str(resource), Str(name), {}};
}

Refusal not_found(std::string_view group, std::string_view resource, std::string_view name) {
  return {
      orrery::not_found(str_cat(qualified(group, resource), " ", api::quoted(name), " not found")),
      Str(group),
      Str(resource),
      Str(name),
      {}};
}

Refusal invalid_refusal(std::string_view group, std::string_view kind, std::string_view name,
                        const FieldErrors& errors) {
  if (errors.empty()) return {};
  std::vector<std::string> texts;
  Refusal refusal{{}, Str(group), Str(kind), Str(name), {}};
  for (const FieldError& error : errors) {
    texts.push_back(str_cat(error.field, ": ", error.detail));
    refusal.causes.push_back({error.reason, Str(error.detail), Str(error.field)});
  }
  refusal.status = invalid(str_cat(qualified(group, kind), " ", api::quoted(name),
                                   " is invalid: ", api::aggregate(texts)));
  return refusal;
}

bool path_matches(std::string_view pattern, std::string_view path) {
  if (!pattern.ends_with('*')) return pattern == path;
  return path.starts_with(pattern.substr(0, pattern.size() - 1));
}

Refusal plain_refusal(Status status) { return {std::move(status), {}, {}, {}, {}}; }

}  // namespace orrery::server
