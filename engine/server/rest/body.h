#pragma once

#include <string_view>
#include <vector>

#include "engine/api/object.h"
#include "engine/ports/api.h"
#include "engine/server/rest/negotiation.h"

namespace orrery::server {

/// The object of a request body, which must be of `kind` (of one of its group's other versions:
/// BadRequest). Unknown and duplicate fields become an error or are added to `warnings`, by
/// `validation`. A body that names no kind is taken for `kind`. The object comes without TypeMeta.
Result<api::Object> decode_body(std::string_view body, Format format, const api::KindDesc& kind,
                                FieldValidation validation, std::vector<Str>& warnings);

/// What a failure to read a body is called: "the object provided is unrecognized ...".
Status unrecognized_body(const api::KindDesc& kind, std::string_view why, std::string_view body);

/// TypeMeta of an object in the server is empty: its kind is that of its type.
void clear_type_meta(api::Object& object);

}  // namespace orrery::server
