#include "engine/api/cel/lexer.h"

#include <algorithm>

#include "engine/base/str.h"

namespace orrery::api::cel {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
bool is_hex(char c) { return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); }

void append_utf8(std::string& out, uint32_t code) {
  if (code < 0x80) {
    out += static_cast<char>(code);
  } else if (code < 0x800) {
    out += {static_cast<char>(0xc0 | code >> 6), static_cast<char>(0x80 | (code & 63))};
  } else if (code < 0x10000) {
    out += {static_cast<char>(0xe0 | code >> 12), static_cast<char>(0x80 | (code >> 6 & 63)), static_cast<char>(0x80 | (code & 63))};
  } else {
    out += {static_cast<char>(0xf0 | code >> 18), static_cast<char>(0x80 | (code >> 12 & 63)),
            static_cast<char>(0x80 | (code >> 6 & 63)), static_cast<char>(0x80 | (code & 63))};
  }
}

class Lexer {
 public:
  explicit Lexer(std::string_view source) : source_(source) {}

  std::vector<Token> run(std::vector<SourceError>& errors) {
    std::vector<Token> tokens;
    for (skip_blanks(); at_ < source_.size(); skip_blanks()) {
      Token token;
      token.offset = at_;
      if (read(token)) {
        token.size = at_ - token.offset;
        tokens.push_back(std::move(token));
        continue;
      }
      skip_broken(token.offset);
      errors.push_back({token.offset, str_cat("Syntax error: token recognition error at: '",
                                              source_.substr(token.offset, at_ - token.offset), "'")});
    }
    tokens.push_back({Token::Kind::kEnd, "<EOF>", source_.size(), 0});
    return tokens;
  }

 private:
  char peek(size_t ahead = 0) const { return at_ + ahead < source_.size() ? source_[at_ + ahead] : '\0'; }

  // Up to and with the character at which it was seen that this is no token.
  void skip_broken(size_t begin) {
    constexpr std::string_view kBeginOfTwo = "=&|";
    if (at_ == begin && kBeginOfTwo.find(source_[begin]) != kBeginOfTwo.npos) ++at_;
    at_ = std::min(at_ + 1, source_.size());
    while (at_ < source_.size() && (static_cast<unsigned char>(source_[at_]) & 0xc0) == 0x80) ++at_;
  }

  void skip_blanks() {
    while (at_ < source_.size()) {
      if (source_.substr(at_).starts_with("//")) {
        at_ = std::min(source_.find('\n', at_), source_.size());
      } else if (peek() == ' ' || peek() == '\t' || peek() == '\n' || peek() == '\r' || peek() == '\f') {
        ++at_;
      } else {
        return;
      }
    }
  }

  bool read(Token& token) {
    const char c = peek();
    if (const size_t prefix = string_prefix(); prefix != std::string_view::npos) {
      const bool raw = source_.substr(at_, prefix).find_first_of("rR") != std::string_view::npos;
      token.kind = source_.substr(at_, prefix).find_first_of("bB") == std::string_view::npos ? Token::Kind::kString : Token::Kind::kBytes;
      at_ += prefix;
      return read_string(token, raw);
    }
    if (is_letter(c)) {
      token.kind = Token::Kind::kName;
      while (is_letter(peek()) || is_digit(peek())) token.text += source_[at_++];
      return true;
    }
    if (is_digit(c) || (c == '.' && is_digit(peek(1)))) return read_number(token);
    return read_operator(token);
  }

  // Letters before a quote ("b", "r", "br"); npos: there is no string here.
  size_t string_prefix() const {
    const auto is_one_of = [&](size_t at, std::string_view set) { return peek(at) != '\0' && set.find(peek(at)) != set.npos; };
    size_t prefix = is_one_of(0, "bB");
    prefix += is_one_of(prefix, "rR");
    return is_one_of(prefix, "\"'") ? prefix : std::string_view::npos;
  }

  bool read_number(Token& token) {
    token.kind = Token::Kind::kInt;
    if (peek() == '0' && (peek(1) == 'x' || peek(1) == 'X') && is_hex(peek(2))) {
      token.text = "0x";
      for (at_ += 2; is_hex(peek());) token.text += source_[at_++];
    } else {
      while (is_digit(peek())) token.text += source_[at_++];
      if (peek() == '.' && is_digit(peek(1))) {
        token.kind = Token::Kind::kDouble;
        token.text += source_[at_++];
        while (is_digit(peek())) token.text += source_[at_++];
      }
      const bool signed_exponent = peek(1) == '+' || peek(1) == '-';
      if ((peek() == 'e' || peek() == 'E') && is_digit(peek(1 + signed_exponent))) {
        token.kind = Token::Kind::kDouble;
        token.text += source_[at_++];
        if (peek() == '+' || peek() == '-') token.text += source_[at_++];
        while (is_digit(peek())) token.text += source_[at_++];
      }
    }
    if (token.kind == Token::Kind::kInt && (peek() == 'u' || peek() == 'U')) {
      token.kind = Token::Kind::kUint;
      ++at_;
    }
    return true;
  }

  bool read_operator(Token& token) {
    static constexpr std::string_view kOperators[] = {"==", "!=", "<=", ">=", "&&", "||", "<", ">", "+", "-", "*", "/",
                                                      "%",  "!",  "?",  ":",  ".",  ",",  "(",  ")",  "[", "]", "{", "}"};
    for (const std::string_view op : kOperators) {
      if (!source_.substr(at_).starts_with(op)) continue;
      token.kind = Token::Kind::kOperator;
      token.text = op;
      at_ += op.size();
      return true;
    }
    return false;
  }

  bool read_string(Token& token, bool raw) {
    const char quote = peek();
    const std::string triple(3, quote);
    const std::string end = source_.substr(at_).starts_with(triple) ? triple : std::string(1, quote);
    at_ += end.size();
    while (at_ < source_.size()) {
      if (source_.substr(at_).starts_with(end)) {
        at_ += end.size();
        return true;
      }
      if (end.size() == 1 && peek() == '\n') return false;
      if (peek() == '\\' && !raw) {
        if (!read_escape(token.text)) return false;
      } else {
        token.text += source_[at_++];
      }
    }
    return false;
  }

  bool read_code(std::string& out, size_t digits, int base) {
    uint32_t code = 0;
    for (size_t i = 0; i < digits; ++i, ++at_) {
      const char c = peek();
      if (!is_hex(c)) return false;
      const int digit = is_digit(c) ? c - '0' : (c | 32) - 'a' + 10;
      if (digit >= base) return false;
      code = code * static_cast<uint32_t>(base) + static_cast<uint32_t>(digit);
    }
    if (code > 0x10ffff) return false;
    append_utf8(out, code);
    return true;
  }

  bool read_escape(std::string& out) {
    static constexpr std::string_view kFrom = "abfnrtv\\?\"'`", kTo = "\a\b\f\n\r\t\v\\?\"'`";
    const char c = peek(1);
    at_ += 2;
    if (const size_t found = kFrom.find(c); c != '\0' && found != kFrom.npos) {
      out += kTo[found];
      return true;
    }
    if (c == 'x' || c == 'X') return read_code(out, 2, 16);
    if (c == 'u') return read_code(out, 4, 16);
    if (c == 'U') return read_code(out, 8, 16);
    --at_;
    return c >= '0' && c <= '3' && read_code(out, 3, 8);
  }

  std::string_view source_;
  size_t at_ = 0;
};

}  // namespace

std::vector<Token> tokenize(std::string_view source, std::vector<SourceError>& errors) { return Lexer(source).run(errors); }

}  // namespace orrery::api::cel
