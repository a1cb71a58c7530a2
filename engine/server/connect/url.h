#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace orrery::server {

/// A part of a query, as Go's url.QueryEscape.
std::string escape_query(std::string_view text);
/// "a=1&b=2", sorted by name (stable), as Go's url.Values.Encode.
std::string encode_query(std::vector<std::pair<std::string, std::string>> values);
/// A path, as Go's URL.EscapedPath: slashes stay.
std::string escape_path(std::string_view path);
/// A rooted path without "." and "..", without a slash at its end: Go's path.Join("/", path).
std::string clean_path(std::string_view path);

}  // namespace orrery::server
