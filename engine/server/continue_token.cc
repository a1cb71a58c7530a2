#include "engine/server/continue_token.h"

#include <algorithm>

#include "engine/api/go_decode_text.h"
#include "engine/api/number_texts.h"
#include "engine/base/ascii.h"
#include "engine/runtime/json_web_token.h"
#include "engine/server/decoding.h"

namespace orrery::server {
namespace {

using api::Json;

Status invalid(std::string_view why) { return bad_request(str_cat("invalid continue token: continue key is not valid: ", why)); }

// Of a text that is no base64 for URLs, without padding: the first byte that is wrong.
size_t corrupt_at(std::string_view text) {
  const auto belongs = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
  };
  const auto wrong = std::find_if_not(text.begin(), text.end(), belongs);
  return wrong == text.end() ? text.size() - 1 : static_cast<size_t>(wrong - text.begin());
}

// Go's encoding/json takes names in any case, the last of several, and null for none.
const Json& member(const Json& token, std::string_view name) {
  static const Json kNone;
  const Json* found = &kNone;
  for (const Json::Member& one : token.members())
    if (equals_ignoring_case(one.key.view(), name) && !one.value.is_null()) found = &one.value;
  return *found;
}

Status mismatch(const Json& value, const api::NumberTexts& numbers, std::string_view field, std::string_view go_type) {
  api::GoMismatch wrong;
  wrong.found = go_json_type(value);
  if (value.is_number() && go_type == "int64") wrong.found = "number " + numbers.dump(value);
  wrong.struct_name = "continueToken";
  wrong.fields = field;
  wrong.go_type = go_type;
  return invalid(api::go_json_mismatch(wrong));
}

// No part of it is empty or leads elsewhere.
bool is_clean(std::string_view path) {
  if (path.starts_with('/')) path.remove_prefix(1);
  while (!path.empty()) {
    const size_t slash = std::min(path.find('/'), path.size());
    const std::string_view part = path.substr(0, slash);
    if (part.empty() || part == "." || part == ".." || slash + 1 == path.size()) return false;
    path.remove_prefix(std::min(slash + 1, path.size()));
  }
  return true;
}

}  // namespace

ContinueToken ContinueToken::following(std::string_view key, std::string_view prefix, int64_t revision) {
  return {revision, std::string(key.substr(prefix.size())) + '\0'};
}

std::string ContinueToken::encode() const {
  Json json = Json::object();
  json.set("v", "meta.k8s.io/v1");
  json.set("rv", revision);
  json.set("start", start);
  return base64url_encode(json.dump());
}

std::string ContinueToken::key(std::string_view prefix) const {
  return str_cat(prefix, std::string_view(start).substr(start.starts_with('/') ? 1 : 0));
}

Result<ContinueToken> ContinueToken::decode(std::string_view text) {
  const auto bytes = base64url_decode(text);
  if (!bytes) return invalid(str_cat("illegal base64 data at input byte ", uint64_t{corrupt_at(text)}));
  api::NumberTexts numbers;
  std::vector<std::string> duplicates;
  const auto json = parse_json(*bytes, numbers, &duplicates);
  if (!json.is_ok()) return invalid(json.status().message());
  if (!json->is_object() && !json->is_null())
    return invalid(str_cat("json: cannot unmarshal ", go_json_type(*json), " into Go value of type storage.continueToken"));
  const Json &version = member(*json, "v"), &revision = member(*json, "rv"), &start = member(*json, "start");
  if (!version.is_null() && !version.is_string()) return mismatch(version, numbers, "v", "string");
  if (!revision.is_null() && !revision.is_int()) return mismatch(revision, numbers, "rv", "int64");
  if (!start.is_null() && !start.is_string()) return mismatch(start, numbers, "start", "string");
  if (version.text() != "meta.k8s.io/v1") return invalid(str_cat("server does not recognize this encoded version ", version.text()));
  ContinueToken token{revision.is_null() ? 0 : revision.as_int(), std::string(start.text())};
  if (token.revision == 0) return invalid("incorrect encoded start resourceVersion (version meta.k8s.io/v1)");
  if (token.start.empty()) return invalid("encoded start key empty (version meta.k8s.io/v1)");
  if (!is_clean(token.start)) return invalid(token.start);
  return token;
}

}  // namespace orrery::server
