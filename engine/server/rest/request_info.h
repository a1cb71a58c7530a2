#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace orrery::server {

/// The query of a URL: decoded pairs in the order in which they came.
class Query {
 public:
  static Query parse(std::string_view text);
  /// The first value of `name`, "" if absent.
  const std::string& get(std::string_view name) const;
  bool has(std::string_view name) const;
  std::vector<std::string> all(std::string_view name) const;
  /// As Go's query-to-options conversion reads booleans: present and neither "false" nor "0".
  bool flag(std::string_view name) const;
  const std::vector<std::pair<std::string, std::string>>& pairs() const { return pairs_; }

 private:
  std::vector<std::pair<std::string, std::string>> pairs_;
};

/// "%2F" -> "/"; nullopt for a broken escape.
std::optional<std::string> percent_decode(std::string_view text, bool plus_is_space);

/// What a request asks for, read from its method and path.
/// Source: Kubernetes v1.32 apiserver/pkg/endpoints/request/requestinfo.go.
struct RequestInfo {
  bool is_resource = false;
  std::string path;  // decoded
  /// get, list, watch, create, update, patch, delete, deletecollection; the method in lower case
  /// for paths that are no resource.
  std::string verb;
  std::string api_prefix;  // "api" or "apis"
  std::string group;
  std::string version;
  std::string ns;
  bool within_namespace = false;  // the path goes through a namespace to something in it
  std::string resource;
  std::string subresource;
  std::string name;
  std::vector<std::string> parts;  // from the resource on

  /// nullopt if the path's escapes are broken.
  static std::optional<RequestInfo> resolve(std::string_view method, std::string_view path, const Query& query);
};

}  // namespace orrery::server
