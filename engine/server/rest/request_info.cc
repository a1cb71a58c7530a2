#include "engine/server/rest/request_info.h"

#include "engine/api/field_selector.h"
#include "engine/base/str.h"

namespace orrery::server {
namespace {

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

std::vector<std::string> split_path(std::string_view path) {
  std::vector<std::string> parts;
  while (!path.empty() && path.front() == '/') path.remove_prefix(1);
  while (!path.empty() && path.back() == '/') path.remove_suffix(1);
  if (path.empty()) return parts;
  for (size_t at = 0; at <= path.size();) {
    const size_t end = std::min(path.find('/', at), path.size());
    parts.emplace_back(path.substr(at, end - at));
    at = end + 1;
  }
  return parts;
}

std::string method_verb(std::string_view method) {
  if (method == "POST") return "create";
  if (method == "GET" || method == "HEAD") return "get";
  if (method == "PUT") return "update";
  if (method == "PATCH") return "patch";
  if (method == "DELETE") return "delete";
  return "";
}

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return out;
}

// A list or watch of one name is authorized as that name.
void settle_collection_verb(const Query& query, RequestInfo& info) {
  if (!info.name.empty() && info.verb != "list" && info.verb != "watch") return;
  if (info.verb == "get") info.verb = query.flag("watch") ? "watch" : "list";
  if (info.verb == "delete") info.verb = "deletecollection";
  if (info.verb != "list" && info.verb != "watch") return;
  const auto selector = api::FieldSelector::parse(query.get("fieldSelector"));
  if (!selector.is_ok()) return;
  if (const auto name = selector->exact_match("metadata.name")) info.name = name->str();
}

}  // namespace

std::optional<std::string> percent_decode(std::string_view text, bool plus_is_space) {
  std::string out;
  out.reserve(text.size());
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '+' && plus_is_space) {
      out += ' ';
    } else if (text[i] != '%') {
      out += text[i];
    } else {
      if (i + 2 >= text.size() || hex_digit(text[i + 1]) < 0 || hex_digit(text[i + 2]) < 0) return std::nullopt;
      out += static_cast<char>(hex_digit(text[i + 1]) * 16 + hex_digit(text[i + 2]));
      i += 2;
    }
  }
  return out;
}

Query Query::parse(std::string_view text) {
  Query query;
  for (size_t at = 0; at < text.size();) {
    const size_t end = std::min(text.find('&', at), text.size());
    const std::string_view pair = text.substr(at, end - at);
    at = end + 1;
    if (pair.empty() || pair.find(';') != pair.npos) continue;  // as Go, which no longer takes it for a separator
    const size_t equals = std::min(pair.find('='), pair.size());
    auto key = percent_decode(pair.substr(0, equals), true);
    auto value = percent_decode(equals < pair.size() ? pair.substr(equals + 1) : "", true);
    if (key && value) query.pairs_.emplace_back(std::move(*key), std::move(*value));
  }
  return query;
}

const std::string& Query::get(std::string_view name) const {
  static const std::string kNone;
  for (const auto& [key, value] : pairs_)
    if (key == name) return value;
  return kNone;
}

bool Query::has(std::string_view name) const {
  for (const auto& [key, value] : pairs_)
    if (key == name) return true;
  return false;
}

std::vector<std::string> Query::all(std::string_view name) const {
  std::vector<std::string> values;
  for (const auto& [key, value] : pairs_)
    if (key == name) values.push_back(value);
  return values;
}

bool Query::flag(std::string_view name) const {
  if (!has(name)) return false;
  const std::string& value = get(name);
  return value != "false" && value != "0";
}

std::optional<RequestInfo> RequestInfo::resolve(std::string_view method, std::string_view path, const Query& query) {
  RequestInfo info;
  auto decoded = percent_decode(path, false);
  if (!decoded) return std::nullopt;
  info.path = std::move(*decoded);
  info.verb = lower(method);
  std::vector<std::string> parts = split_path(info.path);
  if (parts.size() < 3 || (parts[0] != "api" && parts[0] != "apis")) return info;
  info.api_prefix = parts[0];
  parts.erase(parts.begin());
  if (info.api_prefix == "apis") {
    if (parts.size() < 3) return info;
    info.group = parts[0];
    parts.erase(parts.begin());
  }
  info.is_resource = true;
  info.version = parts[0];
  parts.erase(parts.begin());
  const bool special = parts[0] == "watch" || parts[0] == "proxy";
  info.verb = special ? parts[0] : method_verb(method);
  if (special) parts.erase(parts.begin());
  if (!parts.empty() && parts[0] == "namespaces") {
    if (parts.size() > 1) {
      info.ns = parts[1];
      info.within_namespace = parts.size() > 2 && parts[2] != "status" && parts[2] != "finalize";
      if (info.within_namespace) parts.erase(parts.begin(), parts.begin() + 2);
    }
  }
  if (parts.size() > 2 && info.verb != "proxy") info.subresource = parts[2];
  if (parts.size() > 1) info.name = parts[1];
  if (!parts.empty()) info.resource = parts[0];
  info.parts = std::move(parts);
  settle_collection_verb(query, info);
  return info;
}

}  // namespace orrery::server
