// A tokenizer of HTML that knows as much as rewriting links takes: tags, their attributes, and where
// there are none (comments, declarations, scripts). Source: the tokenization of the HTML standard.
#include <algorithm>
#include <optional>

#include "realmode/http/proxied_links.h"

namespace orrery::realmode {
namespace {

constexpr size_t kPendingMax = 256 << 10;  // no tag is as long: then it is text

struct Linked {
  std::string_view element;
  std::string_view attributes;  // separated by spaces
};
// Source: https://www.w3.org/TR/REC-html40/index/attributes.html and the HTML standard.
constexpr Linked kLinked[] = {
    {"a", "href"},           {"applet", "codebase"},        {"area", "href"},       {"audio", "src"},
    {"base", "href"},        {"blockquote", "cite"},        {"body", "background"}, {"button", "formaction"},
    {"command", "icon"},     {"del", "cite"},               {"embed", "src"},       {"form", "action"},
    {"frame", "longdesc src"}, {"head", "profile"},         {"html", "manifest"},   {"iframe", "longdesc src"},
    {"img", "longdesc src usemap"}, {"input", "src usemap formaction"}, {"ins", "cite"}, {"link", "href"},
    {"object", "classid codebase data usemap"}, {"q", "cite"}, {"script", "src"},   {"source", "src"},
    {"video", "poster src"},
};
// What they contain is text to the next end tag of theirs.
constexpr std::string_view kRawText[] = {"iframe", "noembed",  "noframes", "plaintext", "script",
                                         "style",  "textarea", "title",    "xmp"};

bool is_space(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f'; }
bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return out;
}

bool has_word(std::string_view words, std::string_view word) {
  for (size_t at = 0; at < words.size();) {
    const size_t end = std::min(words.find(' ', at), words.size());
    if (words.substr(at, end - at) == word) return true;
    at = end + 1;
  }
  return false;
}

/// The attributes of a tag, one after the other.
class Attributes {
 public:
  Attributes(std::string_view tag, size_t at) : tag_(tag), at_(at) {}

  std::string_view name;
  size_t value_begin = 0, value_end = 0;

  /// False: there are no more; see complete().
  bool next() {
    while (at_ < tag_.size() && (is_space(tag_[at_]) || tag_[at_] == '/')) ++at_;
    if (at_ >= tag_.size() || tag_[at_] == '>') return false;
    const size_t begin = at_++;  // whatever it is, it begins a name
    while (at_ < tag_.size() && !is_space(tag_[at_]) && tag_[at_] != '/' && tag_[at_] != '=' && tag_[at_] != '>') ++at_;
    name = tag_.substr(begin, at_ - begin);
    value_begin = value_end = at_;
    size_t equals = at_;
    while (equals < tag_.size() && is_space(tag_[equals])) ++equals;
    if (equals >= tag_.size() || tag_[equals] != '=') return true;
    at_ = equals + 1;
    while (at_ < tag_.size() && is_space(tag_[at_])) ++at_;
    read_value();
    return true;
  }
  /// The tag has its end, at end().
  bool complete() const { return at_ < tag_.size() && tag_[at_] == '>'; }
  size_t end() const { return at_ + 1; }

 private:
  void read_value() {
    const char quote = at_ < tag_.size() ? tag_[at_] : '\0';
    if (quote == '"' || quote == '\'') {
      value_begin = ++at_;
      at_ = value_end = std::min(tag_.find(quote, at_), tag_.size());
      if (at_ < tag_.size()) ++at_;
      return;
    }
    value_begin = at_;
    while (at_ < tag_.size() && !is_space(tag_[at_]) && tag_[at_] != '>') ++at_;
    value_end = at_;
  }

  std::string_view tag_;
  size_t at_;
};

size_t name_end(std::string_view tag) {
  size_t at = 1;
  while (at < tag.size() && !is_space(tag[at]) && tag[at] != '/' && tag[at] != '>') ++at;
  return at;
}

// The size of the tag that `text` begins with; nullopt: it is not all there.
std::optional<size_t> tag_size(std::string_view text) {
  Attributes attributes(text, name_end(text));
  while (attributes.next()) {
  }
  return attributes.complete() ? std::optional(attributes.end()) : std::nullopt;
}

}  // namespace

void HtmlLinks::feed(std::string_view bytes, std::string* out) {
  pending_ += bytes;
  size_t done = 0;
  while (done < pending_.size()) {
    const size_t taken = step(std::string_view(pending_).substr(done), out);
    if (taken == 0) break;
    done += taken;
  }
  pending_.erase(0, done);
  if (pending_.size() > kPendingMax) end(out);
}

void HtmlLinks::end(std::string* out) {
  *out += pending_;
  pending_.clear();
}

size_t HtmlLinks::step(std::string_view text, std::string* out) {
  if (state_ == State::kRawText) return step_raw_text(text, out);
  if (state_ == State::kText) {
    if (text[0] == '<') return step_markup(text, out);
    const size_t size = std::min(text.find('<'), text.size());
    *out += text.substr(0, size);
    return size;
  }
  const std::string_view mark = state_ == State::kComment ? "-->" : ">";
  const size_t found = text.find(mark);
  const size_t size = found == text.npos ? text.size() - std::min(text.size(), mark.size() - 1) : found + mark.size();
  *out += text.substr(0, size);
  if (found != text.npos) state_ = State::kText;
  return size;
}

size_t HtmlLinks::step_markup(std::string_view text, std::string* out) {
  constexpr std::string_view kComment = "<!--";
  if (text.size() < 2) return 0;
  if (is_letter(text[1])) {
    const auto size = tag_size(text);
    if (!size) return 0;
    begin_tag(text.substr(0, *size), out);
    return *size;
  }
  if (text[1] == '!' && kComment.starts_with(text.substr(0, kComment.size())) && text.size() < kComment.size()) return 0;
  const bool comment = text.starts_with(kComment);
  if (text[1] == '!' || text[1] == '?') state_ = comment ? State::kComment : State::kDeclaration;
  // The dashes that begin a comment may also end it.
  const size_t size = comment ? 2 : 1;
  *out += text.substr(0, size);
  return size;
}

size_t HtmlLinks::step_raw_text(std::string_view text, std::string* out) {
  for (size_t at = text.find('<'); at != text.npos; at = text.find('<', at + 1)) {
    const size_t after = at + 2 + element_.size();
    if (after >= text.size()) {  // it may be the end tag
      *out += text.substr(0, at);
      return at;
    }
    const char last = text[after];
    const bool ends = text[at + 1] == '/' && lower(text.substr(at + 2, element_.size())) == element_ &&
                      (is_space(last) || last == '/' || last == '>');
    if (!ends) continue;
    state_ = State::kText;
    *out += text.substr(0, after);
    return after;
  }
  *out += text;
  return text.size();
}

void HtmlLinks::begin_tag(std::string_view tag, std::string* out) {
  const size_t names_end = name_end(tag);
  const std::string element = lower(tag.substr(1, names_end - 1));
  const auto linked = std::find_if(std::begin(kLinked), std::end(kLinked), [&](const Linked& row) { return row.element == element; });
  size_t written = 0;
  Attributes attributes(tag, names_end);
  while (linked != std::end(kLinked) && attributes.next()) {
    if (attributes.value_begin == attributes.value_end || !has_word(linked->attributes, lower(attributes.name))) continue;
    *out += tag.substr(written, attributes.value_begin - written);
    *out += links_.through(tag.substr(attributes.value_begin, attributes.value_end - attributes.value_begin));
    written = attributes.value_end;
  }
  *out += tag.substr(written);
  if (std::find(std::begin(kRawText), std::end(kRawText), element) == std::end(kRawText)) return;
  state_ = State::kRawText;
  element_ = element;
}

}  // namespace orrery::realmode
