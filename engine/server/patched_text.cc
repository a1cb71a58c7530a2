#include "engine/server/patched_text.h"

#include <algorithm>
#include <vector>

namespace orrery::server {
namespace {

// A step of a JSON pointer: "~1" is '/', "~0" is '~'.
std::string unescaped(std::string_view step) {
  std::string out;
  for (size_t i = 0; i < step.size(); ++i) {
    const bool escape = step[i] == '~' && i + 1 < step.size();
    out += !escape ? step[i] : step[++i] == '1' ? '/' : '~';
  }
  return out;
}

// Marks the objects on the way to what the pointer names.
void mark(api::Json& touched, std::string_view pointer) {
  api::Json* at = &touched;
  while (!pointer.empty()) {
    pointer.remove_prefix(1);
    const size_t end = pointer.find('/');
    if (end == std::string_view::npos) return;
    const std::string step = unescaped(pointer.substr(0, end));
    api::Json* next = at->find(step);
    at = next ? next : &at->set(step, api::Json::object());
    pointer.remove_prefix(end);
  }
}

// What the patch goes into, as a tree of objects; a list stands for all below it.
api::Json touched_by(PatchKind kind, const api::Json& patch) {
  if (kind != PatchKind::kJson) return patch;
  api::Json touched = api::Json::object();
  for (const api::Json& operation : patch.items())
    for (const std::string_view name : {"path", "from"})
      if (operation[name].is_string()) mark(touched, operation[name].as_string());
  return touched;
}

void sort_touched(api::Json& value, const api::Json& touched) {
  const bool all = touched.is_array();
  if (!all && !touched.is_object()) return;
  if (value.is_object()) {
    std::sort(value.members().begin(), value.members().end(), [](const auto& a, const auto& b) { return a.key < b.key; });
    for (auto& member : value.members()) sort_touched(member.value, all ? touched : touched[member.key.view()]);
  }
  if (value.is_array())
    for (size_t i = 0; i < value.items().size(); ++i)
      sort_touched(value.items()[i], all ? touched : touched[std::string_view(std::to_string(i))]);
}

}  // namespace

std::string patched_text(PatchKind kind, const api::Json& patch, const api::Json& patched, const api::NumberTexts& numbers) {
  api::Json shown = patched;
  sort_touched(shown, touched_by(kind, patch));
  return numbers.dump(shown);
}

}  // namespace orrery::server
