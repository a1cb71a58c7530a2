#include <cstring>

#include "engine/api/base64.h"
#include "engine/api/codec_json.h"
#include "engine/api/custom_object.h"
#include "engine/api/json_encoder.h"
#include "engine/api/json_text.h"
#include "engine/api/reflect.h"
#include "engine/api/shared_parts.h"

namespace orrery::api {
namespace {

const CowBlock* block_at(const void* at) { return *static_cast<CowBlock* const*>(at); }

// Room for what surrounds a text: comma, quotes, colon.
constexpr size_t kSlack = 8;

// As is_empty_value(), inline: this is asked of every field of every object.
bool is_empty(const FieldDesc& field, const void* object) {
  const void* at = field_at(field, object);
  switch (field.form) {
    case Form::kList:
    case Form::kMap: return !block_at(at) || block_at(at)->size == 0;
    case Form::kValue:
      if (field.kind == FieldKind::kStruct) return false;
      if (field.kind == FieldKind::kString) return static_cast<const Str*>(at)->empty();
      break;
    case Form::kPointer:
      if (field.kind == FieldKind::kStruct) return !block_at(at);
      break;
    default: break;
  }
  return is_empty_value(field, object);
}

}  // namespace

void JsonEncoder::object(const TypeDesc& type, const void* object, std::string_view members) {
  if (type.is_union) return one_of(type, object);
  const size_t begin = out_.size();
  if (!members.empty()) {
    out_.put(',');
    out_.put(members);
  }
  fields(type, object);
  if (const FieldDesc* rest = rest_field(type)) rest_members(*rest, object);
  close(begin, '{', '}');
}

void JsonEncoder::close(size_t begin, char open, char end) {
  if (out_.size() == begin) out_.put(open);
  out_[begin] = open;
  out_.put(end);
}

void JsonEncoder::fields(const TypeDesc& type, const void* object) {
  for (const FieldDesc& field : type.fields) {
    if (field.form == Form::kInline) {
      fields(*field.type, field_at(field, object));
    } else if (field.json.empty()) {
      continue;
    } else if (!field.omit_empty || !is_empty(field, object)) {
      name(field.json);
      value(field, object);
    }
  }
}

// The members of a JSON object among those of the struct.
void JsonEncoder::rest_members(const FieldDesc& field, const void* object) {
  const std::string_view text = static_cast<const RawJson*>(field_at(field, object))->text;
  if (text.size() <= 2) return;
  out_.put(',');
  out_.put(text.substr(1, text.size() - 2));
}

void JsonEncoder::name(std::string_view json) {
  out_.room(json.size() + kSlack);
  char* to = out_.at();
  *to++ = ',';
  *to++ = '"';
  std::memcpy(to, json.data(), json.size());
  to += json.size();
  *to++ = '"';
  *to++ = ':';
  out_.advance_to(to);
}

// The list if it has elements, else the struct if it is set, else the flag, else null.
void JsonEncoder::one_of(const TypeDesc& type, const void* object) {
  const FieldDesc* flag = nullptr;
  for (Form form : {Form::kList, Form::kPointer}) {
    for (const FieldDesc& field : type.fields) {
      if (field.kind == FieldKind::kBool) flag = &field;
      if (field.form == form && !is_empty(field, object)) return value(field, object);
    }
  }
  if (flag) return value(*flag, object);
  out_.put("null");
}

void JsonEncoder::value(const FieldDesc& field, const void* object) {
  const void* at = field_at(field, object);
  switch (field.form) {
    case Form::kList: return known(block_at(at)) ? void() : list(field, at);
    case Form::kMap: return known(block_at(at)) ? void() : map(field, at);
    case Form::kPointer:
      if (is_empty(field, object)) return out_.put("null");
      break;
    default: break;
  }
  if (has_block(field) && known(block_at(at))) return;
  if (field.kind == FieldKind::kStruct) return this->object(*field.type, struct_at(field, object));
  scalar(field.kind, at);
}

// A part that is shared is written as it was the first time.
bool JsonEncoder::known(const CowBlock* block) {
  if (!parts_ || !block || block->unique()) return false;
  const std::string* json = parts_->json_of(block);
  if (json) out_.put(*json);
  return json != nullptr;
}

void JsonEncoder::list(const FieldDesc& field, const void* at) {
  if (list_is_nil(at)) return out_.put("null");
  const size_t begin = out_.size();
  const size_t stride = element_stride(field);
  const char* item = static_cast<const char*>(static_cast<const void*>(block_at(at) + 1));
  for (size_t left = list_size(at); left > 0; --left, item += stride) {
    out_.put(',');
    element(field, item);
  }
  close(begin, '[', ']');
}

void JsonEncoder::map(const FieldDesc& field, const void* at) {
  if (list_is_nil(at)) return out_.put("null");
  const size_t begin = out_.size();
  for (size_t i = 0; i < list_size(at); ++i) {
    const void* entry = list_item(field, at, i);
    out_.put(',');
    string(map_key(entry));
    out_.put(':');
    element(field, map_value(entry));
  }
  close(begin, '{', '}');
}

void JsonEncoder::element(const FieldDesc& field, const void* at) {
  if (field.kind == FieldKind::kStruct) return object(*field.type, at);
  if (field.kind == FieldKind::kStringList) return string_list(*static_cast<const List<Str>*>(at));
  scalar(field.kind, at);
}

void JsonEncoder::string_list(const List<Str>& list) {
  if (list.is_nil()) return out_.put("null");
  const size_t begin = out_.size();
  for (const Str& item : list) {
    out_.put(',');
    string(item);
  }
  close(begin, '[', ']');
}

// Copies eight characters at a time for as long as they need no escape.
void JsonEncoder::string(std::string_view text) {
  out_.room(text.size() + kSlack);
  char* to = out_.at();
  *to++ = '"';
  size_t i = 0;
  for (uint64_t word; i + sizeof(word) <= text.size(); i += sizeof(word), to += sizeof(word)) {
    std::memcpy(&word, text.data() + i, sizeof(word));
    if (!all_plain_json(word)) break;
    std::memcpy(to, &word, sizeof(word));
  }
  while (i < text.size() && is_plain_json(static_cast<unsigned char>(text[i]))) *to++ = text[i++];
  out_.advance_to(to);
  if (i < text.size()) {
    scratch_.clear();
    append_json_escaped(scratch_, text.substr(i));
    out_.put(scratch_);
  }
  out_.put('"');
}

// Text that is known to need no escapes.
void JsonEncoder::quoted(std::string_view text) {
  out_.put('"');
  out_.put(text);
  out_.put('"');
}

void JsonEncoder::scalar(FieldKind kind, const void* at) {
  switch (kind) {
    case FieldKind::kBool: return out_.put(*static_cast<const bool*>(at) ? "true" : "false");
    case FieldKind::kInt32: return out_.put_number(*static_cast<const int32_t*>(at));
    case FieldKind::kInt64: return out_.put_number(*static_cast<const int64_t*>(at));
    case FieldKind::kFloat64:
      scratch_.clear();
      append_json_double(scratch_, *static_cast<const double*>(at));
      return out_.put(scratch_);
    case FieldKind::kBytes: {
      const auto& bytes = *static_cast<const Bytes*>(at);
      return bytes.present ? quoted(base64_encode(bytes)) : out_.put("null");
    }
    case FieldKind::kQuantity: {
      const auto& quantity = *static_cast<const Quantity*>(at);
      return quantity.cached_text().empty() ? quoted(quantity.to_string()) : quoted(quantity.cached_text());
    }
    case FieldKind::kTime:
    case FieldKind::kMicroTime: return timestamp(kind, *static_cast<const Timestamp*>(at));
    case FieldKind::kDuration: return quoted(format_go_duration(*static_cast<const ApiDuration*>(at)));
    case FieldKind::kIntOrString: return int_or_string(*static_cast<const IntOrString*>(at));
    case FieldKind::kRawJson:
    case FieldKind::kFieldsV1: {
      const Str& text = static_cast<const RawJson*>(at)->text;
      return out_.put(text.empty() ? std::string_view("null") : text.view());
    }
    default: return string(*static_cast<const Str*>(at));
  }
}

void JsonEncoder::timestamp(FieldKind kind, const Timestamp& t) {
  if (t.is_zero()) return out_.put("null");
  quoted(kind == FieldKind::kTime ? format_time(t) : format_micro_time(t));
}

void JsonEncoder::int_or_string(const IntOrString& value) {
  value.is_text ? string(value.text) : out_.put_number(value.number);
}

std::string encode_json(const TypeDesc& type, const void* object) {
  JsonEncoder encoder;
  encoder.object(type, object);
  return encoder.take();
}

std::string encode_json(const Object& object) { return encode_json(*object.type(), object.data()); }

Json to_json(const TypeDesc& type, const void* object) {
  auto parsed = Json::parse(encode_json(type, object));
  CHECK(parsed.is_ok()) << parsed.status().message();
  return std::move(*parsed);
}

Json to_json(const Object& object) { return to_json(*object.type(), object.data()); }

}  // namespace orrery::api
