#include "engine/server/managed_fields/fields_v1.h"

#include <algorithm>

#include "engine/api/json_value.h"
#include "engine/base/str.h"

namespace orrery::server::managed {
namespace {

using api::Json;

constexpr size_t kDepthMax = 256;

bool is_integer(std::string_view text) {
  if (text.starts_with('-')) text.remove_prefix(1);
  return !text.empty() && text.size() < 18 && text.find_first_not_of("0123456789") == text.npos &&
         (text[0] != '0' || text.size() == 1);
}

// In quotes, of visible ASCII without escapes: the same text in every form of JSON.
bool is_plain_string(std::string_view text) {
  if (text.size() < 2 || text.front() != '"' || text.back() != '"') return false;
  text = text.substr(1, text.size() - 2);
  return std::all_of(text.begin(), text.end(), [](char c) { return c >= ' ' && c <= '~' && c != '"' && c != '\\'; });
}

/// A reader of nested objects: FieldsV1 has no other values.
class Parser {
 public:
  Parser(std::string_view text, FieldSetPool& pool) : text_(text), pool_(pool) {}

  Result<const FieldSet*> parse() {
    bool self = false;
    ORRERY_ASSIGN(const FieldSet* set, object(&self, 0));
    skip_space();
    if (at_ != text_.size()) return malformed();
    return set;
  }

 private:
  Status malformed() const { return bad_request(str_cat("fieldsV1 is malformed at byte ", uint64_t{at_})); }
  void skip_space() {
    while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\n' || text_[at_] == '\t' || text_[at_] == '\r')) ++at_;
  }
  bool take(char c) {
    skip_space();
    if (at_ >= text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }

  // The content of "...": a piece of the text, or of the pool if it has escapes.
  bool string(std::string_view* out) {
    if (!take('"')) return false;
    const size_t begin = at_;
    bool escaped = false;
    for (; at_ < text_.size() && text_[at_] != '"'; ++at_) {
      if (text_[at_] != '\\') continue;
      escaped = true;
      ++at_;
    }
    if (at_ >= text_.size()) return false;
    *out = text_.substr(begin, at_++ - begin);
    return !escaped || unescape(out);
  }
  bool unescape(std::string_view* piece) {
    std::string plain;
    plain.reserve(piece->size());
    for (size_t i = 0; i < piece->size(); ++i) {
      const char c = (*piece)[i];
      if (c == '\\' && i + 1 < piece->size() && ((*piece)[i + 1] == '"' || (*piece)[i + 1] == '\\')) {
        plain += (*piece)[++i];
      } else if (c == '\\') {
        const auto parsed = Json::parse(str_cat("\"", *piece, "\""));
        if (!parsed.is_ok()) return false;
        *piece = pool_.keep(parsed->as_string());
        return true;
      } else {
        plain += c;
      }
    }
    *piece = pool_.keep(plain);
    return true;
  }

  bool value_element(std::string_view text, PathElement* out) {
    if (is_plain_string(text) || is_integer(text)) {
      out->text = text;
      return true;
    }
    const auto json = Json::parse(text);
    if (!json.is_ok()) return false;
    out->text = pool_.keep(json->dump_sorted());
    return true;
  }
  bool key_element(std::string_view text, PathElement* out) {
    if (text.starts_with("{\"")) {
      // {"name":"a"}, the common form, is canonical already.
      const size_t colon = text.find("\":");
      if (colon != text.npos && text.ends_with('}') && is_plain_string(text.substr(1, colon))) {
        const std::string_view value = text.substr(colon + 2, text.size() - colon - 3);
        if (is_plain_string(value) || is_integer(value)) {
          out->text = text;
          return true;
        }
      }
    }
    const auto json = Json::parse(text);
    if (!json.is_ok() || !json->is_object()) return false;
    out->text = pool_.keep(json->dump_sorted());
    return true;
  }
  // False if malformed; *known is false for a prefix that nobody knows.
  bool element(std::string_view name, PathElement* out, bool* known) {
    *known = name.size() >= 2 && name[1] == ':';
    if (!*known) return name.size() >= 2;
    const std::string_view rest = name.substr(2);
    switch (name[0]) {
      case 'f': *out = {PathElement::Kind::kField, rest}; return true;
      case 'k': out->kind = PathElement::Kind::kKey; return key_element(rest, out);
      case 'v': out->kind = PathElement::Kind::kValue; return value_element(rest, out);
      case 'i': *out = {PathElement::Kind::kIndex, rest}; return is_integer(rest);
      default: *known = false; return true;
    }
  }

  Result<const FieldSet*> object(bool* self, size_t depth) {
    if (depth > kDepthMax || !take('{')) return malformed();
    const size_t mark = stack_.size();
    if (!take('}')) {
      do {
        std::string_view name;
        if (!string(&name) || !take(':')) return malformed();
        FieldSetEntry entry;
        bool known = true;
        if (name == ".") {
          *self = true;
          known = false;
        } else if (!element(name, &entry.element, &known)) {
          return malformed();
        }
        ORRERY_ASSIGN(entry.below, object(&entry.member, depth + 1));
        // "f:a":{} is the path itself.
        if (!entry.below) entry.member = true;
        if (known) stack_.push_back(entry);
      } while (take(','));
      if (!take('}')) return malformed();
    }
    const FieldSet* set = pool_.make_unsorted(std::span(stack_).subspan(mark));
    stack_.resize(mark);
    return set;
  }

  std::string_view text_;
  FieldSetPool& pool_;
  size_t at_ = 0;
  std::vector<FieldSetEntry> stack_;
};

bool needs_no_escape(std::string_view name) {
  for (const char c : name)
    if (c < 0x20 || c == '"' || c == '\\' || c == '<' || c == '>' || c == '&') return false;
  return true;
}

void write(const FieldSet* set, bool self, std::string& out) {
  out += '{';
  bool first = !self;
  if (self) out += "\".\":{}";
  for (const FieldSetEntry& entry : set->entries()) {
    if (!first) out += ',';
    first = false;
    const PathElement& element = entry.element;
    const char prefix = "fkvi"[static_cast<int>(element.kind)];
    if (element.kind == PathElement::Kind::kField && needs_no_escape(element.text)) {
      out += "\"f:";
      out += element.text;
      out += '"';
    } else {
      api::append_json_string(out, str_cat(prefix, ':', element.text));
    }
    out += ':';
    if (entry.below) {
      write(entry.below, entry.member, out);
    } else {
      out += "{}";
    }
  }
  out += '}';
}

}  // namespace

Result<const FieldSet*> parse_fields_v1(std::string_view text, FieldSetPool& pool) {
  if (text.empty() || text == "null") return static_cast<const FieldSet*>(nullptr);
  return Parser(text, pool).parse();
}

std::string write_fields_v1(const FieldSet* set) {
  std::string out;
  if (!set) return "{}";
  out.reserve(512);
  write(set, false, out);
  return out;
}

}  // namespace orrery::server::managed
