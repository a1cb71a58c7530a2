#pragma once

#include <string>

#include "engine/api/number_texts.h"
#include "engine/api/patch.h"

namespace orrery::server {

/// The JSON text that a JSON or merge patch leaves, as the API server shows it in messages: objects
/// that the patch has gone into have their members sorted, all others keep their order. `numbers` are those of `patch`.
/// Source: gopkg.in/evanphx/json-patch.v4, which decodes only what it must.
std::string patched_text(PatchKind kind, const api::Json& patch, const api::Json& patched, const api::NumberTexts& numbers);

}  // namespace orrery::server
