#include <algorithm>
#include <cerrno>
#include <cstdlib>

#include "engine/api/cel/expression.h"
#include "engine/api/cel/lexer.h"

namespace orrery::api::cel {
namespace {

using Node = std::unique_ptr<Expression>;
using Kind = Expression::Kind;

constexpr int kDepthMax = 250;

/// Binary operators, weakest first.
constexpr std::string_view kLevels[][7] = {
    {"||"}, {"&&"}, {"==", "!=", "<=", ">=", "<", ">", "in"}, {"+", "-"}, {"*", "/", "%"},
};

bool is_macro(std::string_view name, size_t args) {
  if (name == "map") return args == 2 || args == 3;
  return args == 2 && (name == "all" || name == "exists" || name == "exists_one" || name == "filter");
}

/// Recursive descent; the first error ends it.
class Parser {
 public:
  Parser(std::string_view source, std::vector<Token> tokens) : source_(source), tokens_(std::move(tokens)) {}

  Result<Node> run() {
    Node root = ternary();
    if (root && peek().kind != Token::Kind::kEnd) root = unexpected();
    if (!root) return bad_request(std::move(error_));
    return root;
  }

 private:
  const Token& peek() const { return tokens_[at_]; }
  bool is(std::string_view op) const {
    const Token& token = peek();
    return token.kind != Token::Kind::kString && token.text == op && token.kind != Token::Kind::kEnd;
  }
  bool accept(std::string_view op) {
    if (!is(op)) return false;
    ++at_;
    return true;
  }
  Node fail(size_t offset, std::string_view why) {
    if (error_.empty()) error_ = message_at(source_, offset, why);
    return nullptr;
  }
  Node unexpected() {
    const Token& token = peek();
    if (token.kind == Token::Kind::kEnd)
      return fail(token.offset, "Syntax error: mismatched input '<EOF>' expecting {'[', '{', '(', '.', '-', '!', 'true', 'false', "
                                "'null', NUM_FLOAT, NUM_INT, NUM_UINT, STRING, BYTES, IDENTIFIER}");
    return fail(token.offset, str_cat("Syntax error: extraneous input '", token.text, "' expecting <EOF>"));
  }
  bool expect(std::string_view op) {
    if (accept(op)) return true;
    fail(peek().offset, str_cat("Syntax error: mismatched input '", peek().text, "' expecting '", op, "'"));
    return false;
  }
  Node make(Kind kind, size_t offset, std::string text = "") {
    auto node = std::make_unique<Expression>();
    node->kind = kind;
    node->offset = offset;
    node->text = std::move(text);
    return node;
  }

  Node ternary() {
    if (++depth_ > kDepthMax) return fail(peek().offset, "expression recursion limit exceeded: 250");
    Node condition = binary(0);
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
      condition = std::move(node);
    }
    --depth_;
    return condition;
  }

  Node binary(size_t level) {
    if (level == std::size(kLevels)) return unary();
    Node left = binary(level + 1);
    while (left) {
      const auto& operators = kLevels[level];
      const auto found = std::find_if(std::begin(operators), std::end(operators), [&](std::string_view op) { return !op.empty() && is(op); });
      if (found == std::end(operators)) break;
      Node node = make(Kind::kBinary, peek().offset, std::string(*found));
      ++at_;
      Node right = binary(level + 1);
      if (!right) return nullptr;
      node->args.push_back(std::move(left));
      node->args.push_back(std::move(right));
      left = std::move(node);
    }
    return left;
  }

  Node unary() {
    const size_t offset = peek().offset;
    for (const char* op : {"!", "-"}) {
      if (!accept(op)) continue;
      if (++depth_ > kDepthMax) return fail(offset, "expression recursion limit exceeded: 250");
      Node inner = unary();
      --depth_;
      if (!inner) return nullptr;
      Node node = make(Kind::kUnary, offset, op);
      node->args.push_back(std::move(inner));
      return node;
    }
    return member();
  }

  Node member() {
    Node node = primary();
    while (node) {
      const size_t offset = peek().offset;
      if (accept(".")) {
        if (peek().kind != Token::Kind::kName) return unexpected();
        std::string name = tokens_[at_++].text;
        node = accept("(") ? method(std::move(node), std::move(name), offset) : select(std::move(node), std::move(name), offset);
      } else if (accept("[")) {
        Node index = make(Kind::kIndex, offset);
        Node key = ternary();
        if (!key || !expect("]")) return nullptr;
        index->args.push_back(std::move(node));
        index->args.push_back(std::move(key));
        node = std::move(index);
      } else {
        break;
      }
    }
    return node;
  }

  Node select(Node object, std::string name, size_t offset) {
    Node node = make(Kind::kSelect, offset, std::move(name));
    node->args.push_back(std::move(object));
    return node;
  }

  Node method(Node object, std::string name, size_t offset) {
    Node node = make(Kind::kMethod, offset, std::move(name));
    node->args.push_back(std::move(object));
    if (!arguments(*node, ")")) return nullptr;
    if (!is_macro(node->text, node->args.size() - 1) || node->args[1]->kind != Kind::kName) return node;
    node->kind = Kind::kMacro;
    node->variable = node->args[1]->text;
    node->args.erase(node->args.begin() + 1);
    return node;
  }

  // Up to and with the closing bracket.
  bool arguments(Expression& node, std::string_view close) {
    while (!accept(close)) {
      Node arg = ternary();
      if (!arg) return false;
      node.args.push_back(std::move(arg));
      if (!is(close) && !expect(",")) return false;
    }
    return true;
  }

  Node primary() {
    const Token token = peek();
    switch (token.kind) {
      case Token::Kind::kName: return name();
      case Token::Kind::kInt:
      case Token::Kind::kUint:
      case Token::Kind::kDouble: return number();
      case Token::Kind::kString: {
        ++at_;
        Node node = make(Kind::kLiteral, token.offset);
        node->value = Json(token.text);
        return node;
      }
      default: break;
    }
    if (accept("(")) {
      Node inner = ternary();
      return inner && expect(")") ? std::move(inner) : nullptr;
    }
    if (accept("[")) {
      Node node = make(Kind::kList, token.offset);
      return arguments(*node, "]") ? std::move(node) : nullptr;
    }
    if (accept("{")) return map(token.offset);
    return unexpected();
  }

  Node map(size_t offset) {
    Node node = make(Kind::kMap, offset);
    while (!accept("}")) {
      Node key = ternary();
      if (!key || !expect(":")) return nullptr;
      Node value = ternary();
      if (!value) return nullptr;
      node->args.push_back(std::move(key));
      node->args.push_back(std::move(value));
      if (!is("}") && !expect(",")) return nullptr;
    }
    return node;
  }

  Node name() {
    const Token token = tokens_[at_++];
    Node node = make(Kind::kLiteral, token.offset);
    if (token.text == "true" || token.text == "false") {
      node->value = Json(token.text == "true");
      return node;
    }
    if (token.text == "null") return node;
    if (!accept("(")) {
      node->kind = Kind::kName;
      node->text = token.text;
      return node;
    }
    node->kind = Kind::kCall;
    node->text = token.text;
    if (!arguments(*node, ")")) return nullptr;
    if (token.text != "has") return node;
    if (node->args.size() != 1 || node->args[0]->kind != Kind::kSelect) return fail(token.offset, "invalid argument to has() macro");
    Node selected = std::move(node->args[0]);
    selected->kind = Kind::kHas;
    return selected;
  }

  Node number() {
    const Token token = tokens_[at_++];
    Node node = make(Kind::kLiteral, token.offset);
    if (token.kind == Token::Kind::kDouble) {
      node->value = Json(std::strtod(token.text.c_str(), nullptr));
      return node;
    }
    const int base = token.text.starts_with("0x") ? 16 : 10;
    errno = 0;
    const unsigned long long value = std::strtoull(token.text.c_str(), nullptr, base);
    if (errno != 0 || value > INT64_MAX) return fail(token.offset, "Syntax error: invalid int literal");
    node->value = Json(static_cast<int64_t>(value));
    node->is_unsigned = token.kind == Token::Kind::kUint;
    return node;
  }

  std::string_view source_;
  std::vector<Token> tokens_;
  size_t at_ = 0;
  int depth_ = 0;
  std::string error_;
};

}  // namespace

std::string message_at(std::string_view source, size_t offset, std::string_view why) {
  const std::string_view before = source.substr(0, offset);
  const auto line = 1 + std::count(before.begin(), before.end(), '\n');
  const size_t begin = before.rfind('\n') == before.npos ? 0 : before.rfind('\n') + 1;
  const size_t column = offset - begin;
  const std::string_view text = source.substr(begin, std::min(source.find('\n', begin), source.size()) - begin);
  return str_cat("ERROR: <input>:", int64_t{line}, ":", column + 1, ": ", why, "\n | ", text, "\n | ", std::string(column, '.'), "^");
}

Result<std::unique_ptr<Expression>> parse(std::string_view source) {
  ORRERY_ASSIGN(std::vector<Token> tokens, tokenize(source));
  return Parser(source, std::move(tokens)).run();
}

}  // namespace orrery::api::cel
