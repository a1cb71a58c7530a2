#include "engine/api/codec_json.h"
#include "engine/api/reflect.h"

namespace orrery::api {
namespace {

class Encoder {
 public:
  explicit Encoder(std::string& out) : out_(out) {}

  void object(const TypeDesc& type, const void* object) {
    if (type.is_union) return one_of(type, object);
    out_ += '{';
    bool first = true;
    fields(type, object, &first);
    out_ += '}';
  }

 private:
  void fields(const TypeDesc& type, const void* object, bool* first) {
    for (const FieldDesc& field : type.fields) {
      if (field.form == Form::kInline) {
        fields(*field.type, field_at(field, object), first);
        continue;
      }
      if (field.omit_empty && is_empty_value(field, object)) continue;
      if (!*first) out_ += ',';
      *first = false;
      out_ += '"';
      out_ += field.json;
      out_ += "\":";
      value(field, object);
    }
  }
  // The list if it has elements, else the struct if it is set, else the flag, else null.
  void one_of(const TypeDesc& type, const void* object) {
    const FieldDesc* flag = nullptr;
    for (Form form : {Form::kList, Form::kPointer}) {
      for (const FieldDesc& field : type.fields) {
        if (field.kind == FieldKind::kBool) flag = &field;
        if (field.form == form && !is_empty_value(field, object)) return value(field, object);
      }
    }
    if (flag) return value(*flag, object);
    out_ += "null";
  }
  void value(const FieldDesc& field, const void* object) {
    const void* at = field_at(field, object);
    switch (field.form) {
      case Form::kList: return list(field, at);
      case Form::kMap: return map(field, at);
      case Form::kPointer:
        if (is_empty_value(field, object)) {
          out_ += "null";
          return;
        }
        break;
      default: break;
    }
    if (field.kind == FieldKind::kStruct) return this->object(*field.type, struct_at(field, object));
    scalar(field.kind, at);
  }
  void list(const FieldDesc& field, const void* at) {
    if (list_is_nil(at)) {
      out_ += "null";
      return;
    }
    out_ += '[';
    for (size_t i = 0; i < list_size(at); ++i) {
      if (i > 0) out_ += ',';
      element(field, list_item(field, at, i));
    }
    out_ += ']';
  }
  void map(const FieldDesc& field, const void* at) {
    if (list_is_nil(at)) {
      out_ += "null";
      return;
    }
    out_ += '{';
    for (size_t i = 0; i < list_size(at); ++i) {
      if (i > 0) out_ += ',';
      const void* entry = list_item(field, at, i);
      append_json_string(out_, map_key(entry));
      out_ += ':';
      element(field, map_value(entry));
    }
    out_ += '}';
  }
  void element(const FieldDesc& field, const void* at) {
    if (field.kind == FieldKind::kStruct) return object(*field.type, at);
    if (field.kind == FieldKind::kStringList) return string_list(*static_cast<const List<Str>*>(at));
    scalar(field.kind, at);
  }
  void string_list(const List<Str>& list) {
    if (list.is_nil()) {
      out_ += "null";
      return;
    }
    out_ += '[';
    for (size_t i = 0; i < list.size(); ++i) {
      if (i > 0) out_ += ',';
      append_json_string(out_, list[i]);
    }
    out_ += ']';
  }
  void quoted(const std::string& text) {
    out_ += '"';
    out_ += text;
    out_ += '"';
  }
  void scalar(FieldKind kind, const void* at) {
    switch (kind) {
      case FieldKind::kBool: out_ += *static_cast<const bool*>(at) ? "true" : "false"; return;
      case FieldKind::kInt32: str_append(out_, int64_t{*static_cast<const int32_t*>(at)}); return;
      case FieldKind::kInt64: str_append(out_, *static_cast<const int64_t*>(at)); return;
      case FieldKind::kFloat64: append_json_double(out_, *static_cast<const double*>(at)); return;
      case FieldKind::kBytes: {
        const auto& bytes = *static_cast<const Bytes*>(at);
        if (bytes.present) return quoted(base64_encode(bytes));
        out_ += "null";
        return;
      }
      case FieldKind::kQuantity: return quoted(static_cast<const Quantity*>(at)->to_string());
      case FieldKind::kTime:
      case FieldKind::kMicroTime: return timestamp(kind, *static_cast<const Timestamp*>(at));
      case FieldKind::kDuration: return quoted(format_go_duration(*static_cast<const ApiDuration*>(at)));
      case FieldKind::kIntOrString: return int_or_string(*static_cast<const IntOrString*>(at));
      case FieldKind::kRawJson:
      case FieldKind::kFieldsV1: {
        const Str& text = static_cast<const RawJson*>(at)->text;
        out_ += text.empty() ? std::string_view("null") : text.view();
        return;
      }
      default: append_json_string(out_, *static_cast<const Str*>(at)); return;
    }
  }
  void timestamp(FieldKind kind, const Timestamp& t) {
    if (t.is_zero()) {
      out_ += "null";
    } else {
      quoted(kind == FieldKind::kTime ? format_time(t) : format_micro_time(t));
    }
  }
  void int_or_string(const IntOrString& value) {
    if (value.is_text) {
      append_json_string(out_, value.text);
    } else {
      str_append(out_, int64_t{value.number});
    }
  }

  std::string& out_;
};

}  // namespace

std::string encode_json(const TypeDesc& type, const void* object) {
  std::string out;
  out.reserve(1024);
  Encoder(out).object(type, object);
  return out;
}

std::string encode_json(const Object& object) { return encode_json(*object.type(), object.data()); }

Json to_json(const TypeDesc& type, const void* object) {
  auto parsed = Json::parse(encode_json(type, object));
  CHECK(parsed.is_ok()) << parsed.status().message();
  return std::move(*parsed);
}

Json to_json(const Object& object) { return to_json(*object.type(), object.data()); }

}  // namespace orrery::api
