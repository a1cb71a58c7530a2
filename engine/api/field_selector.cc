#include "engine/api/field_selector.h"

#include <algorithm>

namespace orrery::api {
namespace {

// The parts between unescaped commas, sorted as text.
std::vector<std::string_view> split_terms(std::string_view text) {
  std::vector<std::string_view> out;
  size_t begin = 0;
  bool escaped = false;
  for (size_t i = 0; i < text.size(); ++i) {
    if (escaped) {
      escaped = false;
    } else if (text[i] == '\\') {
      escaped = true;
    } else if (text[i] == ',') {
      out.push_back(text.substr(begin, i - begin));
      begin = i + 1;
    }
  }
  out.push_back(text.substr(begin));
  std::sort(out.begin(), out.end());
  return out;
}

struct Operator {
  std::string_view text;
  bool equal;
};
// In this order at each place, as the reference looks for them.
constexpr Operator kOperators[] = {{"!=", false}, {"==", true}, {"=", true}};

}  // namespace

std::string FieldSelector::escape(std::string_view value) {
  std::string out;
  for (char c : value) {
    if (c == '\\' || c == ',' || c == '=') out += '\\';
    out += c;
  }
  return out;
}

Result<std::string> FieldSelector::unescape(std::string_view value) {
  std::string out;
  for (size_t i = 0; i < value.size(); ++i) {
    const char c = value[i];
    if (c == ',' || c == '=')
      return bad_request(str_cat("invalid field selector: unescaped character in value: ", static_cast<int>(c)));
    if (c != '\\') {
      out += c;
      continue;
    }
    if (++i == value.size()) return bad_request("invalid field selector: invalid escape sequence: \\");
    if (value[i] != '\\' && value[i] != ',' && value[i] != '=') {
      size_t length = 1;
      while (i + length < value.size() && (static_cast<unsigned char>(value[i + length]) & 0xC0) == 0x80) ++length;
      return bad_request(str_cat("invalid field selector: invalid escape sequence: \\", value.substr(i, length)));
    }
    out += value[i];
  }
  return out;
}

Result<FieldSelector> FieldSelector::parse(std::string_view text) {
  FieldSelector selector;
  for (const std::string_view part : split_terms(text)) {
    if (part.empty()) continue;
    size_t at = std::string_view::npos;
    const Operator* op = nullptr;
    for (size_t i = 0; i < part.size() && !op; ++i)
      for (const Operator& candidate : kOperators)
        if (!op && part.substr(i).starts_with(candidate.text)) {
          op = &candidate;
          at = i;
        }
    if (!op) return bad_request(str_cat("invalid selector: '", text, "'; can't understand '", part, "'"));
    ORRERY_ASSIGN(std::string value, unescape(part.substr(at + op->text.size())));
    selector.terms_.push_back({Str(part.substr(0, at)), Str(value), op->equal});
  }
  return selector;
}

bool FieldSelector::matches(const std::function<Str(const Str&)>& lookup) const {
  return std::all_of(terms_.begin(), terms_.end(),
                     [&](const Term& t) { return (lookup(t.field) == t.value) == t.equal; });
}

std::string FieldSelector::to_string() const {
  std::string out;
  for (const Term& t : terms_) out += str_cat(out.empty() ? "" : ",", t.field, t.equal ? "=" : "!=", escape(t.value));
  return out;
}

std::optional<Str> FieldSelector::exact_match(std::string_view field) const {
  for (const Term& t : terms_)
    if (t.equal && t.field == field) return t.value;
  return std::nullopt;
}

}  // namespace orrery::api
