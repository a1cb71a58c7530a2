#include "engine/api/number_texts.h"

#include <charconv>
#include <utility>

#include "engine/api/json_syntax.h"
#include "engine/api/wide_integers.h"
#include "engine/base/str.h"

namespace orrery::api {

// What is too small is zero to Go, too.
bool fits_float(std::string_view text) {
  double number = 0;
  const bool held = std::from_chars(text.data(), text.data() + text.size(), number).ec == std::errc();
  return held || text.find("e-") != std::string_view::npos || text.find("E-") != std::string_view::npos;
}

void NumberTexts::restore(Json& value) const {
  if (value.type() == Json::Type::kDouble) {
    const auto index = static_cast<uint32_t>(value.as_double());
    const std::string& text = texts_[index];
    double number = 0;
    std::from_chars(text.data(), text.data() + text.size(), number);
    value = Json(number);
    value.set_line(index + 1);
  }
  for (Json& item : value.items()) restore(item);
  for (Json::Member& member : value.members()) restore(member.value);
}

Result<Json> NumberTexts::parse(std::string_view json, std::vector<std::string>* duplicates) {
  if (std::string wrong = json_syntax_error(json); !wrong.empty()) return bad_request(std::move(wrong));
  each_json_piece(json, [&](std::string_view piece, bool is_number) {
    if (!is_number || fits_64_bits(piece)) {
      numbered_ += piece;
      return;
    }
    // From the half that is left after the index readers see that it is none of the integers.
    numbered_ += str_cat(uint64_t{texts_.size()}, ".5");
    texts_.emplace_back(piece);
  });
  ORRERY_ASSIGN(Json value, Json::parse(numbered_, duplicates));
  restore(value);
  return value;
}

std::string_view NumberTexts::beyond_floats(const Json& value) const {
  if (texts_.empty()) return {};
  if (const std::string_view text = of(value); !text.empty() && !fits_float(text)) return text;
  for (const Json& item : value.items())
    if (const std::string_view text = beyond_floats(item); !text.empty()) return text;
  for (const Json::Member& member : value.members())
    if (const std::string_view text = beyond_floats(member.value); !text.empty()) return text;
  return {};
}

std::string NumberTexts::restored(std::string_view numbered_json) const {
  std::string out;
  each_json_piece(numbered_json, [&](std::string_view piece, bool is_number) {
    double index = 0;
    if (is_number) std::from_chars(piece.data(), piece.data() + piece.size(), index);
    out += is_number && !fits_64_bits(piece) ? of_index(index) : piece;
  });
  return out;
}

std::string_view NumberTexts::of(const Json& value) const {
  const bool known = value.type() == Json::Type::kDouble && value.line() > 0 && value.line() <= texts_.size();
  return known ? std::string_view(texts_[value.line() - 1]) : std::string_view();
}

std::string NumberTexts::dump(const Json& value) const {
  if (texts_.empty()) return value.dump();
  std::string out;
  dump_to(value, out);
  return out;
}

void NumberTexts::dump_to(const Json& value, std::string& out) const {
  const char* separator = "";
  if (value.is_object()) {
    out += '{';
    for (const Json::Member& member : value.members()) {
      out += std::exchange(separator, ",");
      append_json_string(out, member.key);
      out += ':';
      dump_to(member.value, out);
    }
    out += '}';
  } else if (value.is_array()) {
    out += '[';
    for (const Json& item : value.items()) {
      out += std::exchange(separator, ",");
      dump_to(item, out);
    }
    out += ']';
  } else if (const std::string_view text = of(value); !text.empty()) {
    out += text;
  } else {
    value.dump_to(out);
  }
}

}  // namespace orrery::api
