#include "engine/server/validation/field_path.h"

#include <algorithm>

#include "engine/base/str.h"

namespace orrery::server {
namespace {

using api::Json;

// The tokens of a path: '.', '[' and ']', quoted texts, and what stands between.
std::string_view next_token(std::string_view& rest) {
  size_t end = 1;
  if (rest[0] == '\'') {
    while (end < rest.size() && (rest[end] != '\'' || rest[end - 1] == '\\')) ++end;
    end = end < rest.size() ? end + 1 : end;
  } else if (rest.find_first_of(".[]") != 0) {
    end = std::min(rest.find_first_of(".[]"), rest.size());
  }
  const std::string_view token = rest.substr(0, end);
  rest.remove_prefix(end);
  return token;
}

std::string unescaped(std::string_view quoted) {
  std::string out;
  for (size_t i = 0; i < quoted.size(); ++i) {
    if (quoted[i] == '\\' && i + 1 < quoted.size()) ++i;
    out += quoted[i];
  }
  return out;
}

// False: there is nothing of that name.
bool step(std::string_view name, SchemaPlace& place) {
  const Json& schema = *place.schema;
  const bool named = schema["properties"].size() > 0;
  place.schema = named ? schema["properties"].find(name) : schema.find("additionalProperties");
  if (place.path.empty()) place.first = std::string(name);
  place.path += named ? str_cat(".", name) : str_cat("[", name, "]");
  return place.schema && place.schema->is_object();
}

}  // namespace

SchemaPlace find_schema_place(std::string_view path, const Json& schema, bool brackets) {
  SchemaPlace place;
  place.schema = &schema;
  const auto fail = [&](std::string why) {
    place.error = std::move(why);
    return place;
  };
  constexpr std::string_view kEnd = "unexpected end of JSON path", kNothing = "does not refer to a valid field";
  while (!path.empty()) {
    const std::string_view begin = next_token(path);
    if (begin != "." && begin != "[") return fail(str_cat("expected [ or . but got: ", begin));
    if (begin == "[" && !brackets) return fail("array notation is not allowed");
    if (path.empty()) return fail(std::string(kEnd));
    const std::string_view token = next_token(path);
    if (begin == ".") {
      if (!step(token, place)) return fail(std::string(kNothing));
      continue;
    }
    if (token.size() < 2 || token.front() != '\'' || token.back() != '\'')
      return fail(str_cat("expected single quoted string but got ", token));
    if (!step(unescaped(token.substr(1, token.size() - 2)), place)) return fail(std::string(kNothing));
    if (path.empty()) return fail(std::string(kEnd));
    if (const std::string_view end = next_token(path); end != "]") return fail(str_cat("expected ] but got ", end));
  }
  return place;
}

}  // namespace orrery::server
