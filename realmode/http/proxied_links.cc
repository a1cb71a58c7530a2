#include "realmode/http/proxied_links.h"

#include <algorithm>
#include <filesystem>

#include "engine/base/str.h"

namespace orrery::realmode {
namespace {

bool is_scheme(std::string_view text) {
  const auto letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); };
  return !text.empty() && letter(text[0]) && std::all_of(text.begin(), text.end(), [&](char c) {
    return letter(c) || (c >= '0' && c <= '9') || c == '+' || c == '-' || c == '.';
  });
}

bool is_hex(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

// What Go's url.Parse refuses.
bool is_broken(std::string_view url) {
  for (size_t i = 0; i < url.size(); ++i) {
    const auto c = static_cast<unsigned char>(url[i]);
    if (c < 0x20 || c == 0x7f) return true;
    if (c == '%' && (i + 2 >= url.size() || !is_hex(url[i + 1]) || !is_hex(url[i + 2]))) return true;
  }
  return false;
}

}  // namespace

std::string ProxiedLinks::through(std::string_view url) const {
  std::string_view scheme, authority, rest = url;
  const size_t colon = url.find_first_of(":/?#");
  if (colon != url.npos && url[colon] == ':' && is_scheme(url.substr(0, colon))) {
    scheme = url.substr(0, colon);
    rest.remove_prefix(colon + 1);
  }
  if (rest.starts_with("//")) {
    authority = rest.substr(2, rest.find_first_of("/?#", 2) - 2);
    rest.remove_prefix(2 + authority.size());
  }
  const std::string_view target = authority.substr(authority.rfind('@') + 1);
  const bool elsewhere = !target.empty() && target != server && target != host;
  if (elsewhere || !rest.starts_with('/') || is_broken(url)) return std::string(url);
  const std::string origin = target == host && !host.empty()
                                 ? str_cat(scheme, scheme.empty() ? "" : ":", "//", authority)
                                 : std::string();
  const size_t path_end = std::min(rest.find_first_of("?#"), rest.size());
  const std::string_view path = rest.substr(0, path_end);
  if (path.starts_with(prefix)) return str_cat(origin, rest);
  const auto joined = std::filesystem::path(str_cat(prefix, path)).lexically_normal().string();
  return str_cat(origin, joined, rest.substr(path_end));
}

void rewrite_head(const ProxiedLinks& links, HttpHeaders* headers) {
  std::erase_if(*headers, [](const auto& field) {
    const std::string& name = field.first;
    return name == "access-control-allow-credentials" || name == "access-control-allow-headers" ||
           name == "access-control-allow-methods" || name == "access-control-allow-origin";
  });
  for (auto& [name, value] : *headers)
    if (name == "location") value = links.through(value);
}

}  // namespace orrery::realmode
