#pragma once

#include <string_view>
#include <vector>

#include "engine/api/number_texts.h"
#include "engine/api/object.h"
#include "engine/ports/api.h"
#include "engine/server/rest/negotiation.h"

namespace orrery::server {

/// The object of a request body, which must be of `kind` (of one of its group's other versions:
/// BadRequest). Unknown and duplicate fields become an error or are added to `warnings`, by
/// `validation`. A body that names no kind is taken for `kind`. The object comes without TypeMeta.
Result<api::Object> decode_body(std::string_view body, Format format, const api::KindDesc& kind,
                                FieldValidation validation, std::vector<Str>& warnings);

/// A body of text as a tree, with whatever kind it names; the failures are the decoder's own words.
/// `duplicates`, `numbers`: as parse_json of decoding.h.
Result<api::Json> parse_body(std::string_view body, Format format, api::NumberTexts& numbers, std::vector<std::string>& duplicates);

constexpr std::string_view kProtoMagic("k8s\0", 4);
constexpr std::string_view kNoProtoMagic = "provided data does not appear to be a protobuf message, expected prefix [107 56 115 0]";

/// What a failure to read a body is called: "the object provided is unrecognized ...".
Status unrecognized_body(const api::KindDesc& kind, std::string_view why, std::string_view body);

/// TypeMeta of an object in the server is empty: its kind is that of its type.
void clear_type_meta(api::Object& object);

}  // namespace orrery::server
