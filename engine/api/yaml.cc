#include "engine/api/yaml.h"

#include <yaml.h>

#include <charconv>
#include <map>
#include <set>

#include "engine/api/names.h"
#include "engine/api/number_texts.h"

namespace orrery::api {
namespace {

constexpr std::string_view kLine = "line ";
constexpr size_t kDepthMax = 100;
// What aliases may add up to, in nodes: far beyond any real manifest, far below a memory bomb.
constexpr size_t kExpandedNodesMax = 1'000'000;

/// One libyaml parser; the event it is at.
class Events {
 public:
  explicit Events(std::string_view text) {
    yaml_parser_initialize(&parser_);
    yaml_parser_set_input_string(&parser_, reinterpret_cast<const unsigned char*>(text.data()), text.size());
  }
  ~Events() {
    if (live_) yaml_event_delete(&event_);
    yaml_parser_delete(&parser_);
  }
  Events(const Events&) = delete;
  Events& operator=(const Events&) = delete;
  bool next() {
    if (live_) yaml_event_delete(&event_);
    live_ = yaml_parser_parse(&parser_, &event_) != 0;
    return live_;
  }
  const yaml_event_t& event() const { return event_; }
  uint32_t line() const { return static_cast<uint32_t>(event_.start_mark.line) + 1; }
  uint32_t error_line() const { return static_cast<uint32_t>(parser_.problem_mark.line) + 1; }
  // The line that Go's port of libyaml names; 0: none. Source: gopkg.in/yaml.v2 decode.go, parser.fail.
  uint32_t go_error_line() const {
    const auto line = static_cast<uint32_t>(parser_.problem_mark.line);
    if (line != 0) return parser_.error == YAML_SCANNER_ERROR ? line + 1 : line;
    return static_cast<uint32_t>(parser_.context_mark.line);
  }
  const char* problem() const { return parser_.problem ? parser_.problem : "broken YAML"; }

 private:
  yaml_parser_t parser_;
  yaml_event_t event_;
  bool live_ = false;
};

class TreeBuilder {
 public:
  TreeBuilder(std::string_view text, std::string_view file) : events_(text), file_(file) {}
  /// For the body of a request.
  TreeBuilder(std::string_view text, std::vector<std::string>* duplicates)
      : events_(text), is_body_(true), duplicates_(duplicates) {}

  Result<Json> first_document() {
    Json root;
    while (true) {
      ORRERY_TRY(advance());
      if (events_.event().type == YAML_STREAM_END_EVENT) return root;
      if (events_.event().type != YAML_DOCUMENT_START_EVENT) continue;
      ORRERY_TRY(advance());
      ORRERY_TRY(node(&root, 0));
      return root;
    }
  }

  Result<std::vector<Json>> documents() {
    std::vector<Json> out;
    for (;;) {
      ORRERY_TRY(advance());
      if (events_.event().type == YAML_STREAM_END_EVENT) return out;
      if (events_.event().type != YAML_DOCUMENT_START_EVENT) continue;
      anchors_.clear();
      expanded_ = 0;
      ORRERY_TRY(advance());
      Json root;
      ORRERY_TRY(node(&root, 0));
      if (!root.is_null()) out.push_back(std::move(root));
    }
  }

 private:
  struct Anchor {
    Json value;
    size_t nodes = 0;
    bool complete = false;
  };
  Status fail(uint32_t line, std::string_view what) const {
    return bad_request(is_body_ ? str_cat("yaml: ", what) : str_cat(file_, ":", line, ": ", what));
  }
  Status advance() {
    if (events_.next()) return Status::ok();
    if (is_body_ && events_.go_error_line() > 0)
      return fail(0, str_cat("line ", uint64_t{events_.go_error_line()}, ": ", events_.problem()));
    return fail(events_.error_line(), events_.problem());
  }

  // The event at hand begins the node; afterwards it is the node's last.
  Status node(Json* out, size_t depth) {
    const uint32_t line = events_.line();
    if (depth > kDepthMax) return fail(line, "nested too deeply");
    if (++expanded_ > kExpandedNodesMax) return fail(line, "too many values");
    const yaml_event_t& event = events_.event();
    const size_t before = expanded_;
    std::string anchor;
    switch (event.type) {
      case YAML_ALIAS_EVENT: return alias(out, line);
      case YAML_SCALAR_EVENT: {
        if (event.data.scalar.anchor) anchor = reinterpret_cast<const char*>(event.data.scalar.anchor);
        const std::string_view text(reinterpret_cast<const char*>(event.data.scalar.value), event.data.scalar.length);
        const char* tag = reinterpret_cast<const char*>(event.data.scalar.tag);
        const bool text_tag = tag && std::string_view(tag) == "tag:yaml.org,2002:str";
        const bool plain = event.data.scalar.style == YAML_PLAIN_SCALAR_STYLE && !text_tag;
        *out = plain ? resolved(text) : Json(text);
        break;
      }
      case YAML_SEQUENCE_START_EVENT:
        if (event.data.sequence_start.anchor) anchor = reinterpret_cast<const char*>(event.data.sequence_start.anchor);
        if (!anchor.empty()) anchors_[anchor] = Anchor();
        ORRERY_TRY(sequence(out, depth));
        break;
      case YAML_MAPPING_START_EVENT:
        if (event.data.mapping_start.anchor) anchor = reinterpret_cast<const char*>(event.data.mapping_start.anchor);
        if (!anchor.empty()) anchors_[anchor] = Anchor();
        ORRERY_TRY(mapping(out, depth));
        break;
      default: return fail(line, "unexpected end of document");
    }
    out->set_line(line);
    if (!anchor.empty()) anchors_[anchor] = {*out, expanded_ - before + 1, true};
    return Status::ok();
  }

  Status alias(Json* out, uint32_t line) {
    const std::string name = reinterpret_cast<const char*>(events_.event().data.alias.anchor);
    const auto it = anchors_.find(name);
    if (it == anchors_.end())
      return fail(line, is_body_ ? str_cat("unknown anchor '", name, "' referenced") : str_cat("alias *", name, " has no anchor"));
    if (!it->second.complete)
      return fail(line, is_body_ ? str_cat("anchor '", name, "' value contains itself")
                                 : str_cat("alias *", name, " stands inside its own anchor"));
    expanded_ += it->second.nodes;
    if (expanded_ > kExpandedNodesMax)
      return fail(line, is_body_ ? "document contains excessive aliasing" : "aliases expand to too many values");
    *out = it->second.value;
    return Status::ok();
  }

  Status sequence(Json* out, size_t depth) {
    *out = Json::array();
    for (;;) {
      ORRERY_TRY(advance());
      if (events_.event().type == YAML_SEQUENCE_END_EVENT) return Status::ok();
      Json item;
      ORRERY_TRY(node(&item, depth + 1));
      out->items().push_back(std::move(item));
    }
  }

  Json resolved(std::string_view text) const {
    if (is_body_ && (text == "y" || text == "Y")) return Json(true);
    if (is_body_ && (text == "n" || text == "N")) return Json(false);
    return resolve_plain(text);
  }
  std::string key_text(const yaml_event_t& event) const {
    const std::string_view text(reinterpret_cast<const char*>(event.data.scalar.value), event.data.scalar.length);
    if (!is_body_ || event.data.scalar.style != YAML_PLAIN_SCALAR_STYLE || event.data.scalar.tag) return std::string(text);
    const Json value = resolved(text);
    return value.is_bool() || value.is_number() ? value.dump() : std::string(text);
  }

  Status mapping(Json* out, size_t depth) {
    *out = Json::object();
    std::set<std::string> keys;
    for (;;) {
      ORRERY_TRY(advance());
      if (events_.event().type == YAML_MAPPING_END_EVENT) return Status::ok();
      const uint32_t line = events_.line();
      if (events_.event().type != YAML_SCALAR_EVENT) return fail(line, "a key must be text");
      const std::string key = key_text(events_.event());
      const bool again = !keys.insert(key).second;
      if (again && !is_body_) return fail(line, str_cat("duplicate key \"", key, "\""));
      ORRERY_TRY(advance());
      Json value;
      ORRERY_TRY(node(&value, depth + 1));
      if (again) {
        if (duplicates_) duplicates_->push_back(str_cat("line ", uint64_t{value.line()}, ": key ", quoted(key), " already set in map"));
        out->set(key, std::move(value));
      } else {
        out->members().push_back({Str(key), std::move(value)});
      }
    }
  }

  Events events_;
  std::string file_;
  bool is_body_ = false;
  std::vector<std::string>* duplicates_ = nullptr;
  std::map<std::string, Anchor> anchors_;
  size_t expanded_ = 0;
};

Status collect(const Json& json, std::string_view file, StrPool* pool, std::vector<LocatedObject>& out) {
  if (json["kind"].is_string() && json["kind"].as_string().view().ends_with("List") && json["items"].is_array()) {
    for (const Json& item : json["items"].items()) ORRERY_TRY(collect(item, file, pool, out));
    return Status::ok();
  }
  auto object = object_from_json(json, {true, pool});
  if (!object.is_ok()) {
    const bool has_line = object.status().message().starts_with(kLine);
    return located(file, has_line ? object.status() : object.status().with_context(str_cat(kLine, json.line())));
  }
  out.push_back({std::move(*object), std::string(file), json.line()});
  return Status::ok();
}

}  // namespace

// Plain scalars. Source: YAML 1.1 core types as gopkg.in/yaml and sigs.k8s.io/yaml resolve them.
Json resolve_plain(std::string_view text) {
  if (text.empty() || text == "~" || text == "null" || text == "Null" || text == "NULL") return Json();
  if (text == "true" || text == "True" || text == "TRUE") return Json(true);
  if (text == "false" || text == "False" || text == "FALSE") return Json(false);
  // y, yes, on and their opposites are booleans in YAML 1.1.
  for (const char* word : {"yes", "Yes", "YES", "on", "On", "ON"})
    if (text == word) return Json(true);
  for (const char* word : {"no", "No", "NO", "off", "Off", "OFF"})
    if (text == word) return Json(false);
  std::string plain(text);
  std::erase(plain, '_');  // between digits they are but for the eye
  std::string_view digits = text[0] == '_' ? text : plain;
  const bool negative = digits.starts_with('-');
  if (negative || digits.starts_with('+')) digits.remove_prefix(1);
  if (digits.empty()) return Json(text);
  int base = 10;
  std::string_view body = digits;
  const std::string_view prefix = digits.substr(0, 2);
  if (prefix == "0x" || prefix == "0X") base = 16, body.remove_prefix(2);
  else if (prefix == "0o" || prefix == "0O") base = 8, body.remove_prefix(2);
  else if (prefix == "0b" || prefix == "0B") base = 2, body.remove_prefix(2);
  else if (digits.size() > 1 && digits[0] == '0' && digits.find_first_not_of("01234567") == std::string_view::npos) base = 8;
  uint64_t whole = 0;
  const auto [end, error] = std::from_chars(body.data(), body.data() + body.size(), whole, base);
  if (error == std::errc() && end == body.data() + body.size() && !body.empty()) {
    if (!negative) return Json(whole);
    if (whole <= uint64_t{1} << 63) return Json(static_cast<int64_t>(0 - whole));
  }
  const bool looks_numeric = (digits[0] >= '0' && digits[0] <= '9') || (digits[0] == '.' && digits.size() > 1);
  double number = 0;
  if (looks_numeric) {
    const auto [stop, fault] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
    const bool held = fault == std::errc() || (fault == std::errc::result_out_of_range && fits_float(digits));
    if (held && stop == digits.data() + digits.size()) return Json(negative ? -number : number);
  }
  return Json(text);
}

Status located(std::string_view file, const Status& status) {
  const std::string& message = status.message();
  if (!message.starts_with(kLine)) return status.with_context(file);
  return Status(status.code(), str_cat(file, ":", std::string_view(message).substr(kLine.size())));
}

Result<std::vector<Json>> parse_yaml(std::string_view text, std::string_view file) { return TreeBuilder(text, file).documents(); }

Result<Json> parse_yaml_document(std::string_view text, std::string_view file) {
  ORRERY_ASSIGN(auto documents, parse_yaml(text, file));
  if (documents.size() != 1)
    return bad_request(str_cat(file, ": found ", uint64_t{documents.size()}, " documents, must be one"));
  return std::move(documents[0]);
}

Result<Json> parse_yaml_body(std::string_view text, std::vector<std::string>* duplicates) {
  return TreeBuilder(text, duplicates).first_document();
}

Result<std::vector<LocatedObject>> decode_manifests(std::string_view text, std::string_view file, StrPool* pool) {
  ORRERY_ASSIGN(const auto documents, parse_yaml(text, file));
  std::vector<LocatedObject> out;
  for (const Json& document : documents) ORRERY_TRY(collect(document, file, pool, out));
  return out;
}

}  // namespace orrery::api
