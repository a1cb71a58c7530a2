#include "engine/api/template_hash.h"

#include "engine/api/json_value.h"
#include "engine/api/reflect.h"

namespace orrery::api {
namespace {

class Dumper {
 public:
  explicit Dumper(std::string& out) : out_(out) {}

  void struct_body(const TypeDesc& type, const void* object) {
    out_ += '{';
    bool first = true;
    for (const FieldDesc& field : type.fields) {
      if (!first) out_ += ' ';
      first = false;
      out_ += field.go_name;
      out_ += ":(";
      out_ += field.go_type;
      out_ += ')';
      this->field(field, object);
    }
    out_ += '}';
  }

 private:
  void field(const FieldDesc& field, const void* object) {
    const void* at = field_at(field, object);
    switch (field.form) {
      case Form::kList: return list(field, at);
      case Form::kMap: return map(field, at);
      case Form::kPointer:
        if (is_empty_value(field, object)) {
          out_ += "<nil>";
          return;
        }
        break;
      default: break;
    }
    if (field.kind == FieldKind::kStruct) return struct_body(*field.type, struct_at(field, object));
    scalar(field.kind, at);
  }
  void list(const FieldDesc& field, const void* at) {
    if (list_is_nil(at)) {
      out_ += "<nil>";
      return;
    }
    out_ += '[';
    for (size_t i = 0; i < list_size(at); ++i) {
      if (i > 0) out_ += ' ';
      element(field, list_item(field, at, i));
    }
    out_ += ']';
  }
  void map(const FieldDesc& field, const void* at) {
    if (list_is_nil(at)) {
      out_ += "<nil>";
      return;
    }
    out_ += "map[";
    for (size_t i = 0; i < list_size(at); ++i) {
      if (i > 0) out_ += ' ';
      const void* entry = list_item(field, at, i);
      out_ += map_key(entry);
      out_ += ':';
      element(field, map_value(entry));
    }
    out_ += ']';
  }
  void element(const FieldDesc& field, const void* at) {
    if (field.kind == FieldKind::kStruct) return struct_body(*field.type, at);
    scalar(field.kind, at);
  }
  void scalar(FieldKind kind, const void* at) {
    switch (kind) {
      case FieldKind::kBool: out_ += *static_cast<const bool*>(at) ? "true" : "false"; return;
      case FieldKind::kInt32: str_append(out_, int64_t{*static_cast<const int32_t*>(at)}); return;
      case FieldKind::kInt64: str_append(out_, *static_cast<const int64_t*>(at)); return;
      case FieldKind::kFloat64: append_json_double(out_, *static_cast<const double*>(at)); return;
      case FieldKind::kQuantity: return quantity(*static_cast<const Quantity*>(at));
      case FieldKind::kTime:
      case FieldKind::kMicroTime: return time(*static_cast<const Timestamp*>(at));
      case FieldKind::kIntOrString: {
        const auto& v = *static_cast<const IntOrString*>(at);
        out_ += str_cat("{Type:(intstr.Type)", v.is_text ? 1 : 0, " IntVal:(int32)", v.is_text ? 0 : v.number,
                        " StrVal:(string)", v.text, "}");
        return;
      }
      case FieldKind::kDuration: str_append(out_, static_cast<const ApiDuration*>(at)->ns); return;
      case FieldKind::kRawJson:
      case FieldKind::kFieldsV1: out_ += static_cast<const RawJson*>(at)->text; return;
      default: out_ += *static_cast<const Str*>(at); return;
    }
  }
  void quantity(const Quantity& q) {
    out_ += str_cat("{i:(resource.int64Amount){value:(int64)", q.raw_value(), " scale:(resource.Scale)", q.raw_scale(),
                    "} d:(resource.infDecAmount){Dec:(*inf.Dec)");
    if (q.is_big()) {
      out_ += q.as_dec();
    } else {
      out_ += "<nil>";
    }
    out_ += str_cat("} s:(string)", q.cached_text(), " Format:(resource.Format)", quantity_format_name(q.format()), "}");
  }
  // Templates carry no times in practice; a set one is printed by its seconds since year 1.
  void time(const Timestamp& t) {
    constexpr int64_t kSecondsToYearOne = 62135596800;
    out_ += str_cat("{Time:(time.Time){wall:(uint64)", t.set ? uint64_t(t.nanos) : uint64_t{0}, " ext:(int64)",
                    t.set ? t.seconds + kSecondsToYearOne : int64_t{0}, " loc:(*time.Location)<nil>}}");
  }

  std::string& out_;
};

}  // namespace

std::string template_dump(const corev1::PodTemplateSpec& tmpl) {
  return go_dump(corev1::PodTemplateSpec::descriptor(), &tmpl);
}

std::string go_dump(const TypeDesc& type, const void* object) {
  std::string out = str_cat("(", type.go_type, ")");
  Dumper(out).struct_body(type, object);
  return out;
}

uint32_t fnv1a32(std::string_view bytes, uint32_t seed) {
  uint32_t h = seed;
  for (char c : bytes) h = (h ^ static_cast<unsigned char>(c)) * 16777619u;
  return h;
}

std::string safe_encode(std::string_view text) {
  static constexpr std::string_view kAlphabet = "bcdfghjklmnpqrstvwxz2456789";
  std::string out;
  for (char c : text) out += kAlphabet[static_cast<unsigned char>(c) % kAlphabet.size()];
  return out;
}

std::string template_hash(const corev1::PodTemplateSpec& tmpl, Opt<int32_t> collision_count) {
  uint32_t h = fnv1a32(template_dump(tmpl));
  if (collision_count) {
    const auto count = static_cast<uint32_t>(*collision_count);
    char bytes[8] = {};
    for (int i = 0; i < 4; ++i) bytes[i] = static_cast<char>(count >> (8 * i));
    h = fnv1a32({bytes, 8}, h);
  }
  return safe_encode(std::to_string(h));
}

}  // namespace orrery::api
