#include "engine/api/label_selector.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "engine/api/names.h"

namespace orrery::api {
namespace {

bool parse_int64(std::string_view text, int64_t* out) {
  if (text.starts_with('+')) {
    text.remove_prefix(1);
    if (text.starts_with('-')) return false;
  }
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), *out);
  return !text.empty() && error == std::errc() && end == text.data() + text.size();
}

std::string go_strings(const std::vector<Str>& values) {
  if (values.empty()) return "[]string(nil)";
  std::string out = "[]string{";
  for (size_t i = 0; i < values.size(); ++i) out += (i ? ", " : "") + quoted(values[i]);
  return out + "}";
}

std::string child(std::string_view path, std::string_view name) {
  return path.empty() ? std::string(name) : str_cat(path, ".", name);
}

// What is wrong with the number of values for the operator; "" if nothing.
std::string check_count(SelectorOp op, size_t count) {
  switch (op) {
    case SelectorOp::kIn:
    case SelectorOp::kNotIn: return count > 0 ? "" : "for 'in', 'notin' operators, values set can't be empty";
    case SelectorOp::kExists:
    case SelectorOp::kDoesNotExist: return count == 0 ? "" : "values set must be empty for exists and does not exist";
    case SelectorOp::kGreaterThan:
    case SelectorOp::kLessThan: return count == 1 ? "" : "for 'Gt', 'Lt' operators, exactly one value is required";
    default: return count == 1 ? "" : "exact-match compatibility requires one single value";
  }
}

bool is_order(SelectorOp op) { return op == SelectorOp::kGreaterThan || op == SelectorOp::kLessThan; }

}  // namespace

std::string_view selector_op_text(SelectorOp op) {
  static constexpr std::array<std::string_view, 9> kTexts = {"in", "notin", "=", "==", "!=", "exists", "!", "gt", "lt"};
  return kTexts[static_cast<size_t>(op)];
}

Result<Requirement> Requirement::make(Str key, SelectorOp op, std::vector<Str> values, std::string_view path) {
  std::vector<std::string> errors;
  const std::string key_path = child(path, "key");
  const std::string values_path = child(path, "values");
  if (const auto wrong = check_qualified_name(key); !wrong.empty())
    errors.push_back(str_cat(key_path, ": Invalid value: ", quoted(key), ": ", join(wrong, "; ")));
  if (const std::string wrong = check_count(op, values.size()); !wrong.empty())
    errors.push_back(str_cat(values_path, ": Invalid value: ", go_strings(values), ": ", wrong));
  int64_t number = 0;
  for (size_t i = 0; is_order(op) && i < values.size(); ++i)
    if (!parse_int64(values[i], &number))
      errors.push_back(str_cat(values_path, "[", uint64_t{i}, "]: Invalid value: ", quoted(values[i]),
                               ": for 'Gt', 'Lt' operators, the value must be an integer"));
  for (size_t i = 0; i < values.size(); ++i)
    if (const auto wrong = check_label_value(values[i]); !wrong.empty())
      errors.push_back(str_cat(values_path, "[", uint64_t{i}, "][", key, "]: Invalid value: ", quoted(values[i]),
                               ": ", join(wrong, "; ")));
  if (!errors.empty()) return bad_request(aggregate(errors));
  return unchecked(std::move(key), op, std::move(values));
}

Requirement Requirement::unchecked(Str key, SelectorOp op, std::vector<Str> values) {
  Requirement r;
  r.key_ = std::move(key);
  r.op_ = op;
  r.values_ = std::move(values);
  std::sort(r.values_.begin(), r.values_.end());
  if (is_order(op) && !r.values_.empty()) parse_int64(r.values_[0], &r.bound_);
  return r;
}

bool Requirement::matches_value(const Str* value) const {
  const auto listed = [&] {
    return std::any_of(values_.begin(), values_.end(), [&](const Str& v) { return v == *value; });
  };
  switch (op_) {
    case SelectorOp::kExists: return value != nullptr;
    case SelectorOp::kDoesNotExist: return value == nullptr;
    case SelectorOp::kNotIn:
    case SelectorOp::kNotEquals: return value == nullptr || !listed();
    case SelectorOp::kGreaterThan:
    case SelectorOp::kLessThan: {
      int64_t number = 0;
      if (value == nullptr || !parse_int64(*value, &number)) return false;
      return op_ == SelectorOp::kGreaterThan ? number > bound_ : number < bound_;
    }
    default: return value != nullptr && listed();
  }
}

bool Requirement::matches(const Labels& labels) const { return matches_value(labels.find(key_)); }

std::string Requirement::to_string() const {
  std::string list;
  for (size_t i = 0; i < values_.size(); ++i) list += (i ? "," : "") + values_[i].str();
  switch (op_) {
    case SelectorOp::kExists: return key_.str();
    case SelectorOp::kDoesNotExist: return "!" + key_.str();
    case SelectorOp::kIn: return key_.str() + " in (" + list + ")";
    case SelectorOp::kNotIn: return key_.str() + " notin (" + list + ")";
    case SelectorOp::kGreaterThan: return key_.str() + ">" + list;
    case SelectorOp::kLessThan: return key_.str() + "<" + list;
    default: return key_.str() + std::string(selector_op_text(op_)) + list;
  }
}

Selector::Selector(std::vector<Requirement> requirements) : requirements_(std::move(requirements)) {
  std::stable_sort(requirements_.begin(), requirements_.end(),
                   [](const Requirement& a, const Requirement& b) { return a.key().view() < b.key().view(); });
}

Selector Selector::nothing() {
  Selector s;
  s.nothing_ = true;
  return s;
}

Selector Selector::of_labels(const Labels& labels) {
  std::vector<Requirement> requirements;
  for (const auto& [key, value] : labels)
    requirements.push_back(Requirement::unchecked(key, SelectorOp::kEquals, {value}));
  return Selector(std::move(requirements));
}

bool Selector::matches(const Labels& labels) const {
  if (nothing_) return false;
  return std::all_of(requirements_.begin(), requirements_.end(),
                     [&](const Requirement& r) { return r.matches(labels); });
}

std::string Selector::to_string() const {
  std::string out;
  for (const Requirement& r : requirements_) out += (out.empty() ? "" : ",") + r.to_string();
  return out;
}

std::optional<Str> Selector::exact_match(std::string_view key) const {
  for (const Requirement& r : requirements_) {
    const bool exact = r.op() == SelectorOp::kEquals || r.op() == SelectorOp::kDoubleEquals || r.op() == SelectorOp::kIn;
    if (exact && r.key() == key && r.values().size() == 1) return r.values()[0];
  }
  return std::nullopt;
}

Result<Selector> Selector::of(const metav1::LabelSelector* selector) {
  if (!selector) return nothing();
  std::vector<Requirement> requirements;
  for (const auto& [key, value] : selector->match_labels) {
    ORRERY_ASSIGN(Requirement r, Requirement::make(key, SelectorOp::kEquals, {value}, ""));
    requirements.push_back(std::move(r));
  }
  for (const auto& e : selector->match_expressions) {
    SelectorOp op;
    if (e.operator_ == "In") op = SelectorOp::kIn;
    else if (e.operator_ == "NotIn") op = SelectorOp::kNotIn;
    else if (e.operator_ == "Exists") op = SelectorOp::kExists;
    else if (e.operator_ == "DoesNotExist") op = SelectorOp::kDoesNotExist;
    else return bad_request(quoted(e.operator_) + " is not a valid label selector operator");
    ORRERY_ASSIGN(Requirement r, Requirement::make(e.key, op, {e.values.begin(), e.values.end()}, ""));
    requirements.push_back(std::move(r));
  }
  return Selector(std::move(requirements));
}

namespace {

enum class Token { kEnd, kIdentifier, kIn, kNotIn, kOpen, kClose, kComma, kNot, kDoubleEquals, kEquals, kNotEquals, kGreater, kLess, kError };

struct Lexeme {
  Token token;
  std::string text;
};

bool is_special(char c) { return std::string_view("=!(),><").find(c) != std::string_view::npos; }
bool is_space(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }

std::vector<Lexeme> lex(std::string_view text) {
  static constexpr std::array<std::pair<std::string_view, Token>, 9> kSymbols = {
      {{"==", Token::kDoubleEquals}, {"!=", Token::kNotEquals}, {"(", Token::kOpen}, {")", Token::kClose}, {",", Token::kComma},
       {"!", Token::kNot}, {"=", Token::kEquals}, {">", Token::kGreater}, {"<", Token::kLess}}};
  std::vector<Lexeme> out;
  for (size_t i = 0; i < text.size();) {
    if (is_space(text[i])) {
      ++i;
    } else if (is_special(text[i])) {
      for (const auto& [symbol, token] : kSymbols) {
        if (!text.substr(i).starts_with(symbol)) continue;
        out.push_back({token, std::string(symbol)});
        i += symbol.size();
        break;
      }
    } else {
      const size_t begin = i;
      while (i < text.size() && !is_special(text[i]) && !is_space(text[i])) ++i;
      const std::string word(text.substr(begin, i - begin));
      out.push_back({word == "in" ? Token::kIn : (word == "notin" ? Token::kNotIn : Token::kIdentifier), word});
    }
  }
  out.push_back({Token::kEnd, ""});
  return out;
}

/// Source of grammar and error texts: Kubernetes v1.32 apimachinery/pkg/labels/selector.go.
class Parser {
 public:
  explicit Parser(std::string_view text) : lexemes_(lex(text)) {}

  Result<std::vector<Requirement>> parse() {
    std::vector<Requirement> out;
    for (;;) {
      const Token next = peek_value();
      if (next == Token::kEnd) return out;
      if (next != Token::kIdentifier && next != Token::kNot)
        return found("expected: !, identifier, or 'end of string'");
      auto requirement = parse_requirement();
      if (!requirement.is_ok())
        return bad_request("unable to parse requirement: " + requirement.status().message());
      out.push_back(std::move(*requirement));
      if (peek_value() == Token::kEnd) return out;
      if (peek_value() != Token::kComma) return found("expected: ',' or 'end of string'");
      advance();
      if (peek_value() != Token::kIdentifier && peek_value() != Token::kNot)
        return found("expected: identifier after ','");
    }
  }

 private:
  const Lexeme& peek() const { return lexemes_[at_]; }
  // Where a value or key may stand, the words in and notin are plain identifiers.
  Token peek_value() const {
    const Token t = peek().token;
    return t == Token::kIn || t == Token::kNotIn ? Token::kIdentifier : t;
  }
  std::string advance() {
    const std::string text = peek().text;
    if (at_ + 1 < lexemes_.size()) ++at_;
    return text;
  }
  Status found(std::string_view expected, std::string_view comma = ", ") const {
    return bad_request(str_cat("found '", peek().text, "'", comma, expected));
  }

  Result<Requirement> parse_requirement() {
    const bool negated = peek_value() == Token::kNot;
    if (negated) advance();
    if (peek_value() != Token::kIdentifier) return found("expected: identifier");
    const Str key(advance());
    if (const auto wrong = check_qualified_name(key); !wrong.empty())
      return bad_request(str_cat("<nil>: Invalid value: ", quoted(key), ": ", join(wrong, "; ")));
    const bool ends = peek_value() == Token::kEnd || peek_value() == Token::kComma;
    if (negated) return Requirement::make(key, SelectorOp::kDoesNotExist, {}, "");
    if (ends) return Requirement::make(key, SelectorOp::kExists, {}, "");
    SelectorOp op;
    switch (peek().token) {
      case Token::kIn: op = SelectorOp::kIn; break;
      case Token::kNotIn: op = SelectorOp::kNotIn; break;
      case Token::kEquals: op = SelectorOp::kEquals; break;
      case Token::kDoubleEquals: op = SelectorOp::kDoubleEquals; break;
      case Token::kNotEquals: op = SelectorOp::kNotEquals; break;
      case Token::kGreater: op = SelectorOp::kGreaterThan; break;
      case Token::kLess: op = SelectorOp::kLessThan; break;
      default: return found("expected: in, notin, =, ==, !=, gt, lt");
    }
    advance();
    std::vector<Str> values;
    ORRERY_TRY(op == SelectorOp::kIn || op == SelectorOp::kNotIn ? parse_set(values) : parse_exact(values));
    return Requirement::make(key, op, std::move(values), "");
  }

  Status parse_exact(std::vector<Str>& values) {
    if (peek_value() == Token::kEnd || peek_value() == Token::kComma) {
      values.push_back(Str());
      return Status::ok();
    }
    if (peek_value() != Token::kIdentifier) return found("expected: identifier");
    values.push_back(Str(advance()));
    return Status::ok();
  }

  static void insert(std::vector<Str>& values, Str value) {
    const auto it = std::lower_bound(values.begin(), values.end(), value);
    if (it == values.end() || *it != value) values.insert(it, std::move(value));
  }

  Status parse_set(std::vector<Str>& values) {
    if (peek_value() != Token::kOpen) return found("expected: '('", " ");
    advance();
    if (peek_value() == Token::kClose) {
      insert(values, Str());
      advance();
      return Status::ok();
    }
    if (peek_value() != Token::kIdentifier && peek_value() != Token::kComma)
      return found("expected: ',', ')' or identifier");
    for (;;) {
      if (peek_value() == Token::kIdentifier) {
        insert(values, Str(advance()));
        if (peek_value() == Token::kClose) break;
        if (peek_value() != Token::kComma) return found("expected: ',' or ')'");
      } else if (peek_value() == Token::kComma) {
        advance();
        if (values.empty()) insert(values, Str());
        if (peek_value() == Token::kClose) {
          insert(values, Str());
          break;
        }
        if (peek_value() == Token::kComma) {
          advance();
          insert(values, Str());
        }
      } else {
        return found("expected: ',', or identifier");
      }
    }
    advance();
    return Status::ok();
  }

  std::vector<Lexeme> lexemes_;
  size_t at_ = 0;
};

}  // namespace

Result<Selector> Selector::parse(std::string_view text) {
  ORRERY_ASSIGN(auto requirements, Parser(text).parse());
  return Selector(std::move(requirements));
}

std::string format_label_selector(const metav1::LabelSelector* selector) {
  const auto parsed = Selector::of(selector);
  if (!parsed.is_ok()) return "<error>";
  const std::string text = parsed->to_string();
  return text.empty() ? "<none>" : text;
}

Result<Labels> label_selector_as_map(const metav1::LabelSelector* selector) {
  Labels out;
  if (!selector) return out;
  out = selector->match_labels;
  for (const auto& e : selector->match_expressions) {
    if (e.operator_ == "In") {
      if (e.values.size() != 1)
        return bad_request("operator \"In\" without a single value cannot be converted into the old label selector format");
      out.set(e.key, e.values[0]);
    } else if (e.operator_ == "NotIn" || e.operator_ == "Exists" || e.operator_ == "DoesNotExist") {
      return bad_request(str_cat("operator ", quoted(e.operator_), " cannot be converted into the old label selector format"));
    } else {
      return bad_request(quoted(e.operator_) + " is not a valid selector operator");
    }
  }
  return out;
}

}  // namespace orrery::api
