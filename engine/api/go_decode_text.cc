#include "engine/api/go_decode_text.h"

#include <array>
#include <span>

#include "engine/api/names.h"
#include "engine/base/str.h"

namespace orrery::api {
namespace {

// The reflect.Kind of a decoded JSON value.
std::string_view go_kind(std::string_view found) {
  if (found == "array") return "slice";
  if (found == "object") return "map";
  if (!found.starts_with("number")) return found;
  return found.find('.') == std::string_view::npos ? "int64" : "float64";
}

bool is_digit(std::string_view text, size_t at) { return at < text.size() && text[at] >= '0' && text[at] <= '9'; }

/// One element of a time layout and the literal before it.
struct Chunk {
  std::string_view prefix, element, range;  // `range`: what is out of range
  unsigned low, high;
};
constexpr Chunk kDateAndTime[] = {{"", "2006", "year", 0, 9999}, {"-", "01", "month", 1, 12}, {"-", "02", "day", 1, 31},
                                  {"T", "15", "hour", 0, 23},    {":", "04", "minute", 0, 59}, {":", "05", "second", 0, 59}};

/// Reads a text as time.Parse does, up to the first thing that is wrong.
class TimeParse {
 public:
  TimeParse(std::string_view text, bool micro) : text_(text), rest_(text), micro_(micro) {}

  std::string error() {
    for (const Chunk& chunk : kDateAndTime)
      if (!read(chunk)) return error_;
    if (micro_ ? !micros() : !fraction()) return error_;
    if (!zone()) return error_;
    if (!rest_.empty()) return whole(str_cat(": extra text: ", quoted(rest_)));
    return whole(": day out of range");
  }

 private:
  std::string whole(std::string_view what) const {
    return str_cat("parsing time ", quoted(text_), what);
  }
  bool cannot(std::string_view value, std::string_view element) {
    error_ = str_cat("parsing time ", quoted(text_), " as ", quoted(micro_ ? "2006-01-02T15:04:05.000000Z07:00" : "2006-01-02T15:04:05Z07:00"),
                     ": cannot parse ", quoted(value), " as ", quoted(element));
    return false;
  }
  bool read(const Chunk& chunk) {
    if (!rest_.starts_with(chunk.prefix)) return cannot(rest_, chunk.prefix);
    rest_.remove_prefix(chunk.prefix.size());
    const size_t width = chunk.element.size();
    size_t digits = 0;
    unsigned value = 0;
    for (; digits < width && is_digit(rest_, digits); ++digits) value = value * 10 + static_cast<unsigned>(rest_[digits] - '0');
    // An hour may have one digit only.
    const bool complete = digits == width || (chunk.element == "15" && digits == 1);
    if (!complete) return cannot(rest_, chunk.element);
    rest_.remove_prefix(digits);
    if (value >= chunk.low && value <= chunk.high) return true;
    error_ = whole(str_cat(": ", chunk.range, " out of range"));
    return false;
  }
  bool fraction() {
    if (rest_.size() < 2 || (rest_[0] != '.' && rest_[0] != ',') || !is_digit(rest_, 1)) return true;
    size_t end = 1;
    while (is_digit(rest_, end)) ++end;
    rest_.remove_prefix(end);
    return true;
  }
  bool micros() {
    constexpr std::string_view kElement = ".000000";
    bool complete = rest_.size() >= kElement.size() && (rest_[0] == '.' || rest_[0] == ',');
    for (size_t i = 1; complete && i < kElement.size(); ++i) complete = is_digit(rest_, i);
    if (!complete) return cannot(rest_, kElement);
    rest_.remove_prefix(kElement.size());
    return true;
  }
  bool zone() {
    if (rest_.starts_with('Z')) return rest_.remove_prefix(1), true;
    constexpr size_t kBytes = 6;
    const bool complete = rest_.size() >= kBytes && (rest_[0] == '+' || rest_[0] == '-') && rest_[3] == ':' && is_digit(rest_, 1) &&
                          is_digit(rest_, 2) && is_digit(rest_, 4) && is_digit(rest_, 5);
    if (!complete) return cannot(rest_, "Z07:00");
    rest_.remove_prefix(kBytes);
    return true;
  }

  std::string_view text_, rest_;
  bool micro_;
  std::string error_;
};

// Where encoding/base64 stops. Source: Go 1.23 encoding/base64, decodeQuantum.
size_t corrupt_at(std::string_view text) {
  size_t in_group = 0, at = 0;
  const auto skip_breaks = [&] {
    while (at < text.size() && (text[at] == '\n' || text[at] == '\r')) ++at;
  };
  for (skip_breaks(); at < text.size(); skip_breaks()) {
    const char c = text[at++];
    const bool symbol = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '+' || c == '/';
    if (symbol) {
      in_group = (in_group + 1) % 4;
      continue;
    }
    if (c != '=' || in_group < 2) return at - 1;
    if (in_group == 2) {
      skip_breaks();
      if (at == text.size()) return at;
      if (text[at] != '=') return at - 1;
      ++at;
    }
    skip_breaks();
    return at;
  }
  return at - in_group;
}

}  // namespace

std::string go_json_mismatch(const GoMismatch& mismatch) {
  const std::string place = mismatch.fields.empty() ? std::string("value") : str_cat("struct field ", mismatch.struct_name, ".", mismatch.fields);
  return str_cat("json: cannot unmarshal ", mismatch.found, " into Go ", place, " of type ", mismatch.go_type);
}

std::string go_json_number_error(std::string_view number, std::string_view field) {
  const std::string place = field.empty() ? std::string("value") : str_cat("struct field ", field);
  return str_cat("json: cannot unmarshal number ", number, " into Go ", place, " of type float64");
}

std::string go_converter_mismatch(const GoMismatch& mismatch) {
  const std::string_view kind = go_kind(mismatch.found);
  switch (mismatch.target) {
    case GoTarget::kStruct: return str_cat("cannot restore struct from: ", kind);
    case GoTarget::kSlice: return str_cat("cannot restore slice from ", kind);
    case GoTarget::kMap: return str_cat("cannot restore map from ", kind);
    case GoTarget::kUnmarshaler:
      return str_cat("json: cannot unmarshal ", mismatch.found, " into Go value of type ", mismatch.go_type);
    default: break;
  }
  const bool to_number = mismatch.go_type.starts_with("int") || mismatch.go_type.starts_with("float");
  const bool convertible = to_number ? kind == "int64" || kind == "float64" : kind == "int64" && mismatch.go_type != "bool";
  if (convertible) return str_cat("cannot convert ", kind, " to ", mismatch.go_type);
  return str_cat("unrecognized type: ", mismatch.go_type.find('.') == std::string_view::npos ? mismatch.go_type : "string");
}

std::string go_time_error(std::string_view text, bool micro) { return TimeParse(text, micro).error(); }

std::string go_base64_error(std::string_view text) { return str_cat("illegal base64 data at input byte ", uint64_t{corrupt_at(text)}); }

}  // namespace orrery::api
