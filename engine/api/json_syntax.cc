#include "engine/api/json_syntax.h"

#include "engine/api/names.h"
#include "engine/base/str.h"

namespace orrery::api {
namespace {

constexpr size_t kDepthMax = 10'000;

// A byte as Go quotes it: as the code point of that number.
std::string quoted_byte(unsigned char c) {
  if (c == '\'') return "'\\''";
  if (c == '"') return "'\"'";
  constexpr char kHex[] = "0123456789abcdef";
  if (c == '\n') return "'\\n'";
  if (c == '\r') return "'\\r'";
  if (c == '\t') return "'\\t'";
  if (c == '\\') return "'\\\\'";
  if (c < 0x20 || c == 0x7f) return str_cat("'\\x", kHex[c >> 4], kHex[c & 15], "'");
  if (c < 0x7f) return str_cat("'", static_cast<char>(c), "'");
  if (c < 0xa1 || c == 0xad) return str_cat("'\\u00", kHex[c >> 4], kHex[c & 15], "'");
  return str_cat("'", static_cast<char>(0xc0 | (c >> 6)), static_cast<char>(0x80 | (c & 0x3f)), "'");
}

/// Reads one text; the first failure is kept in `error`.
class Scanner {
 public:
  explicit Scanner(std::string_view text) : text_(text) {}

  std::string run() {
    if (value(0)) {
      skip_space();
      if (at_ < text_.size()) fail("after top-level value");
    }
    return error_;
  }

 private:
  bool fail(std::string_view context) {
    error_ = at_ < text_.size() ? str_cat("invalid character ", quoted_byte(static_cast<unsigned char>(text_[at_])), " ", context)
                                : "unexpected end of JSON input";
    return false;
  }
  void skip_space() {
    while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\t' || text_[at_] == '\r' || text_[at_] == '\n')) ++at_;
  }
  bool is(char c) const { return at_ < text_.size() && text_[at_] == c; }
  bool is_digit() const { return at_ < text_.size() && text_[at_] >= '0' && text_[at_] <= '9'; }

  bool value(size_t depth) {
    skip_space();
    if (depth > kDepthMax) {
      error_ = "exceeded max depth";
      return false;
    }
    if (is('{')) return object(depth);
    if (is('[')) return array(depth);
    if (is('"')) return string();
    if (is('-') || is_digit()) return number();
    for (const std::string_view literal : {"true", "false", "null"})
      if (is(literal[0])) return word(literal);
    return fail("looking for beginning of value");
  }
  bool word(std::string_view literal) {
    for (const char c : literal) {
      if (!is(c)) return fail(str_cat("in literal ", literal, " (expecting '", c, "')"));
      ++at_;
    }
    return true;
  }
  bool object(size_t depth) {
    ++at_;
    skip_space();
    if (is('}')) return ++at_, true;
    while (true) {
      skip_space();
      if (!is('"')) return fail("looking for beginning of object key string");
      if (!string()) return false;
      skip_space();
      if (!is(':')) return fail("after object key");
      ++at_;
      if (!value(depth + 1)) return false;
      skip_space();
      if (is('}')) return ++at_, true;
      if (!is(',')) return fail("after object key:value pair");
      ++at_;
    }
  }
  bool array(size_t depth) {
    ++at_;
    skip_space();
    if (is(']')) return ++at_, true;
    while (true) {
      if (!value(depth + 1)) return false;
      skip_space();
      if (is(']')) return ++at_, true;
      if (!is(',')) return fail("after array element");
      ++at_;
    }
  }
  bool string() {
    for (++at_; at_ < text_.size(); ++at_) {
      if (text_[at_] == '"') return ++at_, true;
      if (static_cast<unsigned char>(text_[at_]) < 0x20) return fail("in string literal");
      if (text_[at_] == '\\' && !escape()) return false;
    }
    return fail("");
  }
  bool escape() {
    ++at_;
    if (!is('u')) {
      if (at_ < text_.size() && std::string_view("bfnrt\\/\"").find(text_[at_]) != std::string_view::npos) return true;
      return fail("in string escape code");
    }
    for (int i = 0; i < 4; ++i) {
      ++at_;
      const bool hex = at_ < text_.size() && std::string_view("0123456789abcdefABCDEF").find(text_[at_]) != std::string_view::npos;
      if (!hex) return fail("in \\u hexadecimal character escape");
    }
    return true;
  }
  bool digits(std::string_view context) {
    if (!is_digit()) return fail(context);
    while (is_digit()) ++at_;
    return true;
  }
  bool number() {
    if (is('-')) ++at_;
    if (is('0')) {
      ++at_;
    } else if (!digits("in numeric literal")) {
      return false;
    }
    if (is('.') && (++at_, !digits("after decimal point in numeric literal"))) return false;
    if (!is('e') && !is('E')) return true;
    ++at_;
    if (is('+') || is('-')) ++at_;
    return digits("in exponent of numeric literal");
  }

  std::string_view text_;
  size_t at_ = 0;
  std::string error_;
};

}  // namespace

std::string json_syntax_error(std::string_view text) { return Scanner(text).run(); }

}  // namespace orrery::api
