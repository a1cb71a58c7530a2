#include "engine/api/wide_integers.h"

#include <algorithm>
#include <charconv>
#include <cstdint>

namespace orrery::api {
namespace {

size_t end_of_string(std::string_view json, size_t begin) {
  size_t at = begin + 1;
  while (at < json.size() && json[at] != '"') at += json[at] == '\\' ? 2 : 1;
  return std::min(at + 1, json.size());
}

template <typename T>
bool holds(std::string_view digits) {
  T value = 0;
  return std::from_chars(digits.data(), digits.data() + digits.size(), value).ec == std::errc();
}

}  // namespace

void each_json_piece(std::string_view json, const std::function<void(std::string_view piece, bool is_number)>& take) {
  for (size_t at = 0; at < json.size();) {
    const bool number = json[at] == '-' || (json[at] >= '0' && json[at] <= '9');
    size_t end = at + 1;
    if (json[at] == '"') end = end_of_string(json, at);
    if (number) end = std::min(json.find_first_not_of("0123456789+-.eE", at), json.size());
    take(json.substr(at, end - at), number);
    at = end;
  }
}

bool fits_64_bits(std::string_view number) {
  return number.find_first_of(".eE") == std::string_view::npos && (holds<int64_t>(number) || holds<uint64_t>(number));
}

std::string with_wide_integers(std::string_view json) {
  std::string out;
  each_json_piece(json, [&](std::string_view piece, bool is_number) {
    out += piece;
    if (is_number && piece.find_first_of(".eE") == std::string_view::npos && !fits_64_bits(piece)) out += "e0";
  });
  return out;
}

void widen_integers(Json& value) {
  if (value.type() == Json::Type::kUint) value = Json(value.as_double());
  for (Json& item : value.items()) widen_integers(item);
  for (Json::Member& member : value.members()) widen_integers(member.value);
}

}  // namespace orrery::api
