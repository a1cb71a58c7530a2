#include <algorithm>

#include "engine/api/yaml.h"

namespace orrery::api {
namespace {

bool is_space(char c) { return c == ' ' || c == '\t' || c == '\n'; }

// A number of YAML 1.1 in base 60, such as 1:30.
bool is_sexagesimal(std::string_view text) {
  if (!text.empty() && (text[0] == '-' || text[0] == '+')) text.remove_prefix(1);
  return !text.empty() && text[0] >= '0' && text[0] <= '9' && text.find(':') != std::string_view::npos &&
         text.find_first_not_of("0123456789:._") == std::string_view::npos;
}

// A date, with or without a time: a timestamp to YAML 1.1.
bool is_timestamp(std::string_view text) {
  const auto digits = [&](size_t least, size_t most) {
    size_t count = 0;
    while (count < text.size() && count < most && text[count] >= '0' && text[count] <= '9') ++count;
    text.remove_prefix(count);
    return count >= least;
  };
  const auto dash = [&] {
    if (!text.starts_with('-')) return false;
    text.remove_prefix(1);
    return true;
  };
  if (!digits(4, 4) || !dash() || !digits(1, 2) || !dash() || !digits(1, 2)) return false;
  if (text.empty()) return true;
  const bool has_time = text.front() == 'T' || text.front() == 't' || text.front() == ' ';
  return has_time && text.find_first_not_of("0123456789:.+-Zz", 1) == std::string_view::npos;
}

bool is_printable(std::string_view text) {
  // To YAML 1.1 these are line breaks, controls, or a byte order mark.
  for (const char* special : {"\u2028", "\u2029", "\ufeff"})
    if (text.find(special) != std::string_view::npos) return false;
  for (size_t at = text.find('\xc2'); at != std::string_view::npos; at = text.find('\xc2', at + 1))
    if (at + 1 < text.size() && static_cast<unsigned char>(text[at + 1]) < 0xa0) return false;
  return std::all_of(text.begin(), text.end(), [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte == '\n' || (byte >= 0x20 && byte != 0x7f);
  });
}

// Whether a reader takes the bare text for the same text.
bool is_plain(std::string_view text) {
  if (text.empty() || is_space(text.front()) || is_space(text.back())) return false;
  if (text.starts_with("---") || text.starts_with("...")) return false;
  constexpr std::string_view kIndicators = "#,[]{}&*!|>'\"%@`";
  if (kIndicators.find(text[0]) != std::string_view::npos) return false;
  const bool opens = text[0] == '-' || text[0] == '?' || text[0] == ':';
  if (opens && (text.size() == 1 || is_space(text[1]))) return false;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == ':' && (i + 1 == text.size() || is_space(text[i + 1]))) return false;
    if (text[i] == '#' && i > 0 && is_space(text[i - 1])) return false;
  }
  return true;
}

// Plain scalars that a reader of YAML 1.1 takes for something else than text.
bool reads_as_text(std::string_view text) {
  for (const char* word : {"y", "Y", "n", "N", "<<", "=", "~"})
    if (text == word) return false;
  return !is_sexagesimal(text) && !is_timestamp(text) && resolve_plain(text).is_string();
}

bool fits_block(std::string_view text) {
  return text.find(" \n") == std::string_view::npos && !text.ends_with(' ') && !is_space(text.front()) &&
         text.find('\t') == std::string_view::npos;
}

class Writer {
 public:
  explicit Writer(std::string& out) : out_(out) {}

  void document(const Json& json) {
    if (json.size() > 0 && (json.is_object() || json.is_array())) return block(json, 0, false);
    scalar(json, 0);
    out_ += '\n';
  }

 private:
  // A mapping or a list, one entry a line; `inline_first`: the first entry goes on in this line.
  void block(const Json& json, size_t indent, bool inline_first) {
    const auto line_start = [&] {
      if (!inline_first) out_.append(indent, ' ');
      inline_first = false;
    };
    if (json.is_array()) {
      for (const Json& item : json.items()) {
        line_start();
        out_ += "- ";
        if (item.size() > 0 && (item.is_object() || item.is_array())) {
          block(item, indent + 2, true);
        } else {
          scalar(item, indent + 2);
          out_ += '\n';
        }
      }
      return;
    }
    std::vector<const Json::Member*> sorted;
    for (const auto& member : json.members()) sorted.push_back(&member);
    std::sort(sorted.begin(), sorted.end(), [](const auto* a, const auto* b) { return a->key < b->key; });
    for (const Json::Member* member : sorted) {
      line_start();
      text(member->key, indent, true);
      out_ += ':';
      const Json& value = member->value;
      if (value.size() > 0 && (value.is_object() || value.is_array())) {
        out_ += '\n';
        // Lists stand at their key's indentation.
        block(value, value.is_array() ? indent : indent + 2, false);
      } else {
        out_ += ' ';
        scalar(value, indent + 2);
        out_ += '\n';
      }
    }
  }

  void scalar(const Json& json, size_t indent) {
    if (json.is_string()) return text(json.as_string(), indent, false);
    if (json.is_object()) out_ += "{}";
    else if (json.is_array()) out_ += "[]";
    else json.dump_to(out_);
  }

  void text(std::string_view value, size_t indent, bool key) {
    const bool lines = value.find('\n') != std::string_view::npos;
    if (!is_printable(value)) return append_json_string(out_, value);
    if (lines) return key || !fits_block(value) ? append_json_string(out_, value) : literal(value, indent);
    if (!reads_as_text(value)) return append_json_string(out_, value);
    if (is_plain(value)) {
      out_ += value;
      return;
    }
    out_ += '\'';
    for (char c : value) out_.append(c == '\'' ? 2 : 1, c);
    out_ += '\'';
  }

  void literal(std::string_view value, size_t indent) {
    const bool ends = value.ends_with('\n');
    out_ += !ends ? "|-" : value.ends_with("\n\n") ? "|+" : "|";
    if (ends) value.remove_suffix(1);
    while (true) {
      const size_t end = value.find('\n');
      const std::string_view line = value.substr(0, end);
      out_ += '\n';
      if (!line.empty()) out_.append(indent, ' ').append(line);
      if (end == std::string_view::npos) return;
      value.remove_prefix(end + 1);
    }
  }

  std::string& out_;
};

}  // namespace

std::string dump_yaml(const Json& json) {
  std::string out;
  Writer(out).document(json);
  return out;
}

std::string encode_yaml(const Object& object) { return dump_yaml(to_json(object)); }

}  // namespace orrery::api
