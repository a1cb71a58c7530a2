// Formats of names. Source: Kubernetes v1.32 apiserver/pkg/cel/library/format.go.
#include "engine/api/base64.h"
#include "engine/api/cel/functions.h"
#include "engine/api/names.h"
#include "engine/api/regex.h"
#include "engine/api/scalars.h"

namespace orrery::api::cel {
namespace {

using Messages = std::vector<std::string>;

// Names that begin a longer one may end with "-".
std::string completed(std::string_view name) { return name.ends_with('-') ? str_cat(name.substr(0, name.size() - 1), "a") : std::string(name); }

Messages fits(bool good, std::string_view why) { return good ? Messages{} : Messages{std::string(why)}; }

bool matches(std::string_view pattern, std::string_view text) {
  const auto regex = Regex::compile(pattern);
  return regex.is_ok() && regex->found_in(text);
}

Messages check_dns1035(std::string_view text) {
  constexpr size_t kMax = 63;
  Messages out;
  if (text.size() > kMax) out.push_back("must be no more than 63 characters");
  if (!matches("^[a-z]([-a-z0-9]*[a-z0-9])?$", text))
    out.push_back("a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end "
                  "with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for validation is '[a-z]([-a-z0-9]*[a-z0-9])?')");
  return out;
}

Messages check_bytes(std::string_view text) {
  std::string bytes;
  return fits(base64_decode(text, &bytes), "invalid base64");
}

struct Format {
  std::string_view name;
  Messages (*check)(std::string_view text);
};
constexpr Format kFormats[] = {
    {"dns1123Label", check_dns1123_label},
    {"dns1123Subdomain", check_dns1123_subdomain},
    {"dns1035Label", check_dns1035},
    {"qualifiedName", check_qualified_name},
    {"dns1123LabelPrefix", [](std::string_view t) { return check_dns1123_label(completed(t)); }},
    {"dns1123SubdomainPrefix", [](std::string_view t) { return check_dns1123_subdomain(completed(t)); }},
    {"dns1035LabelPrefix", [](std::string_view t) { return check_dns1035(completed(t)); }},
    {"labelValue", check_label_value},
    {"uri", [](std::string_view t) { return fits(url_value(Value::string_of(std::string(t))).is_ok(), "invalid URI"); }},
    {"uuid", [](std::string_view t) { return fits(matches("^(?i)[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}$", t), "does not match the UUID format"); }},
    {"byte", check_bytes},
    {"date", [](std::string_view t) { return fits(matches("^[0-9]{4}-[0-9]{2}-[0-9]{2}$", t) && parse_time(str_cat(t, "T00:00:00Z")).is_ok(), "invalid date"); }},
    {"datetime", [](std::string_view t) { return fits(parse_time(t).is_ok(), "invalid datetime"); }},
};

class FormatValue final : public Opaque {
 public:
  explicit FormatValue(const Format& format) : format_(format) {}
  std::string_view type_name() const override { return "kubernetes.NamedFormat"; }
  std::string to_string() const override { return std::string(format_.name); }
  bool equals(const Opaque& other) const override { return format_.name == static_cast<const FormatValue&>(other).format_.name; }
  Result<Value> call(std::string_view name, const std::vector<Value>& args) const override {
    if (name != "validate" || args.size() != 2 || !args[1].is_string()) return no_overload(name);
    const Messages wrong = format_.check(args[1].string());
    if (wrong.empty()) return Value::none();
    Json out = Json::array();
    for (const std::string& message : wrong) out.push_back(Json(message));
    return Value::some(Value::of(std::move(out)));
  }

 private:
  const Format& format_;
};

}  // namespace

std::optional<Value> named_format(std::string_view name) {
  for (const Format& format : kFormats)
    if (format.name == name) return Value::of_opaque(std::make_shared<FormatValue>(format));
  return std::nullopt;
}

}  // namespace orrery::api::cel
