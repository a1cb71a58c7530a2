#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "engine/server/validation/findings.h"

namespace orrery::server {

/// What is wrong with a text, in Kubernetes' words; empty (and nothing allocated): nothing. More of
/// them are in engine/api/names.h. Source: Kubernetes v1.32 apimachinery/pkg/util/validation.
using Messages = std::vector<std::string>;
Messages check_dns1035_label(std::string_view name);
Messages check_wildcard_subdomain(std::string_view name);
Messages check_port_name(std::string_view name);
Messages check_env_name(std::string_view name);
Messages check_config_map_key(std::string_view key);
Messages check_http_header_name(std::string_view name);
Messages check_percent(std::string_view text);
/// Names that are one step of a URL: not ".", "..", nor with "/" or "%".
Messages check_path_segment(std::string_view name);

/// "must be between 1 and 65535, inclusive".
std::string between(int64_t low, int64_t high);

/// How a kind checks its names; `prefix`: the text is a generateName, to which a suffix comes.
using NameRule = Messages (*)(std::string_view name, bool prefix);
Messages name_is_subdomain(std::string_view name, bool prefix);
Messages name_is_label(std::string_view name, bool prefix);
Messages name_is_dns1035_label(std::string_view name, bool prefix);
Messages name_is_path_segment(std::string_view name, bool prefix);
Messages name_is_anything(std::string_view name, bool prefix);

/// Findings about one text.
void check_label(std::string_view value, const Path& at, Findings& findings);      // DNS-1123 label
void check_subdomain(std::string_view value, const Path& at, Findings& findings);  // DNS-1123 subdomain
void check_qualified(std::string_view value, const Path& at, Findings& findings);
void check_port_number(int64_t port, const Path& at, Findings& findings);
/// 0 to 2147483647.
void check_user_id(int64_t id, const Path& at, Findings& findings);
void check_port_number_or_name(const api::IntOrString& port, const Path& at, Findings& findings);
/// "acme.io/foo".
void check_domain_prefixed_path(std::string_view value, const Path& at, Findings& findings);
/// "example.com/signer-name".
void check_signer_name(std::string_view value, const Path& at, Findings& findings);
/// A domain of two or more labels; a trailing dot is allowed.
void check_fully_qualified_domain(std::string_view value, const Path& at, Findings& findings);
/// No ".." step.
void check_no_backsteps(std::string_view path, const Path& at, Findings& findings);
/// A relative path without ".." steps.
void check_descending_path(std::string_view path, const Path& at, Findings& findings);
/// As above, and it does not begin with "..".
void check_local_path(std::string_view path, const Path& at, Findings& findings);

inline bool contains(std::string_view text, std::string_view part) { return text.find(part) != std::string_view::npos; }
/// The parts between separators; "" has one empty part.
std::vector<std::string_view> split(std::string_view text, char separator);
std::string_view trim_space(std::string_view text);
std::string lower(std::string_view text);

/// Which texts have been seen: a few are compared, many are hashed.
class Seen {
 public:
  /// False if it was there already.
  bool insert(std::string_view text);
  bool has(std::string_view text) const;
  bool empty() const { return count_ == 0; }

 private:
  std::array<std::string_view, 12> few_;
  size_t count_ = 0;
  std::unordered_set<std::string_view> many_;
};

}  // namespace orrery::server
