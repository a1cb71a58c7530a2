#include "engine/server/print/json_path.h"

#include <algorithm>
#include <charconv>
#include <optional>

namespace orrery::server {

using api::Json;

/// One step from values to values.
struct JsonPath::Step {
  enum class Kind : uint8_t { kFields, kAll, kDescend, kSlice, kFilter };
  explicit Step(Kind k = Kind::kFields) : kind(k) {}
  Kind kind;
  std::vector<std::string> names;     // kFields
  std::optional<int64_t> from, to;    // kSlice; one index is [n, n + 1)
  int64_t stride = 1;
  JsonPath left, right;               // kFilter: paths from the item (left: always)
  std::optional<Json> right_value;    // or a constant
  std::string op;                     // "" : the left side exists
};

/// Reads one path.
class JsonPathParser {
 public:
  using Step = JsonPath::Step;
  explicit JsonPathParser(std::string_view text) : text_(text) {}

  Result<JsonPath> parse() {
    JsonPath path;
    while (at_ < text_.size()) {
      if (text_.substr(at_).starts_with("..")) {
        at_ += 2;
        add(path, Step(Step::Kind::kDescend));
        if (!is('[')) --at_;
        else continue;
      }
      if (is('[')) {
        ORRERY_TRY(bracket(path));
      } else if (is('.') || at_ == 0) {
        if (is('.')) ++at_;
        if (at_ < text_.size() && !is('[')) field(path);
      } else {
        return fail();
      }
    }
    return path;
  }

 private:
  Status fail() const { return bad_request(str_cat("unrecognized path \"", text_, "\"")); }
  bool is(char c) const { return at_ < text_.size() && text_[at_] == c; }
  static void add(JsonPath& path, Step step) { path.steps_.push_back(std::make_shared<const Step>(std::move(step))); }

  void field(JsonPath& path) {
    if (is('*')) {
      ++at_;
      return add(path, Step(Step::Kind::kAll));
    }
    std::string name;
    for (; at_ < text_.size() && !is('.') && !is('['); ++at_) {
      if (is('\\') && at_ + 1 < text_.size()) ++at_;
      name += text_[at_];
    }
    Step step;
    step.names.push_back(std::move(name));
    add(path, std::move(step));
  }

  // The ']' that ends the bracket that begins at at_, past quotes and inner brackets.
  size_t bracket_end() const {
    char quote = 0;
    int depth = 0;
    for (size_t i = at_; i < text_.size(); ++i) {
      const char c = text_[i];
      if (quote) {
        if (c == '\\') ++i;
        else if (c == quote) quote = 0;
      } else if (c == '\'' || c == '"') {
        quote = c;
      } else if (c == '[') {
        ++depth;
      } else if (c == ']' && --depth == 0) {
        return i;
      }
    }
    return std::string_view::npos;
  }
  Status bracket(JsonPath& path) {
    const size_t end = bracket_end();
    if (end == std::string_view::npos) return fail();
    const std::string_view inside = text_.substr(at_ + 1, end - at_ - 1);
    at_ = end + 1;
    if (inside == "*") {
      add(path, Step(Step::Kind::kAll));
      return Status::ok();
    }
    if (inside.starts_with("?(") && inside.ends_with(")")) return filter(path, inside.substr(2, inside.size() - 3));
    return inside.find_first_of("'\"") == inside.npos ? slice(path, inside) : names(path, inside);
  }

  Status names(JsonPath& path, std::string_view inside) {
    Step step;
    while (!inside.empty()) {
      const char quote = inside[0];
      const size_t end = inside.find(quote, 1);
      if ((quote != '\'' && quote != '"') || end == inside.npos) return fail();
      step.names.emplace_back(inside.substr(1, end - 1));
      inside.remove_prefix(std::min(end + 1, inside.size()));
      if (inside.starts_with(',')) inside.remove_prefix(1);
    }
    add(path, std::move(step));
    return Status::ok();
  }

  static bool number(std::string_view text, std::optional<int64_t>* out) {
    if (text.empty()) return true;
    int64_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    *out = value;
    return error == std::errc() && end == text.data() + text.size();
  }
  Status slice(JsonPath& path, std::string_view inside) {
    Step step(Step::Kind::kSlice);
    const size_t first = inside.find(':');
    if (first == inside.npos) {
      if (inside.empty() || !number(inside, &step.from)) return fail();
      if (*step.from != -1) step.to = *step.from + 1;
    } else {
      const size_t second = std::min(inside.find(':', first + 1), inside.size());
      std::optional<int64_t> stride;
      if (!number(inside.substr(0, first), &step.from) || !number(inside.substr(first + 1, second - first - 1), &step.to) ||
          (second < inside.size() && !number(inside.substr(second + 1), &stride)))
        return fail();
      step.stride = stride.value_or(1);
      if (step.stride <= 0) return fail();
    }
    add(path, std::move(step));
    return Status::ok();
  }

  static std::string_view trimmed(std::string_view text) {
    while (text.starts_with(' ')) text.remove_prefix(1);
    while (text.ends_with(' ')) text.remove_suffix(1);
    return text;
  }
  // Where an operator stands outside of quotes.
  static size_t find_operator(std::string_view text, std::string* op) {
    char quote = 0;
    for (size_t i = 0; i < text.size(); ++i) {
      const char c = text[i];
      if (quote) {
        if (c == quote) quote = 0;
        continue;
      }
      if (c == '\'' || c == '"') quote = c;
      for (const std::string_view known : {"==", "!=", "<=", ">=", "<", ">"}) {
        if (!text.substr(i).starts_with(known)) continue;
        *op = std::string(known);
        return i;
      }
    }
    return text.npos;
  }
  Status operand(std::string_view text, JsonPath* path, std::optional<Json>* value) {
    text = trimmed(text);
    if (text.starts_with('@')) {
      ORRERY_ASSIGN(*path, JsonPathParser(text.substr(1)).parse());
      return Status::ok();
    }
    if (!value) return fail();
    if (text.size() >= 2 && (text.front() == '\'' || text.front() == '"') && text.back() == text.front()) {
      *value = Json(text.substr(1, text.size() - 2));
      return Status::ok();
    }
    auto parsed = Json::parse(text);
    if (!parsed.is_ok()) return fail();
    *value = *std::move(parsed);
    return Status::ok();
  }
  Status filter(JsonPath& path, std::string_view inside) {
    Step step(Step::Kind::kFilter);
    const size_t at = find_operator(inside, &step.op);
    ORRERY_TRY(operand(inside.substr(0, at), &step.left, nullptr));
    if (at != inside.npos) ORRERY_TRY(operand(inside.substr(at + step.op.size()), &step.right, &step.right_value));
    add(path, std::move(step));
    return Status::ok();
  }

  std::string_view text_;
  size_t at_ = 0;
};

Result<JsonPath> JsonPath::parse(std::string_view text) { return JsonPathParser(text).parse(); }

void JsonPath::all_below(const Json& value, std::vector<const Json*>& out) {
  out.push_back(&value);
  for (const auto& member : value.members()) all_below(member.value, out);
  for (const Json& item : value.items()) all_below(item, out);
}

bool JsonPath::holds(const Step& step, const Json& item) {
  const auto left = step.left.find(item);
  if (step.op.empty()) return !left.empty();
  const auto found = step.right_value ? std::vector<const Json*>{&*step.right_value} : step.right.find(item);
  if (left.empty() || found.empty()) return false;
  const Json &a = *left[0], &b = *found[0];
  if (step.op == "==") return a == b;
  if (step.op == "!=") return a != b;
  const bool less = a.is_string() && b.is_string() ? a.as_string() < b.as_string() : a.as_double() < b.as_double();
  if (step.op == "<") return less;
  if (step.op == "<=") return less || a == b;
  return step.op == ">" ? !less && a != b : !less;
}

void JsonPath::apply(const Step& step, const Json& value, std::vector<const Json*>& out) {
  switch (step.kind) {
    case Step::Kind::kFields:
      for (const std::string& name : step.names)
        if (const Json* member = value.find(name)) out.push_back(member);
      return;
    case Step::Kind::kAll:
      for (const auto& member : value.members()) out.push_back(&member.value);
      for (const Json& item : value.items()) out.push_back(&item);
      return;
    case Step::Kind::kDescend: return all_below(value, out);
    case Step::Kind::kFilter:
      for (const Json& item : value.items())
        if (holds(step, item)) out.push_back(&item);
      return;
    case Step::Kind::kSlice: {
      const auto size = static_cast<int64_t>(value.items().size());
      const auto at = [&](const std::optional<int64_t>& index, int64_t absent) {
        return std::clamp(!index ? absent : *index < 0 ? *index + size : *index, int64_t{0}, size);
      };
      if (step.from && *step.from < -size) return;
      for (int64_t i = at(step.from, 0); i < at(step.to, size); i += step.stride)
        out.push_back(&value.items()[static_cast<size_t>(i)]);
      return;
    }
  }
}

std::vector<const Json*> JsonPath::find(const Json& root) const {
  std::vector<const Json*> values{&root};
  for (const auto& step : steps_) {
    std::vector<const Json*> next;
    for (const Json* value : values) apply(*step, *value, next);
    values = std::move(next);
  }
  return values;
}

}  // namespace orrery::server
