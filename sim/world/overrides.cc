#include "sim/world/overrides.h"

#include <algorithm>
#include <filesystem>

#include "engine/api/yaml.h"

namespace orrery::sim {
namespace {

namespace fs = std::filesystem;

api::Json scalar_of(const std::string& text) {
  auto parsed = api::parse_yaml(text, "--set");
  if (parsed.is_ok() && parsed->size() == 1 && !(*parsed)[0].is_object() && !(*parsed)[0].is_array()) return (*parsed)[0];
  return api::Json(text);
}

// A file named on the command line is relative to where the user is, not to the scenario.
Override with_full_path(Override o) {
  std::error_code error;
  if (o.value.find('/') != std::string::npos && fs::exists(o.value, error)) o.value = fs::absolute(o.value).string();
  return o;
}

Status substitute(api::Json& node, const api::Json& parameters, const std::string& file) {
  for (api::Json& item : node.items()) ORRERY_TRY(substitute(item, parameters, file));
  for (auto& member : node.members()) ORRERY_TRY(substitute(member.value, parameters, file));
  if (!node.is_string() || !node.as_string().view().starts_with('$')) return Status::ok();
  const std::string name = node.as_string().str().substr(1);
  const api::Json* value = parameters.find(name);
  if (!value) return bad_request(str_cat(file, ":", node.line(), ": $", name, ": no such parameter"));
  const uint32_t line = node.line();
  node = *value;
  node.set_line(line);
  return Status::ok();
}

}  // namespace

Result<Override> parse_override(std::string_view text) {
  const size_t equals = text.find('=');
  if (equals == std::string_view::npos || equals == 0) return bad_request(str_cat("--set ", text, ": must be path=value"));
  return Override{std::string(text.substr(0, equals)), std::string(text.substr(equals + 1))};
}

Status apply_override(api::Json& root, const Override& given) {
  const Override o = with_full_path(given);
  api::Json* parameters = root.find("parameters");
  if (parameters && parameters->find(o.path)) {
    parameters->set(o.path, scalar_of(o.value)).set_line(parameters->line());
    return Status::ok();
  }
  api::Json* at = &root;
  std::string_view rest = o.path;
  const auto wrong = [&](std::string_view why) {
    std::string names;
    if (parameters)
      for (const auto& m : parameters->members()) names += (names.empty() ? "" : ", ") + m.key.str();
    return bad_request(str_cat("--set ", o.path, ": ", why, names.empty() ? "" : "; parameters of this scenario are ", names));
  };
  for (;;) {
    const size_t dot = std::min(rest.find('.'), rest.size());
    std::string_view part = rest.substr(0, dot);
    const bool last = dot == rest.size();
    const size_t bracket = part.find('[');
    const std::string_view name = part.substr(0, bracket);
    if (bracket == std::string_view::npos && last) {
      if (!at->is_object() && !at->is_null()) return wrong(str_cat(name, " stands in no mapping"));
      at->set(name, scalar_of(o.value));
      return Status::ok();
    }
    api::Json* next = at->find(name);
    if (!next && bracket == std::string_view::npos) next = &at->set(name, api::Json::object());
    if (!next) return wrong(str_cat("no field ", name));
    if (bracket != std::string_view::npos) {
      const size_t index = static_cast<size_t>(std::atoll(std::string(part.substr(bracket + 1)).c_str()));
      if (!next->is_array() || index >= next->size()) return wrong(str_cat("no item ", part));
      next = &next->items()[index];
      if (last) {
        *next = scalar_of(o.value);
        return Status::ok();
      }
    }
    at = next;
    rest = rest.substr(dot + 1);
  }
}

Status substitute_parameters(api::Json& scenario, const std::string& file) {
  const api::Json parameters = scenario["parameters"];
  for (auto& member : scenario.members())
    if (member.key != "parameters") ORRERY_TRY(substitute(member.value, parameters, file));
  return Status::ok();
}

}  // namespace orrery::sim
