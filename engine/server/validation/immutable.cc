#include "engine/server/validation/immutable.h"

#include "engine/api/semantic.h"

namespace orrery::server {

std::string difference_text(const api::Object& before, const api::Object& after) {
  std::string text;
  for (const api::Difference& d : api::diff(before, after)) {
    if (!d.before.empty()) text += str_cat("- ", d.path, ": ", d.before, "\n");
    if (!d.after.empty()) text += str_cat("+ ", d.path, ": ", d.after, "\n");
  }
  return text;
}

}  // namespace orrery::server
