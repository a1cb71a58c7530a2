// {"document":…,"patch":…} as each kind of patch of a pod; a patch that was made must lead there.
#include <cstdint>
#include <string_view>

#include "engine/api/gen/corev1.h"
#include "engine/api/patch.h"
#include "engine/base/check.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace orrery;
  const auto input = api::Json::parse({reinterpret_cast<const char*>(data), size});
  if (!input.is_ok()) return 0;
  const api::Json &document = (*input)["document"], &patch = (*input)["patch"];
  const auto& type = corev1::Pod::descriptor();
  static_cast<void>(api::apply_json_patch(document, patch).is_ok());
  static_cast<void>(api::apply_merge_patch(document, patch).is_ok());
  static_cast<void>(api::apply_strategic_patch(type, document, patch).is_ok());
  if (!document.is_object() || !patch.is_object()) return 0;
  static_cast<void>(api::make_merge_patch(document, patch));
  static_cast<void>(api::make_strategic_patch(type, document, patch).is_ok());
  static_cast<void>(api::make_three_way_strategic_patch(type, document, patch, document, false).is_ok());
  return 0;
}
