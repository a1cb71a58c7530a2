#include "engine/control/disruption/selector_text.h"

namespace orrery::control {

std::string selector_text(const metav1::LabelSelector* selector) {
  if (!selector) return "nil";
  std::string text = "&LabelSelector{MatchLabels:map[string]string{";
  for (const auto& [key, value] : selector->match_labels) text += str_cat(key, ": ", value, ',');
  text += "},MatchExpressions:[]LabelSelectorRequirement{";
  for (const auto& expression : selector->match_expressions) {
    text += str_cat("LabelSelectorRequirement{Key:", expression.key,
                    ",Operator:", expression.operator_, ",Values:[");
    std::string_view space;
    for (const Str& value : expression.values) {
      text += str_cat(space, value);
      space = " ";
    }
    text += "],},";
  }
  return text + "},}";
}

}  // namespace orrery::control
