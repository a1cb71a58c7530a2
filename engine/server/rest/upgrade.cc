#include "engine/server/rest/upgrade.h"

#include "engine/base/ascii.h"

#include <algorithm>

namespace orrery::server {
namespace {

}  // namespace

std::vector<std::string_view> header_list(const HttpHeaders& headers, std::string_view name) {
  std::vector<std::string_view> out;
  for (const auto& [field, value] : headers) {
    if (field != name) continue;
    for (std::string_view rest = value; !rest.empty();) {
      const size_t comma = std::min(rest.find(','), rest.size());
      if (const std::string_view member = trimmed(rest.substr(0, comma)); !member.empty())
        out.push_back(member);
      rest.remove_prefix(std::min(comma + 1, rest.size()));
    }
  }
  return out;
}

bool is_upgrade(const HttpRequest& request) {
  for (const std::string_view member : header_list(request.headers, "connection"))
    if (equals_ignoring_case(member, "upgrade")) return true;
  return false;
}

bool is_websocket(const HttpRequest& request) {
  return is_upgrade(request) &&
         equals_ignoring_case(find_header(request.headers, "upgrade"), "websocket");
}

bool offers_protocol(const HttpRequest& request, std::string_view protocol) {
  const auto offered = header_list(request.headers, "sec-websocket-protocol");
  return std::find(offered.begin(), offered.end(), protocol) != offered.end();
}

}  // namespace orrery::server
