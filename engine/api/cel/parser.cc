#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>

#include "engine/api/cel/expression.h"
#include "engine/api/cel/lexer.h"
#include "engine/base/str.h"

namespace orrery::api::cel {
namespace {

using Kind = Expression::Kind;
using Node = std::unique_ptr<Expression>;

constexpr int kDepthMax = 250;
constexpr int kHeightMax = 400;
constexpr size_t kCodePointsMax = 100'000;

// From loosest to tightest.
constexpr std::array<std::string_view, 7> kLevels[] = {
    {"||"}, {"&&"}, {"<", "<=", ">=", ">", "==", "!=", "in"}, {"+", "-"}, {"*", "/", "%"},
};

constexpr std::string_view kReserved[] = {"as",   "break",   "const",     "continue", "else", "for",  "function", "if",    "import",
                                          "let",  "loop",    "package",   "namespace", "return", "var", "void",   "while"};

// Words of messages: what may begin an operand, with what else is allowed at the place.
std::string operand_start(std::string_view close) {
  const bool list = close == "]", map = close == "}";
  return str_cat("{'[', ", list ? "']', " : "", "'{', ", map ? "'}', " : "", "'(', ", close == ")" ? "')', " : "", "'.', ",
                 list || map ? "',', " : "", "'-', '!', ", list || map || close == "?" ? "'?', " : "",
                 "'true', 'false', 'null', NUM_FLOAT, NUM_INT, NUM_UINT, STRING, BYTES, IDENTIFIER}");
}

bool is_quantifier(std::string_view name) { return name == "all" || name == "exists" || name == "exists_one" || name == "filter"; }
bool is_macro(std::string_view name, size_t args) {
  if (name == "map") return args == 2 || args == 3;
  return args == 2 && (is_quantifier(name) || name == "optMap" || name == "optFlatMap");
}

/// Recursive descent; the first error of syntax ends it. What errors say is what ANTLR says, which
/// upstream's parser is made with: it tries to go on without a token, or with one more.
class Parser {
 public:
  Parser(std::string_view source, std::vector<Token> tokens, std::vector<SourceError> errors)
      : source_(source), tokens_(std::move(tokens)), errors_(std::move(errors)) {}

  Result<Node> run() {
    Node root = ternary();
    if (root && peek().kind != Token::Kind::kEnd)
      fail_syntax(str_cat(is_end(1) ? "extraneous" : "mismatched", " input ", shown(peek()), " expecting <EOF>"));
    if (errors_.empty()) return root;
    std::stable_sort(errors_.begin(), errors_.end(), [](const SourceError& a, const SourceError& b) { return a.offset < b.offset; });
    std::string all;
    for (const SourceError& error : errors_) all += (all.empty() ? "" : "\n") + message_at(source_, error.offset, error.why);
    return bad_request(all);
  }

 private:
  const Token& peek(size_t ahead = 0) const { return tokens_[std::min(at_ + ahead, tokens_.size() - 1)]; }
  bool is_end(size_t ahead) const { return peek(ahead).kind == Token::Kind::kEnd; }
  bool is(std::string_view op, size_t ahead = 0) const {
    const Token& token = peek(ahead);
    const bool symbol = token.kind == Token::Kind::kOperator || token.kind == Token::Kind::kName;
    return symbol && token.text == op;
  }
  bool accept(std::string_view op) {
    if (!is(op)) return false;
    ++at_;
    return true;
  }
  std::string shown(const Token& token) const {
    return token.kind == Token::Kind::kEnd ? "'<EOF>'" : str_cat("'", source_.substr(token.offset, token.size), "'");
  }

  // The first error of syntax ends the parse; errors of meaning do not.
  Node fail(size_t offset, std::string why) {
    errors_.push_back({offset, std::move(why)});
    return nullptr;
  }
  Node fail_syntax(std::string_view why) { return fail(peek().offset, str_cat("Syntax error: ", why)); }

  bool begins_operand(size_t ahead) const {
    const Token& token = peek(ahead);
    if (token.kind == Token::Kind::kEnd) return false;
    if (token.kind != Token::Kind::kOperator) return token.text != "in";
    return is("[", ahead) || is("{", ahead) || is("(", ahead) || is(".", ahead) || is("-", ahead) || is("!", ahead);
  }
  Node no_operand() {
    const std::string_view how = begins_operand(1) ? "extraneous" : "mismatched";
    return fail_syntax(str_cat(how, " input ", shown(peek()), " expecting ", operand_start(closing_)));
  }
  // True if what comes could come after a closing bracket too.
  bool may_follow() const {
    constexpr std::string_view kAfter[] = {"==", "!=", "<", "<=", ">=", ">", "&&", "||", "[", "-", "?", "+", "*", "/", "%", "in", "."};
    return is_end(0) || std::any_of(std::begin(kAfter), std::end(kAfter), [&](std::string_view op) { return is(op); });
  }
  bool expect(std::string_view op) {
    if (accept(op)) return true;
    if (is(op, 1)) fail_syntax(str_cat("extraneous input ", shown(peek()), " expecting '", op, "'"));
    else if (op != ":" && may_follow()) fail_syntax(str_cat("missing '", op, "' at ", shown(peek())));
    else fail_syntax(str_cat("mismatched input ", shown(peek()), " expecting '", op, "'"));
    return false;
  }
  // Between the elements of a list or map.
  bool expect_comma(std::string_view close) {
    if (accept(",")) return true;
    if (close == ")") return expect(close), false;
    const bool one_more = is(close, 1) || is(",", 1);
    const std::string set = close == "]" ? "{']', ','}" : "{'}', ','}";
    fail_syntax(str_cat(one_more ? "extraneous" : "mismatched", " input ", shown(peek()), " expecting ", set));
    return false;
  }

  Node make(Kind kind, size_t offset, std::string text = "") {
    auto node = std::make_unique<Expression>();
    node->kind = kind;
    node->offset = offset;
    node->text = std::move(text);
    return node;
  }
  // The node, if its tree is not too high: chains such as a + b + c ... lean to the left.
  Node whole(Node node) {
    for (const Node& arg : node->args) node->height = std::max(node->height, 1 + arg->height);
    return node->height > kHeightMax ? too_deep() : std::move(node);
  }
  Node too_deep() { return fail(peek().offset, "expression recursion limit exceeded: 250"); }

  // Where a closing bracket could stand instead.
  Node element(std::string_view close, bool first) {
    closing_ = first ? close : close == ")" ? "" : close;
    Node node = ternary();
    closing_ = "";
    return node;
  }

  Node ternary() {
    if (++depth_ > kDepthMax) return too_deep();
    Node condition = binary(0);
    closing_ = "";
    const size_t offset = peek().offset;
    if (condition && accept("?")) {
      Node node = make(Kind::kTernary, offset, "?");
      Node yes = binary(0);
      if (!yes || !expect(":")) return nullptr;
      Node no = ternary();
      if (!no) return nullptr;
      node->args.push_back(std::move(condition));
      node->args.push_back(std::move(yes));
      node->args.push_back(std::move(no));
      condition = whole(std::move(node));
    }
    --depth_;
    return condition;
  }

  Node binary(size_t level) {
    if (level == std::size(kLevels)) return unary();
    Node left = binary(level + 1);
    std::vector<Node> operands, operators;  // of || and &&
    while (left) {
      const auto& words = kLevels[level];
      const auto found = std::find_if(std::begin(words), std::end(words), [&](std::string_view op) { return !op.empty() && is(op); });
      if (found == std::end(words)) break;
      Node node = make(Kind::kBinary, peek().offset, std::string(*found));
      ++at_;
      closing_ = "";
      Node right = binary(level + 1);
      if (!right) return nullptr;
      if (words[0] == "||" || words[0] == "&&") {
        if (operands.empty()) operands.push_back(std::move(left));
        operands.push_back(std::move(right));
        operators.push_back(std::move(node));
        left = make(Kind::kLiteral, 0);  // stands for the operands
      } else {
        node->args.push_back(std::move(left));
        node->args.push_back(std::move(right));
        left = whole(std::move(node));
      }
    }
    return operators.empty() ? std::move(left) : balanced(operands, operators, 0, operators.size());
  }

  // a && b && c && d as (a && b) && (c && d): the order of logical operands is of no account.
  Node balanced(std::vector<Node>& operands, std::vector<Node>& operators, size_t begin, size_t end) {
    if (begin == end) return std::move(operands[begin]);
    const size_t middle = begin + (end - begin) / 2;
    Node node = std::move(operators[middle]);
    Node left = balanced(operands, operators, begin, middle), right = balanced(operands, operators, middle + 1, end);
    if (!left || !right) return nullptr;
    node->args.push_back(std::move(left));
    node->args.push_back(std::move(right));
    return whole(std::move(node));
  }

  bool is_number(size_t ahead) const { return peek(ahead).kind == Token::Kind::kInt || peek(ahead).kind == Token::Kind::kDouble; }

  Node unary() {
    const size_t offset = peek().offset;
    if (is("-") && is_number(1)) return member();
    for (const char* op : {"!", "-"}) {
      if (!accept(op)) continue;
      closing_ = "";
      if (is_end(0) && op[0] == '!') return fail_syntax(str_cat("extraneous input ", shown(peek()), " expecting ", operand_start("")));
      if (++depth_ > kDepthMax) return too_deep();
      Node inner = unary();
      --depth_;
      if (!inner) return nullptr;
      Node node = make(Kind::kUnary, offset, op);
      node->args.push_back(std::move(inner));
      return whole(std::move(node));
    }
    return member();
  }

  Node member() {
    Node node = primary();
    while (node) {
      const size_t offset = peek().offset;
      if (accept(".")) {
        const bool optional = accept("?");
        if (peek().kind != Token::Kind::kName || is("in"))
          return fail_syntax(str_cat("no viable alternative at input '", source_.substr(offset, peek().offset + peek().size - offset), "'"));
        std::string name = tokens_[at_++].text;
        const size_t open = peek().offset;
        node = !optional && accept("(") ? method(std::move(node), std::move(name), open)
                                        : select(std::move(node), std::move(name), offset, optional);
      } else if (accept("[")) {
        Node index = make(Kind::kIndex, offset);
        index->is_optional = accept("?");
        closing_ = index->is_optional ? "" : "?";
        Node key = ternary();
        if (!key || !expect("]")) return nullptr;
        index->args.push_back(std::move(node));
        index->args.push_back(std::move(key));
        node = std::move(index);
      } else {
        break;
      }
      if (node) node = whole(std::move(node));
    }
    return node;
  }

  Node select(Node object, std::string name, size_t offset, bool optional) {
    Node node = make(Kind::kSelect, offset, std::move(name));
    node->is_optional = optional;
    node->args.push_back(std::move(object));
    return node;
  }

  Node method(Node object, std::string name, size_t offset) {
    Node node = make(Kind::kMethod, offset, std::move(name));
    node->args.push_back(std::move(object));
    if (!arguments(*node, ")")) return nullptr;
    if (!is_macro(node->text, node->args.size() - 1)) return node;
    if (node->args[1]->kind != Kind::kName) {
      const bool optional = node->text.starts_with("opt");
      fail(node->args[1]->offset,
           optional ? str_cat(node->text, "() variable name must be a simple identifier") : std::string("argument must be a simple name"));
    }
    node->kind = Kind::kMacro;
    node->variable = node->args[1]->text;
    node->args.erase(node->args.begin() + 1);
    return node;
  }

  // Up to and with the closing bracket.
  bool arguments(Expression& node, std::string_view close) {
    for (bool first = true; !accept(close); first = false) {
      const bool optional = close == "]" && accept("?");
      Node arg = element(close, first);
      if (!arg) return false;
      node.args.push_back(std::move(arg));
      if (optional) node.optional_args.resize(node.args.size() - 1);
      if (optional || !node.optional_args.empty()) node.optional_args.push_back(optional);
      if (!is(close) && !expect_comma(close)) return false;
      if (close == ")" && is(close) && is(",", static_cast<size_t>(-1))) return no_operand(), false;
    }
    return true;
  }

  Node primary() {
    const Token token = peek();
    if (is("-") || token.kind == Token::Kind::kInt || token.kind == Token::Kind::kUint || token.kind == Token::Kind::kDouble) return number();
    if (token.kind == Token::Kind::kString || token.kind == Token::Kind::kBytes) {
      ++at_;
      Node node = make(Kind::kLiteral, token.offset);
      node->value = Json(token.text);
      node->is_bytes = token.kind == Token::Kind::kBytes;
      return node;
    }
    if (token.kind == Token::Kind::kName && token.text != "in") return name();
    if (is(".") && peek(1).kind == Token::Kind::kName) return ++at_, name();
    if (accept("(")) {
      Node inner = ternary();
      return inner && expect(")") ? std::move(inner) : nullptr;
    }
    if (accept("[")) {
      Node node = make(Kind::kList, token.offset);
      return arguments(*node, "]") ? whole(std::move(node)) : nullptr;
    }
    if (accept("{")) return map(token.offset);
    return no_operand();
  }

  Node map(size_t offset) {
    Node node = make(Kind::kMap, offset);
    for (bool first = true; !accept("}"); first = false) {
      const bool optional = accept("?");
      Node key = element("}", first);
      if (!key || !expect(":")) return nullptr;
      Node value = ternary();
      if (!value) return nullptr;
      node->args.push_back(std::move(key));
      node->args.push_back(std::move(value));
      if (optional) node->optional_args.resize(node->args.size() - 2);
      if (optional || !node->optional_args.empty()) node->optional_args.insert(node->optional_args.end(), 2, optional);
      if (!is("}") && !expect_comma("}")) return nullptr;
    }
    return whole(std::move(node));
  }

  Node name() {
    const Token token = tokens_[at_++];
    Node node = make(Kind::kLiteral, token.offset);
    if (token.text == "true" || token.text == "false") {
      node->value = Json(token.text == "true");
      return node;
    }
    if (token.text == "null") return node;
    if (std::find(std::begin(kReserved), std::end(kReserved), token.text) != std::end(kReserved))
      fail(token.offset, str_cat("reserved identifier: ", token.text));
    node->text = token.text;
    if (!is("(")) {
      node->kind = Kind::kName;
      return node;
    }
    node->offset = tokens_[at_++].offset;
    node->kind = Kind::kCall;
    if (!arguments(*node, ")")) return nullptr;
    if (token.text != "has" || node->args.size() != 1) return whole(std::move(node));
    const size_t offset = node->offset;
    Node selected = std::move(node->args[0]);
    if (selected->kind != Kind::kSelect) fail(selected->offset, "invalid argument to has() macro");
    selected->kind = Kind::kHas;
    selected->offset = offset;
    return selected;
  }

  Node number() {
    const size_t offset = peek().offset;
    const std::string sign = accept("-") ? "-" : "";
    const Token token = tokens_[at_++];
    const std::string text = sign + token.text;
    Node node = make(Kind::kLiteral, offset);
    errno = 0;
    if (token.kind == Token::Kind::kDouble) {
      node->value = Json(std::strtod(text.c_str(), nullptr));
      return node;
    }
    const int base = token.text.starts_with("0x") ? 16 : 10;
    node->is_unsigned = token.kind == Token::Kind::kUint;
    if (node->is_unsigned) node->value = Json(static_cast<uint64_t>(std::strtoull(text.c_str(), nullptr, base)));
    else node->value = Json(static_cast<int64_t>(std::strtoll(text.c_str(), nullptr, base)));
    if (errno != 0) fail(offset, node->is_unsigned ? "invalid uint literal" : "invalid int literal");
    return node;
  }

  std::string_view source_;
  std::vector<Token> tokens_;
  std::vector<SourceError> errors_;
  size_t at_ = 0;
  int depth_ = 0;
  std::string_view closing_;  // the bracket (or the mark of an optional index) that could come instead of the next operand
};

}  // namespace

bool uses(const Expression& expression, std::string_view name) {
  if (expression.kind == Expression::Kind::kName && expression.text == name) return true;
  return std::any_of(expression.args.begin(), expression.args.end(), [&](const auto& arg) { return uses(*arg, name); });
}

std::string operator_function(std::string_view op, bool unary) {
  if (op == "in") return "@in";
  return unary ? str_cat(op, "_") : str_cat("_", op, "_");
}

std::string message_at(std::string_view source, size_t offset, std::string_view why) {
  const std::string_view before = source.substr(0, offset);
  const auto line = 1 + std::count(before.begin(), before.end(), '\n');
  const size_t begin = before.rfind('\n') == before.npos ? 0 : before.rfind('\n') + 1;
  const size_t column = offset - begin;
  const std::string_view text = source.substr(begin, std::min(source.find('\n', begin), source.size()) - begin);
  return str_cat("ERROR: <input>:", int64_t{line}, ":", column + 1, ": ", why, "\n | ", text, "\n | ", std::string(column, '.'), "^");
}

Result<std::unique_ptr<Expression>> parse(std::string_view source) {
  const auto code_points = static_cast<size_t>(std::count_if(source.begin(), source.end(), [](char c) { return (c & 0xc0) != 0x80; }));
  if (code_points > kCodePointsMax)
    return bad_request(str_cat("ERROR: <input>:-1:0: expression code point size exceeds limit: size: ", uint64_t{code_points}, ", limit ",
                               uint64_t{kCodePointsMax}));
  std::vector<SourceError> errors;
  std::vector<Token> tokens = tokenize(source, errors);
  return Parser(source, std::move(tokens), std::move(errors)).run();
}

}  // namespace orrery::api::cel
