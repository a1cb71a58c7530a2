// Addresses of the web. Source: Kubernetes v1.32 apiserver/pkg/cel/library/urls.go, Go's net/url.
#include "engine/api/cel/functions.h"
#include "engine/api/names.h"

namespace orrery::api::cel {
namespace {

struct Url {
  std::string scheme, host, path, query;
};

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool is_scheme_char(char c) { return is_letter(c) || (c >= '0' && c <= '9') || c == '+' || c == '-' || c == '.'; }

Status wrong(std::string_view text, std::string_view why) {
  return bad_request(str_cat("URL parse error during conversion from string: parse ", quoted(text), ": ", why));
}

// As url.ParseRequestURI: an absolute URI or an absolute path, without a fragment.
Result<Url> read(std::string_view text) {
  if (text.empty()) return wrong(text, "empty url");
  for (const char c : text)
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) return wrong(text, "net/url: invalid control character in URL");
  Url url;
  std::string_view rest = text;
  size_t end = 0;
  while (end < rest.size() && is_scheme_char(rest[end])) ++end;
  if (end < rest.size() && rest[end] == ':') {
    if (end == 0) return wrong(text, "missing protocol scheme");
    if (is_letter(rest[0])) {
      for (const char c : rest.substr(0, end)) url.scheme += c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
      rest.remove_prefix(end + 1);
    }
  }
  if (const size_t mark = rest.find('?'); mark != rest.npos) {
    url.query = rest.substr(mark + 1);
    rest = rest.substr(0, mark);
  }
  if (!rest.starts_with('/') && url.scheme.empty()) return wrong(text, "invalid URI for request");
  if (rest.starts_with("//") && !url.scheme.empty()) {
    rest.remove_prefix(2);
    const std::string_view authority = rest.substr(0, rest.find('/'));
    rest.remove_prefix(authority.size());
    const size_t at = authority.rfind('@');
    url.host = at == authority.npos ? authority : authority.substr(at + 1);
    if (url.host.find(' ') != std::string::npos) return wrong(text, "invalid character \" \" in host name");
  }
  url.path = rest;
  return url;
}

std::string escaped(std::string_view path) {
  constexpr std::string_view kPlain = "-_.~$&+,/:;=@!*'()[]%";
  std::string out;
  for (const char c : path) {
    if (is_letter(c) || (c >= '0' && c <= '9') || kPlain.find(c) != kPlain.npos) {
      out += c;
      continue;
    }
    constexpr std::string_view kHex = "0123456789ABCDEF";
    const auto byte = static_cast<unsigned char>(c);
    out += {'%', kHex[byte >> 4], kHex[byte & 15]};
  }
  return out;
}

std::string unescaped(std::string_view text) {
  const auto hex = [](char c) { return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1; };
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    const bool coded = text[i] == '%' && i + 2 < text.size() && hex(text[i + 1]) >= 0 && hex(text[i + 2]) >= 0;
    if (coded) out += static_cast<char>(hex(text[i + 1]) * 16 + hex(text[i + 2]));
    else out += text[i] == '+' ? ' ' : text[i];
    if (coded) i += 2;
  }
  return out;
}

class UrlValue final : public Opaque {
 public:
  explicit UrlValue(Url url) : url_(std::move(url)) {}
  std::string_view type_name() const override { return "kubernetes.URL"; }
  bool equals(const Opaque& other) const override {
    const Url& that = static_cast<const UrlValue&>(other).url_;
    return url_.scheme == that.scheme && url_.host == that.host && url_.path == that.path && url_.query == that.query;
  }
  Result<Value> call(std::string_view name, const std::vector<Value>& args) const override {
    if (args.size() != 1) return no_overload(name);
    if (name == "getScheme") return Value::string_of(url_.scheme);
    if (name == "getHost") return Value::string_of(url_.host);
    if (name == "getHostname") return Value::string_of(hostname());
    if (name == "getPort") return Value::string_of(port());
    if (name == "getEscapedPath") return Value::string_of(escaped(url_.path));
    if (name == "getQuery") return query();
    return no_overload(name);
  }

 private:
  size_t colon() const {
    const size_t at = url_.host.rfind(':');
    const size_t bracket = url_.host.rfind(']');
    return at != std::string::npos && (bracket == std::string::npos || at > bracket) ? at : std::string::npos;
  }
  std::string hostname() const {
    std::string name = url_.host.substr(0, colon());
    if (name.starts_with('[') && name.ends_with(']')) name = name.substr(1, name.size() - 2);
    return name;
  }
  std::string port() const { return colon() == std::string::npos ? "" : url_.host.substr(colon() + 1); }
  Value query() const {
    Json all = Json::object();
    std::string_view rest = url_.query;
    while (!rest.empty()) {
      const std::string_view one = rest.substr(0, rest.find('&'));
      rest.remove_prefix(std::min(one.size() + 1, rest.size()));
      if (one.empty()) continue;
      const size_t equals = one.find('=');
      const std::string key = unescaped(one.substr(0, equals));
      if (!all.find(key)) all.set(key, Json::array());
      all.find(key)->push_back(Json(equals == one.npos ? std::string() : unescaped(one.substr(equals + 1))));
    }
    return Value::of(std::move(all));
  }

  Url url_;
};

}  // namespace

Result<Value> url_value(const Value& text) {
  if (!text.is_string()) return no_overload("url");
  ORRERY_ASSIGN(Url url, read(text.string()));
  return Value::of_opaque(std::make_shared<UrlValue>(std::move(url)));
}

}  // namespace orrery::api::cel
