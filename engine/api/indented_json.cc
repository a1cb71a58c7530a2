#include "engine/api/indented_json.h"

#include <algorithm>

namespace orrery::api {
namespace {

constexpr std::string_view kBlanks = " \t\r\n";

// The end of the string literal that begins at `at`.
size_t end_of_string(std::string_view json, size_t at) {
  for (++at; at < json.size() && json[at] != '"'; ++at)
    if (json[at] == '\\') ++at;
  return at + 1;
}

}  // namespace

std::string indented_json(std::string_view json) {
  std::string out;
  size_t depth = 0;
  const auto begin_line = [&] { out.append(1, '\n').append(2 * depth, ' '); };
  for (size_t at = 0; at < json.size();) {
    const char c = json[at];
    if (c == '"') {
      const size_t end = end_of_string(json, at);
      out += json.substr(at, end - at);
      at = end;
      continue;
    }
    ++at;
    if (c == '{' || c == '[') {
      out += c;
      at = std::min(json.find_first_not_of(kBlanks, at), json.size());
      const bool is_empty = at < json.size() && (json[at] == '}' || json[at] == ']');
      ++depth;
      if (!is_empty) begin_line();
    } else if (c == '}' || c == ']') {
      --depth;
      if (out.back() != '{' && out.back() != '[') begin_line();
      out += c;
    } else if (c == ',') {
      out += c;
      begin_line();
    } else if (c == ':') {
      out += ": ";
    } else if (kBlanks.find(c) == std::string_view::npos) {
      out += c;
    }
  }
  return out;
}

}  // namespace orrery::api
